// A byte quota per fixed period: everything beyond it is dropped until the period ends. docs/methods/quota.md
#include "metrics/finding_support.hpp"
#include "metrics/statistics.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace callwitness::metrics {
namespace {

constexpr std::array periods = {0.5, 1.0, 2.0, 5.0, 10.0};
constexpr std::size_t least_run = 3;            ///< lost in a row: a token bucket of steady traffic loses singly
constexpr std::size_t least_clusters = 8;
constexpr double largest_p = 1e-6;              ///< Rayleigh, before the correction for five periods
constexpr double widest_quota = 0.06;           ///< coefficient of variation of the bytes that pass in a period

struct Cluster { double onset, resume; };

std::vector<Cluster> clusters_of(const Arm& arm) {
  std::vector<Cluster> clusters;
  const auto& packets = arm.packets;
  for (std::size_t i = 0; i < packets.size();) {
    std::size_t end = i;
    while (end < packets.size() && packets[end].lost) ++end;
    if (end - i >= least_run && end < packets.size()) clusters.push_back({packets[i].time, packets[end].time});
    i = std::max(end, i + 1);
  }
  return clusters;
}

}  // namespace

std::vector<Finding> quota(const DetectorInput& input) {
  std::vector<Finding> findings;
  for (const auto& arm : input.arms) {
    if (!arm.whole_flow || arm.source != LossSource::sequence || !can_show_losses(input.observation, arm)) continue;
    if (std::any_of(input.earlier.begin(), input.earlier.end(), [&](const Finding& f) {
          return f.kind == "rate_cap" && std::find(f.flows.begin(), f.flows.end(), arm.flow) != f.flows.end();
        }))
      continue;
    if (capture_may_explain(input.earlier, static_cast<double>(arm.lost) / static_cast<double>(arm.packets.size()))) continue;
    const auto clusters = clusters_of(arm);
    if (clusters.size() < least_clusters) continue;
    std::vector<double> resumes;
    for (const auto& cluster : clusters) resumes.push_back(cluster.resume);
    for (const double period : periods) {
      const double p = rayleigh_p(resumes, period);
      // Bytes between one resumption and the next onset, where they lie in the same period.
      std::vector<double> passed;
      for (std::size_t i = 1; i < clusters.size(); ++i) {
        if (clusters[i].resume - clusters[i - 1].resume > 1.2 * period) continue;
        double bytes = 0;
        for (const auto& packet : arm.packets)
          if (!packet.lost && packet.time >= clusters[i - 1].resume && packet.time < clusters[i].onset) bytes += packet.bytes;
        passed.push_back(bytes);
      }
      if (p > largest_p || passed.size() < least_clusters / 2) continue;
      const double spread = standard_deviation(passed) / mean(passed);
      if (spread > widest_quota) continue;
      const double rate = mean(passed) * 8 / period, start = clusters.front().onset, end = clusters.back().resume;
      const auto contrast = contrast_of(input.observation, arm, rate, start, end);
      if (!contrast.exceeds) continue;
      Finding finding = finding_of(input, arm, "rate_cap", "quota", start, end);
      finding.rate_bps = rate;
      const double half = std::max(0.01, 2 * spread / std::sqrt(static_cast<double>(passed.size())));
      finding.rate_bps_low = rate * (1 - half);
      finding.rate_bps_high = rate * (1 + half);
      finding.confidence = 0.99;
      finding.numbers = {{"losses", static_cast<double>(arm.lost)}, {"quota_period_s", period}, {"quota_bytes", mean(passed)}, {"rayleigh_p", p},
                         {"clusters", static_cast<double>(clusters.size())}, {"spread", spread}, {"contrast", 1.0}};
      finding.alternatives = alternatives_of_cap(contrast, true, true);
      merge_cap(findings, std::move(finding));
      break;
    }
  }
  return findings;
}

}  // namespace callwitness::metrics
