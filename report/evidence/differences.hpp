// Two analyses of the same packets, compared number by number.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace callwitness::report {

/// `numbers`: addresses, names and what holds them are passed over, for one side is anonymised.
enum class Alike : bool { everything, numbers };

/// What the two sides are called in a difference's line.
struct Sides {
  std::string_view told = "the bundle says", found = "its packets give";
};

/// Where the JSON document `told` (of a bundle) says something else than `found` (recomputed from its packets) about
/// verdict, calls, streams, attempts, controls and findings: a line each, at most `limit` and a count of the rest. Empty: all the
/// same. Not compared: the tool's version and options, the input files, and packets by their numbers in the original
/// capture; where the bundle tells their numbers in its own ("evidence.frames"), those are compared.
std::vector<std::string> differences_of(std::string_view told, std::string_view found, Alike alike = Alike::everything, std::size_t limit = 20,
                                        Sides sides = {});

}  // namespace callwitness::report
