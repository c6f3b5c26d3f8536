// A byte quota per fixed period: everything beyond it is dropped until the period ends. docs/methods/quota.md
#include "metrics/finding_support.hpp"
#include "metrics/fits/quota_fit.hpp"
#include "metrics/statistics.hpp"

#include <algorithm>
#include <cmath>

namespace callwitness::metrics {
namespace {

constexpr double least_loss = 0.05;          ///< a radio that leaves its channel every ten seconds takes 1-3 %
constexpr double longest_closed = 0.9;        ///< of a period: who hardly gets anything has no limit but an outage
constexpr double testable_period = 5;        ///< seconds: scans and handovers repeat like that, so that others must be seen to go on
constexpr double least_others = 0.3;         ///< of their usual rate, while the call is shut off
constexpr std::size_t least_seconds = 4;     ///< wholly within closed stretches, for that to be told
constexpr std::size_t least_witnessed = 3;   ///< closed stretches with a download before and after,
constexpr double fewest_segments = 20;       ///< of so many segments in all,
constexpr double least_going_on = 0.5;       ///< of which so many come meanwhile as before: through an outage of the line none would
constexpr double resumes_s = 1.5;            ///< after an outage TCP sends again that late

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

/// What downloads received in closed stretches, over what they had in as much time before; nothing where that can't be told.
std::optional<double> downloads_while_closed(const Observation& observation, const Arm& arm, const QuotaFit& fit) {
  const auto* own = find_flow(observation, arm.flow);
  std::size_t stretches = 0;
  double usual = 0, meanwhile = 0;   // segments
  for (const auto& flow : observation.flows) {
    const auto& record = flow.segments[static_cast<std::size_t>(arm.direction)];
    if (record.segments.empty() || own == nullptr || same_party(flow, *own)) continue;
    std::vector<double> times;
    for (const auto& segment : record.segments) times.push_back(capture::seconds(record.start - observation.first_time) + 1e-5 * segment.time);
    std::sort(times.begin(), times.end());
    const auto within = [&](double from, double to) {
      return static_cast<double>(std::lower_bound(times.begin(), times.end(), to) - std::lower_bound(times.begin(), times.end(), from));
    };
    for (const auto& closed : fit.closed) {
      const double length = closed.to - closed.from, before = within(closed.from - length, closed.from);
      if (before == 0 || within(closed.to, closed.to + std::max(length, resumes_s)) == 0) continue;
      ++stretches;
      usual += before;
      meanwhile += within(closed.from, closed.to);
    }
  }
  if (stretches < least_witnessed || usual < fewest_segments) return std::nullopt;
  return meanwhile / usual;
}

/// The periods whose bytes were the quota's: one in which others took a part of them doesn't count.
std::vector<Stretch> used_up(const QuotaFit& fit) {
  std::vector<Stretch> spans;
  for (const auto& closed : fit.closed)
    if (std::abs(closed.bytes - fit.bytes) <= fit.widest) spans.push_back({closed.to - fit.period, closed.to});
  return spans;
}

}  // namespace

std::vector<Finding> quota(const DetectorInput& input) {
  std::vector<Finding> findings;
  for (const auto& arm : input.arms) {
    if (!arm.whole_flow || arm.source != LossSource::sequence || !can_show_losses(input.observation, arm) || arm.packets.empty() ||
        came_by_two_ways(input.observation, arm))
      continue;
    const auto fit = fit_quota(arm.packets);
    if (!fit || fit->closed_s < least_loss * fit->period || fit->closed_s > longest_closed * fit->period) continue;
    if (capture_may_explain(input.earlier, fit->closed_s / fit->period)) continue;
    // What passes is short of the quota by the part of a packet that didn't fit: half of one on average.
    std::vector<double> sizes;
    for (const auto& packet : arm.packets) sizes.push_back(packet.bytes);
    const double half_packet = median(std::move(sizes)) / 2, rate = (fit->bytes + half_packet) * 8 / fit->period;
    const auto others = others_while_closed(input.observation, arm, *fit);
    const auto downloads = downloads_while_closed(input.observation, arm, *fit);
    if (downloads ? *downloads < least_going_on : !others || *others < least_others) continue;
    const auto contrast = contrast_of_quota(input.observation, arm, rate, used_up(*fit));
    if (!contrast.exceeds) continue;
    Finding finding = finding_of(input, arm, FindingKind::rate_cap, Mechanism::quota, fit->start, fit->end);
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
