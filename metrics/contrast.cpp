#include "metrics/contrast.hpp"

#include <algorithm>
#include <cmath>

namespace callwitness::metrics {
namespace {

constexpr double clear_excess = 1.7;       ///< a line that held packets back 400 ms shows at most 1.4 times its rate in a second
constexpr double excess_if_suffering = 3;  ///< TCP that loses a lot itself must be far above the cap
constexpr double suffering_retransmissions = 0.05;
constexpr double least_call_in_busy = 0.75;  ///< on a shared line the call shrinks when others take their part
constexpr double most_loss_in_busy = 3;

const capture::IpAddress& remote_address(const FlowObservation& flow) {
  return flow.forward == Direction::sent ? flow.flow.five_tuple.destination.address : flow.flow.five_tuple.source.address;
}

}  // namespace

bool same_party(const FlowObservation& flow, const FlowObservation& of) {
  if (flow.flow.id == of.flow.id || (flow.call && flow.call == of.call)) return true;
  if (!of.flow.label.application.empty() && flow.flow.label.application == of.flow.label.application) return true;
  return remote_address(flow) == remote_address(of);
}

const FlowObservation* find_flow(const Observation& observation, FlowId id) {
  for (const auto& flow : observation.flows)
    if (flow.flow.id == id) return &flow;
  return nullptr;
}

Contrast contrast_of(const Observation& observation, const Arm& arm, double cap_bps, double from, double to) {
  Contrast contrast;
  const auto* own = find_flow(observation, arm.flow);
  if (own == nullptr || to <= from) return contrast;
  const auto first = static_cast<std::int64_t>(std::floor(from)), last = static_cast<std::int64_t>(std::ceil(to));
  const auto size = static_cast<std::size_t>(std::max<std::int64_t>(1, last - first));
  std::vector<double> others(size, 0), call(size, 0), lost(size, 0), seen(size, 0);
  double retransmitted = 0, segments = 0;
  const auto way = static_cast<std::size_t>(arm.direction);
  for (const auto& flow : observation.flows) {
    if (same_party(flow, *own)) continue;
    const auto& series = arm.direction == Direction::received ? flow.bytes.received : flow.bytes.sent;
    const auto offset = std::llround(capture::seconds(flow.bytes.start - observation.first_time)) - first;
    for (std::size_t i = 0; i < series.size(); ++i) {
      const std::int64_t at = static_cast<std::int64_t>(i) + offset;
      if (at >= 0 && at < static_cast<std::int64_t>(size)) others[static_cast<std::size_t>(at)] += 8.0 * series[i];
    }
    if (flow.tcp) {
      retransmitted += static_cast<double>(flow.tcp->retransmissions[way]);
      segments += static_cast<double>(flow.tcp->segments[way]);
    }
  }
  for (const auto& packet : arm.packets) {
    if (packet.time < from || packet.time >= to) continue;
    const auto at = std::min(size - 1, static_cast<std::size_t>(packet.time - static_cast<double>(first)));
    (packet.lost ? lost : call)[at] += packet.lost ? 1 : 8 * packet.bytes;
    seen[at] += 1;
  }
  contrast.suffers = segments > 200 && retransmitted > suffering_retransmissions * segments;
  const double excess = contrast.suffers ? excess_if_suffering : clear_excess;
  double busy_call = 0, quiet_call = 0, busy_lost = 0, quiet_lost = 0, busy_seen = 0, quiet_seen = 0;
  std::size_t quiet = 0;
  for (std::size_t i = 0; i < size; ++i) {
    if (others[i] > 0) contrast.present = true;
    const bool busy = others[i] >= excess * cap_bps;
    (busy ? busy_call : quiet_call) += call[i];
    (busy ? busy_lost : quiet_lost) += lost[i];
    (busy ? busy_seen : quiet_seen) += seen[i];
    ++(busy ? contrast.busy_seconds : quiet);
  }
  std::vector<double> sorted = others;
  std::sort(sorted.rbegin(), sorted.rend());
  const std::size_t best = std::min<std::size_t>(3, sorted.size());
  for (std::size_t i = 0; i < best; ++i) contrast.peak_bps += sorted[i] / static_cast<double>(best);
  if (contrast.busy_seconds > 0 && quiet > 0 && quiet_call > 0)
    contrast.call_in_busy = (busy_call / static_cast<double>(contrast.busy_seconds)) / (quiet_call / static_cast<double>(quiet));
  constexpr double telling_losses = 10;
  if (busy_lost >= telling_losses && quiet_seen > 0)
    contrast.loss_in_busy = (busy_lost / busy_seen) / ((quiet_lost + 1) / (quiet_seen + 1));
  contrast.exceeds = contrast.busy_seconds >= 2 && contrast.call_in_busy >= least_call_in_busy && contrast.loss_in_busy <= most_loss_in_busy;
  return contrast;
}

}  // namespace callwitness::metrics
