#include "metrics/meters/jitter_buffer.hpp"

#include <algorithm>

namespace callwitness::metrics {

namespace {
constexpr double least_depth_s = 0.02, most_depth_s = 0.5, adaptive_margin = 1.1;
}

JitterBuffers::Outcome JitterBuffers::add(double now_s, double transit_s) {
  if (!started_ || now_s < epoch_begin_ || now_s >= epoch_begin_ + 2 * epoch_s) {
    started_ = true;                // the first packet, or the first after silence: the buffer starts anew
    epoch_begin_ = now_s;
    least_now_ = least_before_ = most_now_ = most_before_ = transit_s;
  } else if (now_s >= epoch_begin_ + epoch_s) {
    epoch_begin_ += epoch_s;
    least_before_ = least_now_;
    most_before_ = most_now_;
    least_now_ = most_now_ = transit_s;
  }
  const double base = std::min({least_now_, least_before_, transit_s});
  const double depth = std::clamp(adaptive_margin * (std::max(most_now_, most_before_) - base), least_depth_s, most_depth_s);
  const double above = transit_s - base;
  Outcome outcome{above > 0.05, above > 0.2, above > depth, static_cast<float>(1e3 * depth)};
  least_now_ = std::min(least_now_, transit_s);
  most_now_ = std::max(most_now_, transit_s);
  return outcome;
}

}  // namespace callwitness::metrics
