// What fuzzing begins with, made of the project's own captures, in the format that a target reads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace callwitness::fuzz {

using Input = std::vector<std::uint8_t>;

/// `file`: a capture's own bytes, compressed or not. `frames`: link type, then frames after their length.
/// `datagrams`: see datagrams.hpp. `payloads`: one datagram's payload. `bundles`: see bundle_fuzz.cpp.
/// `exchanges`: messages of H.323, MGCP and Skinny.
enum class Seeds : std::uint8_t { file, frames, datagrams, payloads, bundles, exchanges };

/// Every target says which it wants.
extern const Seeds wanted_seeds;

/// What a bundle is read from, and what telephones' exchanges say; neither needs captures.
std::vector<Input> bundle_seeds();
std::vector<Input> exchange_seeds();

/// Of all captures below `directory` (missing: only made-up ones), none longer than `longest`.
std::vector<Input> seeds_of(const std::string& directory, Seeds kind, std::size_t longest);

}  // namespace callwitness::fuzz
