// What a receiver says it lost of a stream (RTCP report blocks, RFC 3550 6.4.1): the peer's claim, held against what was sent.
#pragma once

#include "classify/media.hpp"

#include <optional>
#include <span>

namespace callwitness::metrics {

struct ReportedLoss {
  std::uint64_t lost = 0, expected = 0;      ///< between the first and the last usable report
  std::size_t reports = 0;
  capture::Time first, last;
  double ratio() const { return expected == 0 ? 0 : static_cast<double>(lost) / static_cast<double>(expected); }
};

/// None: fewer than three reports, or counts that the stream's own `packets` contradict (another stream's, or made up).
std::optional<ReportedLoss> reported_loss(std::span<const classify::ReceiverReport> reports, std::uint64_t packets);

}  // namespace callwitness::metrics
