#include "metrics/fits/keepalives.hpp"

#include "metrics/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace callwitness::metrics {
namespace {

constexpr std::size_t fewest = 6;           ///< packets of a size
constexpr double rarest_voice = 2;          ///< seconds between them: voice comes more often
constexpr double leeway = 0.05;             ///< of the interval
constexpr double share_on_beat = 0.7;       ///< of the gaps; the rest are of what was lost or came beside it

/// The interval that most of them keep; nothing where they keep none.
std::optional<double> beat_of(const std::vector<double>& times) {
  if (times.size() < fewest) return std::nullopt;
  std::vector<double> gaps;
  for (std::size_t i = 1; i < times.size(); ++i) gaps.push_back(times[i] - times[i - 1]);
  const double beat = quantile(gaps, 0.5);
  const auto on_beat = std::count_if(gaps.begin(), gaps.end(), [&](double gap) { return std::abs(gap - beat) <= leeway * beat; });
  if (beat < rarest_voice || static_cast<double>(on_beat) < share_on_beat * static_cast<double>(gaps.size())) return std::nullopt;
  return beat;
}

}  // namespace

bool keepalive_missed(const FlowObservation& flow, Time from, Time to) {
  std::map<std::uint32_t, std::vector<double>> by_size;
  for (const auto& packet : flow.trace)
    if (packet.direction == Direction::received && !packet.is_pure_ack) by_size[packet.ip_bytes].push_back(capture::seconds(packet.time - from));
  const double silence = capture::seconds(to - from);
  return std::any_of(by_size.begin(), by_size.end(), [&](const auto& entry) {
    const auto& times = entry.second;
    const auto beat = beat_of(times);
    const auto next = std::upper_bound(times.begin(), times.end(), 0.0);
    if (!beat || next == times.begin() || next == times.end()) return false;
    const double before = *(next - 1), gap = *next - before, beats = std::round(gap / *beat), due = before + *beat;
    return beats >= 2 && std::abs(gap - beats * *beat) <= leeway * *beat && due > leeway * *beat && due < silence - leeway * *beat;
  });
}

}  // namespace callwitness::metrics
