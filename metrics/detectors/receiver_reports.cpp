// A cap on what we send, by what the peer's RTCP reports say of it. docs/methods/receiver_reports.md
#include "metrics/finding_support.hpp"
#include "metrics/statistics.hpp"

#include <algorithm>
#include <cmath>

namespace callwitness::metrics {
namespace {

constexpr std::size_t least_reports = 8;
constexpr double least_loss = 0.03;
constexpr double largest_p = 1e-4;           ///< of losses as even as these by chance
constexpr double widest_spread = 0.05;
constexpr double queue_ms = 100;             ///< 90th percentile of the round trips above the 5th
constexpr double lowest_line_bps = 100'000;

/// The call's round trips rise while we send: a line's own queue, which drops as evenly.
bool queue_before(const Observation& observation, const Arm& arm) {
  const auto* flow = find_flow(observation, arm.flow);
  if (flow == nullptr || flow->round_trips.size() < 4) return false;
  std::vector<double> trips;
  for (const auto& trip : flow->round_trips) trips.push_back(capture::milliseconds(trip.round_trip));
  return quantile(trips, 0.9) - quantile(trips, 0.05) >= queue_ms;
}

}  // namespace

std::vector<Finding> receiver_reports(const DetectorInput& input) {
  std::vector<Finding> findings;
  const auto& observation = input.observation;
  for (const auto& arm : input.arms) {
    if (arm.direction != Direction::sent || arm.streams.size() != 1 || !observation.local_known) continue;
    const auto id = arm.streams.front();
    if (static_cast<std::size_t>(id) >= observation.streams.size()) continue;
    const auto& reports = observation.streams[static_cast<std::size_t>(id)].reports;
    std::vector<double> delivered;
    double dispersion = 0, total_lost = 0, total_expected = 0;
    std::vector<std::pair<double, double>> counts;
    double start = 0, end = 0;
    for (std::size_t i = 1; i < reports.size(); ++i) {
      const double expected = static_cast<double>(reports[i].highest_sequence - reports[i - 1].highest_sequence);
      const double lost = reports[i].cumulative_lost - reports[i - 1].cumulative_lost;
      const double from = capture::seconds(reports[i - 1].time - observation.first_time), to = capture::seconds(reports[i].time - observation.first_time);
      if (expected < 20 || expected > 5000 || lost < 0 || lost > expected || to - from < 1) continue;
      double offered = 0;
      for (const auto& packet : arm.packets)
        if (packet.time >= from && packet.time < to) offered += packet.bytes;
      if (counts.empty() && lost / expected < 0.5 * least_loss) continue;   // before it began
      if (counts.empty()) start = from;
      end = to;
      counts.emplace_back(lost, expected);
      delivered.push_back(offered * (1 - lost / expected) * 8 / (to - from));
      total_lost += lost;
      total_expected += expected;
    }
    if (counts.size() < least_reports || total_lost < least_loss * total_expected) continue;
    const double p = total_lost / total_expected;
    for (const auto& [lost, expected] : counts) dispersion += (lost - p * expected) * (lost - p * expected) / (expected * p * (1 - p));
    // A policer on steady traffic takes nearly the same number each time; chance doesn't.
    const double evenness = chi_squared_cdf(dispersion, static_cast<double>(counts.size() - 1));
    if (evenness > largest_p || relative_spread(delivered) > widest_spread) continue;
    if (queue_before(observation, arm)) continue;
    const double rate = median(delivered);
    if (rate > lowest_line_bps) continue;
    Finding finding = finding_of(input, arm, FindingKind::rate_cap, Mechanism::policer, start, end);
    finding.rate_bps = rate;
    const double half = std::max(0.01, 2 * relative_spread(delivered) / std::sqrt(static_cast<double>(delivered.size())));
    finding.rate_bps_low = rate * (1 - half);
    finding.rate_bps_high = rate * (1 + half);
    finding.confidence = 0.95;
    finding.numbers = {{"losses", total_lost}, {"loss_ratio", p}, {"evenness_p", evenness}, {"reports", static_cast<double>(counts.size())}, {"by_reports", 1}, {"contrast", 0}};
    finding.alternatives = alternatives_of_cap(false);
    merge_cap(findings, std::move(finding));
  }
  return findings;
}

}  // namespace callwitness::metrics
