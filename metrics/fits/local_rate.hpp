// How fast packets came where none was missing. Pure. docs/methods/policer.md
#pragma once

#include "metrics/fits/arm.hpp"

#include <optional>
#include <span>
#include <vector>

namespace callwitness::metrics {

/// The packets that came next after another near a loss (six packets, none missing in between). A queue that drops lets
/// none of them out faster than its rate; a bucket that drops doesn't space them at all.
class LosslessRuns {
 public:
  explicit LosslessRuns(std::span<const ArmPacket> packets);
  /// Bit/s; nothing: hardly any such packet, as where every second is lost.
  std::optional<double> rate() const;
  /// The share of their bytes that came in less than half the time that they take at `rate_bps`. 0: hardly any such packet.
  double in_bursts(double rate_bps) const;

 private:
  struct Step { double bytes, seconds; };
  std::vector<Step> steps_;
};

}  // namespace callwitness::metrics
