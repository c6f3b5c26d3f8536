#include "metrics/meters/clock.hpp"

#include <array>
#include <cmath>

namespace callwitness::metrics {

namespace {
constexpr std::array<std::uint32_t, 8> usual_rates{1'000, 8'000, 16'000, 24'000, 32'000, 44'100, 48'000, 90'000};
constexpr double longest_step_s = 60;
constexpr std::int32_t longest_step_ticks = 90'000 * 60;
}  // namespace

std::uint32_t infer_clock_rate(std::span<const TimedPacket> packets, double tolerance, double least_span_s) {
  double elapsed = 0, ticks = 0;
  std::size_t steps = 0;
  for (std::size_t i = 1; i < packets.size(); ++i) {
    const double step = capture::seconds(packets[i].time - packets[i - 1].time);
    const auto advance = static_cast<std::int32_t>(packets[i].media_time - packets[i - 1].media_time);
    if (step < 0 || step > longest_step_s || advance > longest_step_ticks || advance < -longest_step_ticks) continue;
    elapsed += step;
    ticks += advance;
    steps += advance != 0;
  }
  if (elapsed < least_span_s || steps < 4) return 0;
  const double rate = ticks / elapsed;
  std::uint32_t best = 0;
  double least = tolerance;
  for (const auto usual : usual_rates) {
    const double distance = std::abs(rate / usual - 1);
    if (distance <= least) {
      least = distance;
      best = usual;
    }
  }
  return best;
}

}  // namespace callwitness::metrics
