// A byte quota per fixed period: everything beyond it is dropped until the period ends. docs/methods/quota.md
#include "metrics/finding_support.hpp"
#include "metrics/fits/quota_fit.hpp"
#include "metrics/statistics.hpp"

#include <algorithm>
#include <cmath>

namespace callwitness::metrics {
namespace {

constexpr double least_loss = 0.05;          ///< a radio that leaves its channel every ten seconds takes 1-3 %
constexpr double testable_period = 5;        ///< seconds: scans and handovers repeat like that, so that others must be seen to go on
constexpr double least_others = 0.3;         ///< of their usual rate, while the call is shut off
constexpr std::size_t least_seconds = 4;     ///< wholly within closed stretches, for that to be told

/// What others received while the call was shut off, over what they received else; nothing where that can't be told.
std::optional<double> others_while_closed(const Observation& observation, const Arm& arm, const QuotaFit& fit) {
  const auto* own = find_flow(observation, arm.flow);
  double closed = 0, open = 0;
  std::size_t closed_seconds = 0, open_seconds = 0;
  for (double second = std::ceil(fit.start); second + 1 <= fit.end; second += 1) {
    const bool inside = std::any_of(fit.closed.begin(), fit.closed.end(), [&](const QuotaFit::Closed& c) { return c.from <= second && second + 1 <= c.to; });
    const bool outside = std::none_of(fit.closed.begin(), fit.closed.end(), [&](const QuotaFit::Closed& c) { return c.from < second + 1 && second < c.to; });
    if (!inside && !outside) continue;
    double bytes = 0;
    for (const auto& flow : observation.flows) {
      if (own == nullptr || same_party(flow, *own)) continue;
      const auto& series = arm.direction == Direction::received ? flow.bytes.received : flow.bytes.sent;
      const double at = second - std::round(capture::seconds(flow.bytes.start - observation.first_time));
      if (at >= 0 && at < static_cast<double>(series.size())) bytes += series[static_cast<std::size_t>(at)];
    }
    (inside ? closed : open) += bytes;
    ++(inside ? closed_seconds : open_seconds);
  }
  if (closed_seconds < least_seconds || open_seconds < least_seconds || open <= 0) return std::nullopt;
  return (closed / static_cast<double>(closed_seconds)) / (open / static_cast<double>(open_seconds));
}

}  // namespace

std::vector<Finding> quota(const DetectorInput& input) {
  std::vector<Finding> findings;
  for (const auto& arm : input.arms) {
    if (!arm.whole_flow || arm.source != LossSource::sequence || !can_show_losses(input.observation, arm) || arm.packets.empty()) continue;
    if (std::any_of(input.earlier.begin(), input.earlier.end(), [&](const Finding& f) {
          return f.kind == "rate_cap" && std::find(f.flows.begin(), f.flows.end(), arm.flow) != f.flows.end();
        }))
      continue;
    const auto fit = fit_quota(arm.packets);
    if (!fit || fit->closed_s < least_loss * fit->period) continue;
    if (capture_may_explain(input.earlier, fit->closed_s / fit->period)) continue;
    // What passes is short of the quota by the part of a packet that didn't fit: half of one on average.
    std::vector<double> sizes;
    for (const auto& packet : arm.packets) sizes.push_back(packet.bytes);
    const double half_packet = median(std::move(sizes)) / 2, rate = (fit->bytes + half_packet) * 8 / fit->period;
    const auto others = others_while_closed(input.observation, arm, *fit);
    if (fit->period >= testable_period ? !others || *others < least_others : others && *others < least_others) continue;
    const auto contrast = contrast_of(input.observation, arm, rate, fit->start, fit->end);
    if (!contrast.exceeds) continue;
    Finding finding = finding_of(input, arm, "rate_cap", "quota", fit->start, fit->end);
    finding.rate_bps = rate;
    const double half = std::max(half_packet / (fit->bytes + half_packet), 2 * fit->bytes_spread / std::sqrt(static_cast<double>(fit->used_up))) * rate;
    finding.rate_bps_low = rate - half;
    finding.rate_bps_high = rate + half;
    finding.confidence = 0.99;
    finding.numbers = {{"losses", static_cast<double>(fit->losses)}, {"quota_period_s", fit->period}, {"quota_bytes", fit->bytes},
                       {"periods_used_up", static_cast<double>(fit->used_up)}, {"periods", static_cast<double>(fit->periods)}, {"spread", fit->bytes_spread},
                       {"contrast", 1.0}};
    finding.alternatives = alternatives_of_cap(contrast, true, true);
    merge_cap(findings, std::move(finding));
  }
  return findings;
}

}  // namespace callwitness::metrics
