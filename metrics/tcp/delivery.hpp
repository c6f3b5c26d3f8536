// How a TCP connection delivered: what had to be sent again, and how long the application waited for what was due.
#pragma once

#include "metrics/observation.hpp"

#include <optional>

namespace callwitness::metrics {

struct TcpDelivery {
  std::size_t segments = 0, lost = 0;   ///< lost: sent again, or missing for longer than reordering
  double seconds = 0;
  double stalled = 0, longest = 0;      ///< seconds without anything new in order, though it all came at once then
  std::size_t stalls = 0;
  double loss_ratio() const { return segments == 0 ? 0 : static_cast<double>(lost) / static_cast<double>(segments); }
  double stalled_ratio() const { return seconds > 0 ? stalled / seconds : 0; }
};

TcpDelivery delivery_of(const SegmentRecord& record, std::optional<Duration> round_trip);

}  // namespace callwitness::metrics
