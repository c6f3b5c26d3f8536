// Interarrival jitter, RFC 3550 6.4.1 and A.8, in floating point: every packet in order of arrival, repeats and late
// ones included, as a receiver does.
#pragma once

#include "capture/time.hpp"

#include <cmath>
#include <cstdint>
#include <optional>

namespace callwitness::metrics {

class JitterMeter {
 public:
  /// A step of the transit time beyond this is a new timestamp base or a stepped clock, not jitter.
  static constexpr double discontinuity_s = 10;
  /// Packets of one stream come in the order of their times, but for a card's queues, within milliseconds: times that run
  /// back further are those of a clock that was set.
  static constexpr double set_back_s = 0.1;

  /// `media_seconds`: media time since the packet before. Returns false at a discontinuity, which counts for nothing.
  bool add(double arrival_seconds, double media_seconds) {
    const double difference = std::abs(arrival_seconds - media_seconds);
    if (difference > discontinuity_s || arrival_seconds < -set_back_s) return false;
    estimate_ += (difference - estimate_) / 16;
    sum_ += estimate_;
    if (estimate_ > maximum_) maximum_ = estimate_;
    ++count_;
    return true;
  }
  double latest_ms() const { return 1e3 * estimate_; }
  std::optional<double> mean_ms() const {
    return count_ == 0 ? std::nullopt : std::optional(1e3 * sum_ / static_cast<double>(count_));
  }
  std::optional<double> maximum_ms() const { return count_ == 0 ? std::nullopt : std::optional(1e3 * maximum_); }

 private:
  double estimate_ = 0, sum_ = 0, maximum_ = 0;
  std::uint64_t count_ = 0;
};

}  // namespace callwitness::metrics
