// A path: what was sent one way over one flow (or several together), with what was lost put back where it belongs. All that the
// models read; a plain value, so that they can be tested without captures.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace callwitness::metrics::models {

inline constexpr double unknown_time = std::numeric_limits<double>::quiet_NaN();

struct PathPacket {
  double arrival = 0;             ///< seconds; of a lost packet: when it would have come
  double sent = unknown_time;     ///< seconds on the same axis, by the sender's media clock, least delay taken as 0; NaN: unknown
  float bytes = 0;                ///< at the IP layer
  std::uint32_t ordinal = 0;      ///< in the capture; of a lost packet: of the one before it in its stream
  std::uint16_t stream = 0;       ///< packets of one stream share it
  bool lost = false;
  bool numbered = true;           ///< its loss would show: evidence. What isn't still uses up tokens and queues
  bool is_sent_known() const { return !std::isnan(sent); }
};

struct Path {
  std::vector<PathPacket> packets;   ///< by arrival
};

struct Span { double begin = 0, end = 0; };   ///< seconds

}  // namespace callwitness::metrics::models
