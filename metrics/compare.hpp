// Two analyses side by side: VPN and direct, two networks, June and November, the two ends of one call.
// Effect sizes with bootstrap intervals, rank tests, Holm's correction over everything that was compared.
#pragma once

#include "metrics/analysis.hpp"
#include "metrics/verdict/together.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace callwitness::metrics {

/// One quantity of one application, compared over time windows of its calls. Effect: suspect minus baseline for ratios
/// and times, suspect over baseline for rates; the interval is a 95 % bootstrap interval.
struct ComparedMeasure {
  std::string application;
  std::string metric;                    ///< loss_ratio, bitrate_bps, jitter_ms, rtt_ms, delay_ms, cuts_per_hour
  Direction direction = Direction::received;
  std::optional<double> baseline, suspect;   ///< medians (loss: means) over the windows
  std::optional<double> effect, effect_low, effect_high;
  std::optional<double> p_value;         ///< Mann-Whitney, two-sided, Holm-corrected
  std::size_t n_baseline = 0, n_suspect = 0;
  std::optional<double> smallest_detectable;   ///< the smallest effect that would have shown, same unit as effect
  bool differs = false;                  ///< significant and large enough to be heard or to be a cap
};

enum class ComparisonClass : std::uint8_t { differential, no_difference, insufficient };

struct Comparison {
  Analysis baseline, suspect;
  std::vector<ComparedMeasure> measures;       ///< by application, metric, direction
  std::vector<Finding> findings;               ///< of the suspect that the baseline lacks
  ComparisonClass verdict_class = ComparisonClass::insufficient;
  double confidence = 0;
  std::vector<std::string> not_comparable;     ///< message keys: different_applications, different_codecs, …
  std::string key;                             ///< message key of the summary
  Together together;                           ///< the verdict on the network that both sides make up: observation 0 is the baseline
};

Comparison compare(Analysis baseline, Analysis suspect);

}  // namespace callwitness::metrics
