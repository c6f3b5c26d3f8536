// What the classifier notes of a stream while it flows, for telling its kind and its call.
#pragma once

#include "classify/media.hpp"

#include <optional>

namespace callwitness::classify {

struct alignas(32) StreamFacts {
  Time first_time, last_time;            ///< these four with each packet: in one line of the processor's cache
  std::uint64_t packets = 0, payload_bytes = 0;
  std::uint32_t slot = 0;                ///< of its flow
  std::uint32_t line = 0;                ///< the same in both ways of one call of several in a five-tuple; 0: the flow's one call
  std::optional<Time> goodbye;           ///< its call was ended then
  // RTP only:
  std::uint64_t markers = 0, same_timestamp = 0, advances = 0, ticks = 0;
  std::uint32_t last_timestamp = 0;
  std::uint32_t missing = 0;                               ///< numbers that never came
  std::uint32_t weighed = 0, repeats = 0, later = 0, repeated = 0;   ///< as RtpTrack has them
};

}  // namespace callwitness::classify
