// How losses are spread: bursts and gaps (RFC 3611 4.7.2, Gmin 16) and the two-state Gilbert model.
#pragma once

#include "metrics/meters/sequence.hpp"

#include <cstdint>
#include <optional>
#include <span>

namespace callwitness::metrics {

struct LossPattern {
  double burst_density = 0;                 ///< share lost within bursts
  double gap_density = 0;                   ///< share lost between bursts
  std::optional<double> mean_burst_packets, mean_gap_packets;
  std::optional<double> burst_ratio;        ///< 1/(p+q): 1 random, above 1 bursty; null without loss
  double loss_after_received = 0;           ///< p
  double received_after_loss = 0;           ///< q; 0 without loss
};

/// `runs` by extended number, of a stream of `expected` packets beginning with number `first`.
LossPattern loss_pattern(std::span<const MissingRun> runs, std::int64_t first, std::uint64_t expected);

}  // namespace callwitness::metrics
