#include "metrics/meters/clock.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace callwitness::metrics {

namespace {
constexpr std::array<std::uint32_t, 8> usual_rates{1'000, 8'000, 16'000, 24'000, 32'000, 44'100, 48'000, 90'000};
constexpr double longest_step_s = 60;
constexpr std::int32_t longest_step_ticks = 90'000 * 60;
// A queue that fills stretches time: 48,000 looks like one of these, rarer ones. Once it is full it doesn't: the later half
// of what came tells. Where steps are whole frames of 48,000 (2.5 ms, RFC 6716), the rarer wants far better evidence, too.
constexpr std::array<std::uint32_t, 3> rare_rates{24'000, 32'000, 44'100};
constexpr std::int32_t common_frame = 120;
constexpr std::size_t least_steps = 4, telling_steps = 100;
constexpr double much_better = 10, much_longer = 4, nearly_all = 0.9;

/// What timestamps and arrivals advanced by, over some packets.
struct Pace {
  double elapsed_s = 0, ticks = 0;
  std::size_t steps = 0, common_frames = 0;
};

Pace pace_of(std::span<const TimedPacket> packets) {
  Pace pace;
  for (std::size_t i = 1; i < packets.size(); ++i) {
    const double step = capture::seconds(packets[i].time - packets[i - 1].time);
    const auto advance = static_cast<std::int32_t>(packets[i].media_time - packets[i - 1].media_time);
    if (step < 0 || step > longest_step_s || advance > longest_step_ticks || advance < -longest_step_ticks) continue;
    pace.elapsed_s += step;
    pace.ticks += advance;
    pace.steps += advance != 0;
    pace.common_frames += advance != 0 && advance % common_frame == 0;
  }
  return pace;
}

}  // namespace

double pace_of_clock(std::span<const TimedPacket> packets) {
  const Pace pace = pace_of(packets);
  return pace.elapsed_s > 0 ? pace.ticks / pace.elapsed_s : 0;
}

std::uint32_t infer_clock_rate(std::span<const TimedPacket> packets, double tolerance, double least_span_s) {
  const Pace whole = pace_of(packets), later = pace_of(packets.subspan(packets.size() / 2));
  if (whole.elapsed_s < least_span_s || whole.steps < least_steps) return 0;
  const Pace& telling = later.steps >= telling_steps ? later : whole;
  const double rate = telling.ticks / telling.elapsed_s;
  const bool looks_common = static_cast<double>(whole.common_frames) >= nearly_all * static_cast<double>(whole.steps);
  std::uint32_t best = 0;
  double least = tolerance;
  for (const auto usual : usual_rates) {
    const double distance = std::abs(rate / usual - 1);
    const bool rare = std::find(rare_rates.begin(), rare_rates.end(), usual) != rare_rates.end();
    if (rare && looks_common && (distance > tolerance / much_better || whole.elapsed_s < much_longer * least_span_s)) continue;
    if (distance <= least) {
      least = distance;
      best = usual;
    }
  }
  return best;
}

}  // namespace callwitness::metrics
