#include "metrics/scope/controls.hpp"

#include "metrics/contrast_bounds.hpp"
#include "metrics/statistics.hpp"

#include <algorithm>
#include <cmath>

namespace callwitness::metrics {
namespace {

constexpr double spared_chance = 1e-4;     ///< that controls lose so little where they meet what the call meets
constexpr double spared_ratio = 1.0 / 3;   ///< of the call's loss ratio, at most
constexpr double alike_ratio = 0.5;        ///< of the call's loss ratio, at least
constexpr double fewest_alike = 10;        ///< lost packets of controls
constexpr double fewest_controls = 20;     ///< packets of controls

/// Per second since `first`: packets due and lost, bits that passed.
struct PerSecond {
  std::vector<double> seen, lost, bits;
  explicit PerSecond(std::size_t seconds) : seen(seconds), lost(seconds), bits(seconds) {}
};

void add_arm(const Arm& arm, double first, PerSecond& to) {
  for (const auto& packet : arm.packets) {
    const double at = std::floor(packet.time - first);
    if (at < 0 || at >= static_cast<double>(to.seen.size())) continue;
    to.seen[static_cast<std::size_t>(at)] += 1;
    to.lost[static_cast<std::size_t>(at)] += packet.lost ? 1 : 0;
    to.bits[static_cast<std::size_t>(at)] += packet.lost ? 0 : 8 * packet.bytes;
  }
}

/// Segments by their share of the connection's bytes, losses where they were sent again.
void add_tcp(const Observation& observation, const FlowObservation& flow, Direction direction, double first, PerSecond& to) {
  const auto way = static_cast<std::size_t>(direction);
  const auto& series = direction == Direction::received ? flow.bytes.received : flow.bytes.sent;
  double bytes = 0;
  for (const auto value : series) bytes += value;
  if (bytes <= 0 || flow.tcp->segments[way] == 0) return;
  const double size = static_cast<double>(to.seen.size()), start = capture::seconds(flow.bytes.start - observation.first_time);
  for (std::size_t i = 0; i < series.size(); ++i) {
    const double at = std::floor(start + static_cast<double>(i) - first);
    if (at < 0 || at >= size) continue;
    to.seen[static_cast<std::size_t>(at)] += static_cast<double>(flow.tcp->segments[way]) * series[i] / bytes;
    to.bits[static_cast<std::size_t>(at)] += 8.0 * series[i];
  }
  // Where a connection starves, what was lost isn't even sent again while the capture runs.
  const double each = static_cast<double>(flow.tcp->payload_bytes[way]) / static_cast<double>(flow.tcp->segments[way]);
  const double missing = each > 0 ? static_cast<double>(flow.tcp->missing_bytes[way]) / each : 0;
  for (std::size_t i = 0; i < series.size() && missing > 0; ++i) {
    const double at = std::floor(start + static_cast<double>(i) - first), lost = missing * series[i] / bytes;
    if (at < 0 || at >= size) continue;
    to.seen[static_cast<std::size_t>(at)] += lost;
    to.lost[static_cast<std::size_t>(at)] += lost;
  }
  for (const auto& loss : flow.tcp->losses) {
    const double at = std::floor(capture::seconds(loss.time - observation.first_time) - first);
    if (loss.direction == direction && at >= 0 && at < size) to.lost[static_cast<std::size_t>(at)] += 1;
  }
}

}  // namespace

LossesBeside losses_beside(const Observation& observation, std::span<const Arm> arms, const Arm& arm, double from, double to, double most_bps) {
  LossesBeside beside;
  const auto* own = find_flow(observation, arm.flow);
  if (own == nullptr || !(to > from) || to - from > longest_contrast_s) return beside;
  const double first = std::floor(from);
  const auto seconds = static_cast<std::size_t>(std::ceil(to) - first) + 1;
  PerSecond call(seconds), controls(seconds);
  add_arm(arm, first, call);
  for (const auto& other : arms) {
    if (!other.whole_flow || other.source != LossSource::sequence || other.direction != arm.direction) continue;
    const auto* flow = find_flow(observation, other.flow);
    if (flow != nullptr && is_control(*flow, *own)) add_arm(other, first, controls);
  }
  for (const auto& flow : observation.flows)
    if (flow.tcp && is_control(flow, *own)) add_tcp(observation, flow, arm.direction, first, controls);
  for (std::size_t i = 0; i < seconds; ++i) {
    beside.peak_bps = std::max(beside.peak_bps, call.bits[i] + controls.bits[i]);
    if (call.seen[i] <= 0 || controls.seen[i] <= 0 || controls.bits[i] > most_bps) continue;
    beside.call.seen += call.seen[i], beside.call.lost += call.lost[i];
    beside.controls.seen += controls.seen[i], beside.controls.lost += controls.lost[i];
    if (call.lost[i] <= 0) continue;
    beside.call_losing.seen += call.seen[i], beside.call_losing.lost += call.lost[i];
    beside.controls_losing.seen += controls.seen[i], beside.controls_losing.lost += controls.lost[i];
  }
  return beside;
}

bool are_spared(const LossesBeside& beside) {
  if (beside.controls.seen < fewest_controls) return false;
  // The worse of all their seconds and of those in which the call lost: a radio that fades takes from both then.
  const double worst = std::max(beside.controls.ratio(), beside.controls_losing.ratio());
  if (worst > spared_ratio * beside.call.ratio()) return false;
  const auto whole = [](double count) { return static_cast<std::size_t>(std::llround(std::max(0.0, count))); };
  return fisher_p(whole(beside.call.lost), whole(beside.call.seen), whole(beside.call.lost + beside.controls.lost), whole(beside.call.seen + beside.controls.seen)) <= spared_chance;
}

bool suffer_alike(const LossesBeside& beside) {
  return beside.controls.lost >= fewest_alike && beside.controls.ratio() >= alike_ratio * beside.call.ratio();
}

}  // namespace callwitness::metrics
