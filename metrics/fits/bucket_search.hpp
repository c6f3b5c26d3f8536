// The token bucket that explains an arm's losses best: the model, and the search over rate and depth. Pure functions.
#pragma once

#include "metrics/fits/arm.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

namespace callwitness::metrics {

inline constexpr double full_bucket = 2.5;                ///< packets of tokens at which a policer can't drop

/// What losses make of the tokens that the packets found: packets and losses by tokens over size.
struct Bins {
  static constexpr double width = 0.125;
  static constexpr std::size_t count = 33;         // the last: four packets of tokens and more
  std::array<double, count> seen{}, lost{};
  static std::size_t of(double share) { return std::min(count - 1, static_cast<std::size_t>(share / width)); }
  void add(double share, bool was_lost) {
    const auto bin = of(share);
    seen[bin] += 1;
    lost[bin] += was_lost ? 1 : 0;
  }
};

/// The share of tokens below which packets are lost that explains the losses best, and by how much (nats) over chance.
struct Threshold { double gain = 0, seen_below = 0, lost_below = 0, share = 0; };

Threshold best_threshold(const Bins& bins);

inline constexpr double unknown_tokens = -1;              ///< before the first loss, and after a silence

/// Tokens over size at each packet, re-synchronised at every loss (then the bucket held less than the packet).
std::vector<double> tokens_found(std::span<const ArmPacket> packets, double rate_bps, double depth);
Bins walk(std::span<const ArmPacket> packets, double rate_bps, double depth);

inline constexpr std::array bucket_depths = {1500.0, 3000.0, 6000.0, 12000.0, 24000.0, 48000.0, 96000.0, 192000.0};   ///< bytes

struct Bucket { double rate = 0, depth = 0, gain = -1; };

/// The bucket that explains the losses best: a coarse search over rate and depth, then finer steps around the best.
/// A rate wrong by a thousandth fills the bucket by a packet within seconds, so the last steps are small.
/// `rates`: of the between-loss intervals, bit/s. `by_depth`: the best gain of each depth.
Bucket find_bucket(std::span<const ArmPacket> packets, const std::vector<double>& rates, std::array<double, bucket_depths.size()>& by_depth);

}  // namespace callwitness::metrics
