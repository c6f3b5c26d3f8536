// What a receiver's jitter buffer would have thrown away: fixed 50 ms, fixed 200 ms, adaptive up to 500 ms.
#pragma once

#include <cstdint>

namespace callwitness::metrics {

class JitterBuffers {
 public:
  struct Outcome {
    bool late_50 = false, late_200 = false, late_adaptive = false;
    float adaptive_ms = 0;          ///< the depth at which the adaptive buffer played
  };
  /// `transit_s`: arrival minus media time, any constant offset. Forgets after ten seconds, as clocks drift.
  Outcome add(double now_s, double transit_s);

 private:
  static constexpr double epoch_s = 5;
  double epoch_begin_ = 0;
  double least_now_ = 0, least_before_ = 0, most_now_ = 0, most_before_ = 0;
  bool started_ = false;
};

}  // namespace callwitness::metrics
