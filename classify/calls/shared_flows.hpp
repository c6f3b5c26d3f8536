// Several calls in one five-tuple: a trunk's, or one after the other from the same ports.
#pragma once

#include "classify/calls/stream_facts.hpp"

#include <array>
#include <optional>
#include <span>
#include <vector>

namespace callwitness::classify {

/// Both ways of a call fell silent as one, and what comes next comes too late for a repair: somebody hung up.
/// `last`: each way's last media; without one of them nothing can be said.
bool was_hung_up(const std::array<std::optional<Time>, 2>& last, Time next);

/// A stream of one flow, for telling whose call it is.
struct SharingStream {
  std::size_t stream = 0;      ///< index into the streams
  Way way = Way::forward;
  int dialog = -1;             ///< index of the dialog that announced it; -1: none
  std::uint32_t line = 0;      ///< StreamFacts::line
  Time first_time, last_time;
};

/// The streams of one flow, grouped by call: by line, else by dialog, else by hanging up in between.
std::vector<std::vector<SharingStream>> split_by_call(std::vector<SharingStream> streams);

}  // namespace callwitness::classify
