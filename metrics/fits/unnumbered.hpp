// Losses of a stream without sequence numbers, by the phase that its sender's clock keeps. docs/methods/ceilings.md
#pragma once

#include "metrics/fits/arm.hpp"

namespace callwitness::metrics {

struct Cadence {
  double packet_time = 0;               ///< seconds; 0: arrivals keep no phase
  std::vector<std::uint32_t> missing;   ///< before each packet; empty: what the gaps mean can't be told
};

/// `media` in time order.
Cadence read_cadence(std::span<const ArmPacket> media);

}  // namespace callwitness::metrics
