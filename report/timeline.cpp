#include "report/timeline.hpp"

#include <algorithm>
#include <cmath>

namespace callwitness::report {
namespace {

using Values = Timeline::Values;

/// Puts a series onto the timeline's bins: sums of per-second means for rates, the worst otherwise.
void lay(const metrics::Series& series, const Timeline& timeline, double scale, bool add, Values& into) {
  const double step = capture::seconds(series.step), offset = capture::seconds(series.start - timeline.start);
  if (step <= 0) return;
  std::vector<double> sum(into.size(), 0);
  std::vector<bool> known(into.size(), false);
  for (std::size_t i = 0; i < series.values.size(); ++i) {
    if (!series.values[i] || !std::isfinite(*series.values[i])) continue;
    const double at = (offset + static_cast<double>(i) * step) / timeline.step;
    if (at < 0 || at >= static_cast<double>(into.size())) continue;
    const auto bin = static_cast<std::size_t>(at);
    const double value = *series.values[i] * scale;
    // The last bin is as long as the call goes on.
    const double length = std::max(step, std::min(timeline.step, timeline.seconds - static_cast<double>(bin) * timeline.step));
    sum[bin] = add ? sum[bin] + value * std::min(1.0, step / length) : std::max(known[bin] ? sum[bin] : value, value);
    known[bin] = true;
  }
  for (std::size_t bin = 0; bin < into.size(); ++bin) {
    if (!known[bin]) continue;
    into[bin] = !into[bin] ? sum[bin] : add ? *into[bin] + sum[bin] : std::max(*into[bin], sum[bin]);
  }
}

}  // namespace

Timeline timeline_of(const metrics::Analysis& analysis, const classify::Call& call, std::size_t bins) {
  Timeline timeline;
  timeline.start = call.start_time;
  timeline.seconds = std::max(0.0, capture::seconds(call.end_time - call.start_time));
  timeline.step = std::max(1.0, std::ceil(timeline.seconds / static_cast<double>(std::max<std::size_t>(1, bins))));
  const auto count = std::min(bins, static_cast<std::size_t>(timeline.seconds / timeline.step) + 1);
  for (int d = 0; d < 2; ++d)
    for (auto* values : {&timeline.bitrate[d], &timeline.loss[d], &timeline.delay[d]}) values->resize(count);
  for (const auto id : call.streams) {
    if (static_cast<std::size_t>(id) >= analysis.streams.size()) continue;
    const auto& stream = analysis.streams[static_cast<std::size_t>(id)];
    const auto d = static_cast<std::size_t>(stream.direction);
    lay(stream.bitrate, timeline, 1e-3, true, timeline.bitrate[d]);
    lay(stream.loss, timeline, 100, false, timeline.loss[d]);
    lay(stream.delay, timeline, 1, false, timeline.delay[d]);
  }
  return timeline;
}

}  // namespace callwitness::report
