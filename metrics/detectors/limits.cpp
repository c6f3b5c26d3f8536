// Rate limits of paths whose packets are numbered: policer, queue or quota, whoever else suffers. docs/methods/limits.md
#include "metrics/finding_support.hpp"
#include "metrics/paths/closed_spans.hpp"
#include "metrics/paths/limited_paths.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace callwitness::metrics {
namespace {

using models::Limit;
using models::LimitKind;

constexpr double most_validated = 3;         ///< log10: with no innocent told among thousands, more would not be honest
constexpr std::size_t most_packets = 200;    ///< that show it

Mechanism mechanism_of(LimitKind kind) {
  switch (kind) {
    case LimitKind::policer: return Mechanism::policer;
    case LimitKind::queue: return Mechanism::shaper;
    case LimitKind::quota: return Mechanism::quota;
    case LimitKind::unsteady: return Mechanism::none;
  }
  return Mechanism::none;
}

template <class Values>
void add_new(Values& to, const typename Values::value_type& value) {
  if (std::find(to.begin(), to.end(), value) == to.end()) to.push_back(value);
}

/// Several calls' names are one only where they agree.
void name_all(const DetectorInput& input, const LimitedPath& path, Finding& finding) {
  for (const auto* arm : path.arms) {
    if (arm->call) add_new(finding.calls, *arm->call);
    for (const auto stream : arm->streams) add_new(finding.streams, stream);
    add_new(finding.flows, arm->flow);
    const auto* flow = find_flow(input.observation, arm->flow);
    if (flow != nullptr && application_of(input.observation, *flow) != finding.application) finding.application = {};
  }
}

void add_numbers(const LimitedPath& path, Finding& finding) {
  const Limit& limit = path.limit;
  double span = 0;
  for (const auto& bound : limit.bound) span += bound.end - bound.begin;
  finding.numbers = {{"losses", static_cast<double>(limit.losses)}, {"packets", static_cast<double>(limit.packets)},
                     {"loss_ratio", limit.packets == 0 ? 0 : static_cast<double>(limit.losses) / static_cast<double>(limit.packets)},
                     {"margin_nats", limit.cause.margin}, {"gain_nats", limit.cause.gain}, {"explained_share", limit.cause.share},
                     {"delay_p95_ms", 1000 * limit.queue.delay_p95}, {"bound_s", span}, {"paths", static_cast<double>(path.arms.size())},
                     {"whole_flow", path.arms.front()->whole_flow ? 1.0 : 0.0}};
  if (limit.depth_high > 0) {
    finding.burst_bytes = (limit.depth_low + limit.depth_high) / 2;
    finding.numbers["burst_low_bytes"] = limit.depth_low;
    finding.numbers["burst_high_bytes"] = limit.depth_high;
  }
  if (limit.kind == LimitKind::queue) finding.numbers["queue_standing"] = limit.queue.standing, finding.numbers["queue_nats_each"] = limit.queue.gain_each();
  if (limit.kind == LimitKind::quota) {
    finding.period_s = limit.period;
    finding.numbers["quota_period_s"] = limit.period;
    finding.numbers["quota_bytes"] = limit.period_bytes;
    finding.numbers["periods_used_up"] = static_cast<double>(limit.quota.used_up);
  }
}

Finding tell(const DetectorInput& input, const LimitedPath& path) {
  const Limit& limit = path.limit;
  const Arm& arm = *path.arms.front();
  Finding finding = finding_of(input, arm, FindingKind::rate_cap, mechanism_of(limit.kind), limit.start, limit.end);
  name_all(input, path, finding);
  finding.rate_bps = 8 * limit.rate, finding.rate_bps_low = 8 * limit.rate_low, finding.rate_bps_high = 8 * limit.rate_high;
  add_numbers(path, finding);
  const double log10_ratio = limit.nats / std::numbers::ln10;
  finding.numbers["log10_likelihood_ratio"] = log10_ratio;
  finding.strength = Strength{std::min(most_validated, log10_ratio), limit.kind == LimitKind::queue ? "congestion" : "wifi"};
  finding.confidence = 1 - std::pow(10, -finding.strength->log10_likelihood_ratio);
  // Constant packets can't tell a quota from a radio that is away at the same moments of each period.
  if (limit.kind == LimitKind::quota && limit.or_absence) finding.numbers["or_absence"] = 1;
  for (const auto& bound : limit.bound) finding.limited.push_back({bound.begin, bound.end});
  for (std::size_t i = 1; i < arm.packets.size() && finding.packets.size() < most_packets; ++i)
    if (arm.packets[i - 1].lost && !arm.packets[i].lost && arm.packets[i].time >= limit.start) finding.packets.push_back(arm.packets[i].ordinal);
  finding.alternatives = alternatives_of_cap(limit.kind != LimitKind::queue, !capture_may_explain(input.earlier, finding.numbers["loss_ratio"]));
  if (finding.numbers.contains("or_absence")) finding.alternatives.front() = {"wifi", AlternativeStatus::not_ruled_out, "radio_absent_each_period", {}};
  return finding;
}

}  // namespace

std::vector<Finding> limits(const DetectorInput& input) {
  std::vector<Finding> findings;
  for (const auto& path : limited_paths(input.observation, input.arms)) {
    const auto& limit = path.limit;
    // Packets of one size can't tell a quota from an absence of the radio; what others did in the meantime can.
    if (limit.or_absence && !others_went_on(input.observation, *path.arms.front(), limit.bound)) continue;
    // A capture that misses packets, by the buffer, is a bucket of its own.
    if (limit.packets > 0 && capture_may_explain(input.earlier, static_cast<double>(limit.losses) / static_cast<double>(limit.packets))) continue;
    findings.push_back(tell(input, path));
  }
  return findings;
}

}  // namespace callwitness::metrics
