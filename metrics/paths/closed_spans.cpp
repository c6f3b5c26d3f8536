#include "metrics/paths/closed_spans.hpp"

#include "metrics/contrast.hpp"

#include <algorithm>

namespace callwitness::metrics {
namespace {

constexpr double going_on = 0.5;            ///< of what came in as much time before: through an absence none would
constexpr double fewest_packets = 20;       ///< before, in all
constexpr std::size_t fewest_spans = 3;

/// When the flow's packets came, in order; its segments where it is TCP. Empty: not kept.
std::vector<double> arrivals_of(const Observation& observation, const FlowObservation& flow, Direction direction) {
  std::vector<double> times;
  const auto& record = flow.segments[static_cast<std::size_t>(direction)];
  for (const auto& segment : record.segments) times.push_back(capture::seconds(record.start - observation.first_time) + 1e-5 * segment.time);
  if (times.empty())
    for (const auto& packet : flow.trace)
      if (packet.direction == direction) times.push_back(capture::seconds(packet.time - observation.first_time));
  std::sort(times.begin(), times.end());
  return times;
}

}  // namespace

bool others_went_on(const Observation& observation, const Arm& arm, std::span<const models::Span> closed) {
  const auto* own = find_flow(observation, arm.flow);
  double usual = 0, meanwhile = 0;
  std::vector<bool> witnessed(closed.size(), false);
  for (const auto& flow : observation.flows) {
    if (own == nullptr || same_party(flow, *own)) continue;
    const auto times = arrivals_of(observation, flow, arm.direction);
    const auto within = [&](double from, double to) {
      return static_cast<double>(std::lower_bound(times.begin(), times.end(), to) - std::lower_bound(times.begin(), times.end(), from));
    };
    for (std::size_t k = 0; k < closed.size() && !times.empty(); ++k) {
      const double length = closed[k].end - closed[k].begin, before = within(closed[k].begin - length, closed[k].begin);
      if (length <= 0 || before == 0) continue;
      witnessed[k] = true;
      usual += before;
      meanwhile += within(closed[k].begin, closed[k].end);
    }
  }
  const auto spans = static_cast<std::size_t>(std::count(witnessed.begin(), witnessed.end(), true));
  return spans >= fewest_spans && usual >= fewest_packets && meanwhile >= going_on * usual;
}

}  // namespace callwitness::metrics
