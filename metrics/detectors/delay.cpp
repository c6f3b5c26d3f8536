// D8: the smallest delay steps up and stays. docs/methods/delay.md
#include "metrics/finding_support.hpp"
#include "metrics/statistics.hpp"

#include <algorithm>

namespace callwitness::metrics {
namespace {

constexpr double least_step_ms = 100;
constexpr std::size_t least_points = 100;     ///< on either side

}  // namespace

std::vector<Finding> delay(const DetectorInput& input) {
  const auto& observation = input.observation;
  std::vector<Finding> findings;
  for (const auto& stream : observation.streams) {
    if (stream.direction != Direction::received || stream.delay.size() < 2 * least_points) continue;
    // The tenth percentile in windows of 20 points: a queue drains now and then, another path doesn't.
    std::vector<double> low;
    std::vector<Time> times;
    for (std::size_t i = 0; i + 20 <= stream.delay.size(); i += 20) {
      std::vector<double> part;
      for (std::size_t k = i; k < i + 20; ++k) part.push_back(static_cast<double>(stream.delay[k].milliseconds));
      low.push_back(quantile(std::move(part), 0.1));
      times.push_back(stream.delay[i].time);
    }
    double best = 0;
    std::size_t at = 0;
    for (std::size_t cut = least_points / 20; cut + least_points / 20 <= low.size(); ++cut) {
      const std::vector<double> left(low.begin(), low.begin() + static_cast<std::ptrdiff_t>(cut)), right(low.begin() + static_cast<std::ptrdiff_t>(cut), low.end());
      // What was, stays below; what came, stays above.
      const double step = quantile(right, 0.1) - quantile(left, 0.9);
      if (step > best) best = step, at = cut;
    }
    if (best < least_step_ms) continue;
    Finding finding;
    finding.kind = "delay_step";
    finding.direction = stream.direction;
    finding.streams.push_back(stream.id);
    const auto& told = observation.classification->streams[static_cast<std::size_t>(stream.id)];
    finding.application = told.label.application;
    if (told.call) finding.calls.push_back(*told.call);
    finding.start_time = times[at];
    finding.end_time = stream.delay.back().time;
    finding.confidence = 0.9;
    finding.numbers = {{"step_ms", best}};
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace callwitness::metrics
