#include "metrics/compare.hpp"

#include "metrics/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace callwitness::metrics {
namespace {

// Reasons for the constants: docs/methods/compare.md.
constexpr std::size_t window_seconds = 10;
constexpr std::size_t least_windows = 4;           // fewer say nothing about a call
constexpr int bootstrap_rounds = 1000;
constexpr std::uint64_t bootstrap_seed = 1;        // results never depend on the run
constexpr double significance = 0.01;
constexpr double audible_loss = 0.02;              // ratio; below, concealment hides it
constexpr double notable_rate_ratio = 1.25;
constexpr double notable_delay_ms = 50;
constexpr double persistent_share = 0.8;           // of window pairs in which the suspect is worse (Cliff's delta 0.6)
constexpr double persistent_loss = 0.03;
constexpr double same_rate = 0.05;                 // two caps within this are one
constexpr double z_for_power = 2.8;                // two-sided 5 %, power 80 %

using Key = std::tuple<std::string, std::string, Direction>;   // application, metric, direction

struct Samples {
  std::vector<double> baseline, suspect;
};

std::string application_of(const Analysis& analysis, const StreamMeasures& stream) {
  if (stream.call) return std::string(analysis.classification.calls[static_cast<std::size_t>(*stream.call)].label.application);
  return std::string(analysis.classification.streams[static_cast<std::size_t>(stream.id)].label.application);
}

/// Means over whole windows; a window with less than half of its seconds known is left out.
std::vector<double> windows_of(const Series& series) {
  std::vector<double> windows;
  for (std::size_t start = 0; start + window_seconds <= series.values.size(); start += window_seconds) {
    double total = 0;
    std::size_t known = 0;
    for (std::size_t i = start; i < start + window_seconds; ++i) {
      if (!series.values[i]) continue;
      total += *series.values[i];
      ++known;
    }
    if (2 * known >= window_seconds) windows.push_back(total / static_cast<double>(known));
  }
  return windows;
}

void collect(const Analysis& analysis, bool is_suspect, std::map<Key, Samples>& all) {
  for (const auto& stream : analysis.streams) {
    if (!stream.call) continue;
    const std::string application = application_of(analysis, stream);
    const auto add = [&](const char* metric, const std::vector<double>& values) {
      auto& samples = all[{application, metric, stream.direction}];
      auto& side = is_suspect ? samples.suspect : samples.baseline;
      side.insert(side.end(), values.begin(), values.end());
    };
    if (stream.lost) add("loss_ratio", windows_of(stream.loss));
    add("bitrate_bps", windows_of(stream.bitrate));
    if (!stream.delay.values.empty()) add("delay_ms", windows_of(stream.delay));
    if (stream.jitter_ms) add("jitter_ms", {*stream.jitter_ms});
    if (stream.rtt_ms) add("rtt_ms", {*stream.rtt_ms});
  }
}

bool is_ratio_metric(const std::string& metric) { return metric == "bitrate_bps"; }

double centre(const std::string& metric, const std::vector<double>& values) {
  return metric == "loss_ratio" ? mean(values) : median(values);
}

std::optional<double> effect_of(const std::string& metric, double baseline, double suspect) {
  if (!is_ratio_metric(metric)) return suspect - baseline;
  if (baseline <= 0) return std::nullopt;
  return suspect / baseline;
}

void bootstrap(ComparedMeasure& measure, const Samples& samples) {
  Random random(bootstrap_seed);
  std::vector<double> effects;
  const auto resample = [&](const std::vector<double>& values) {
    std::vector<double> drawn(values.size());
    for (double& value : drawn) value = values[random.index(values.size())];
    return drawn;
  };
  for (int round = 0; round < bootstrap_rounds; ++round) {
    const auto effect = effect_of(measure.metric, centre(measure.metric, resample(samples.baseline)),
                                  centre(measure.metric, resample(samples.suspect)));
    if (effect) effects.push_back(*effect);
  }
  if (effects.empty()) return;
  measure.effect_low = quantile(effects, 0.025);
  measure.effect_high = quantile(effects, 0.975);
}

/// The difference of means that a test of this size would have found four times in five.
std::optional<double> detectable(const ComparedMeasure& measure, const Samples& samples) {
  const double spread = std::sqrt(std::pow(standard_deviation(samples.baseline), 2) / static_cast<double>(samples.baseline.size()) +
                                  std::pow(standard_deviation(samples.suspect), 2) / static_cast<double>(samples.suspect.size()));
  const double difference = z_for_power * spread;
  if (!is_ratio_metric(measure.metric)) return difference;
  if (!measure.baseline || *measure.baseline <= 0) return std::nullopt;
  return 1 + difference / *measure.baseline;
}

bool large_enough(const ComparedMeasure& measure) {
  if (!measure.effect) return false;
  if (measure.metric == "loss_ratio") return std::abs(*measure.effect) >= audible_loss;
  if (is_ratio_metric(measure.metric)) return *measure.effect >= notable_rate_ratio || *measure.effect <= 1 / notable_rate_ratio;
  return std::abs(*measure.effect) >= notable_delay_ms;
}

ComparedMeasure measure_of(const Key& key, const Samples& samples) {
  ComparedMeasure measure;
  std::tie(measure.application, measure.metric, measure.direction) = key;
  measure.n_baseline = samples.baseline.size();
  measure.n_suspect = samples.suspect.size();
  if (measure.n_baseline > 0) measure.baseline = centre(measure.metric, samples.baseline);
  if (measure.n_suspect > 0) measure.suspect = centre(measure.metric, samples.suspect);
  if (!measure.baseline || !measure.suspect) return measure;
  measure.effect = effect_of(measure.metric, *measure.baseline, *measure.suspect);
  if (measure.n_baseline < least_windows || measure.n_suspect < least_windows) return measure;
  bootstrap(measure, samples);
  measure.smallest_detectable = detectable(measure, samples);
  measure.p_value = mann_whitney_p(samples.baseline, samples.suspect);
  return measure;
}

void correct_for_number(std::vector<ComparedMeasure>& measures) {
  std::vector<double> p_values;
  for (const auto& measure : measures) {
    if (measure.p_value) p_values.push_back(*measure.p_value);
  }
  const auto corrected = holm(p_values);
  std::size_t next = 0;
  for (auto& measure : measures) {
    if (!measure.p_value) continue;
    measure.p_value = corrected[next++];
    measure.differs = *measure.p_value < significance && large_enough(measure);
  }
}

bool accuses(const Finding& finding) {
  return finding.kind == FindingKind::rate_cap || finding.kind == FindingKind::periodic_reset || finding.kind == FindingKind::blocking ||
         finding.kind == FindingKind::injected_reset || finding.kind == FindingKind::selective_loss || finding.kind == FindingKind::differential;
}

bool same_finding(const Finding& a, const Finding& b) {
  if (a.kind != b.kind) return false;
  if (a.rate_bps && b.rate_bps) return std::abs(*a.rate_bps - *b.rate_bps) <= same_rate * *a.rate_bps;
  return a.kind != FindingKind::blocking || a.application == b.application;
}

std::set<std::string> applications_of(const Analysis& analysis, bool tunnels) {
  std::set<std::string> found;
  for (const auto& call : analysis.classification.calls) {
    bool tunnel = false;
    for (const auto& flow : analysis.classification.flows) {
      const bool ours = std::find(call.flows.begin(), call.flows.end(), flow.id) != call.flows.end();
      tunnel = tunnel || (ours && flow.role == classify::Role::tunnel);
    }
    if (tunnel == tunnels) found.insert(std::string(call.label.application));
  }
  return found;
}

/// The 95th percentile of what a VPN carried per second: a call inside it was not held below that.
double tunnel_rate(const Analysis& analysis, Direction direction) {
  double best = 0;
  for (const auto& stream : analysis.streams) {
    if (stream.direction == direction && stream.bitrate_bps) best = std::max(best, stream.bitrate_bps->p95);
  }
  return best;
}

/// Loss that is there all the time, and not only here and there as on Wi-Fi.
bool is_persistent_loss(const ComparedMeasure& measure, const Samples& samples) {
  if (measure.metric != "loss_ratio" || !measure.differs || median(samples.suspect) < persistent_loss) return false;
  double worse = 0;
  for (const double suspect : samples.suspect) {
    for (const double baseline : samples.baseline) worse += suspect > baseline ? 1 : 0;
  }
  return worse >= persistent_share * static_cast<double>(samples.suspect.size() * samples.baseline.size());
}

void decide(Comparison& comparison, const std::map<Key, Samples>& all) {
  const auto& baseline = comparison.baseline;
  const auto& suspect = comparison.suspect;
  const auto in_baseline = applications_of(baseline, false), in_suspect = applications_of(suspect, false);
  const bool tunnelled = !applications_of(baseline, true).empty() && in_baseline.empty();
  std::vector<std::string> shared;
  std::set_intersection(in_baseline.begin(), in_baseline.end(), in_suspect.begin(), in_suspect.end(), std::back_inserter(shared));
  if (tunnelled) comparison.not_comparable.emplace_back("baseline_is_tunnel");
  else if (shared.empty() && !in_baseline.empty() && !in_suspect.empty()) comparison.not_comparable.emplace_back("different_applications");

  for (const auto& finding : suspect.findings) {
    const bool also = std::any_of(baseline.findings.begin(), baseline.findings.end(),
                                  [&](const Finding& other) { return same_finding(finding, other); });
    if (accuses(finding) && !also) comparison.findings.push_back(finding);
  }
  const bool suspect_is_accused = suspect.verdict.verdict_class == VerdictClass::interference;
  const auto contrasts = [&](const Finding& finding) {
    const std::string application(finding.application);
    if (tunnelled && finding.rate_bps) {
      return tunnel_rate(baseline, finding.direction.value_or(Direction::received)) > notable_rate_ratio * *finding.rate_bps;
    }
    // What the suspect shows by itself stands, whatever the baseline carried.
    return tunnelled || in_baseline.contains(application) || suspect_is_accused;
  };
  double best = 0;
  for (const auto& finding : comparison.findings) {
    if (contrasts(finding) && (suspect_is_accused || finding.confidence >= 0.9)) best = std::max(best, finding.confidence);
  }
  if (best > 0) {
    comparison.verdict_class = ComparisonClass::differential;
    comparison.key = "suspect_shows_interference";
    comparison.confidence = best;
    return;
  }
  const bool general = suspect.verdict.key == "general_network_problem";
  bool compared = false;
  for (const auto& measure : comparison.measures) {
    compared = compared || measure.p_value.has_value();
    const auto& samples = all.at({measure.application, measure.metric, measure.direction});
    if (!general && measure.effect && *measure.effect > 0 && is_persistent_loss(measure, samples)) {
      comparison.verdict_class = ComparisonClass::differential;
      comparison.key = "suspect_loses_persistently";
      comparison.confidence = 1 - *measure.p_value;
      return;
    }
  }
  const bool both_clean = baseline.verdict.verdict_class == VerdictClass::clean && suspect.verdict.verdict_class == VerdictClass::clean;
  if (!compared && both_clean) {
    comparison.verdict_class = ComparisonClass::no_difference;
    comparison.key = "both_clean";
    comparison.confidence = 0.6;
    return;
  }
  comparison.verdict_class = compared ? ComparisonClass::no_difference : ComparisonClass::insufficient;
  comparison.key = compared ? "no_difference_found" : "too_little_in_common";
  comparison.confidence = compared ? 0.8 : 0.5;
}

}  // namespace

Comparison compare(Analysis baseline, Analysis suspect) {
  Comparison comparison;
  comparison.baseline = std::move(baseline);
  comparison.suspect = std::move(suspect);
  std::map<Key, Samples> all;
  collect(comparison.baseline, false, all);
  collect(comparison.suspect, true, all);
  for (const auto& [key, samples] : all) comparison.measures.push_back(measure_of(key, samples));
  correct_for_number(comparison.measures);
  decide(comparison, all);
  const Analysis* const both[] = {&comparison.baseline, &comparison.suspect};
  comparison.together = judge_together(both);
  return comparison;
}

}  // namespace callwitness::metrics
