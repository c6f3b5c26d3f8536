#include "metrics/models/dead_after.hpp"

#include "metrics/models/log_likelihood.hpp"
#include "metrics/models/regular_cuts.hpp"
#include "metrics/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace callwitness::metrics::models {
namespace {

constexpr std::size_t most_flows = 400;
constexpr double grain = 0.6;                 ///< standard deviation of a count that is cut to whole steps, over the step
constexpr double clearly_weaker = 1;          ///< log10: that much below the best one a unit is out
constexpr double same_ratio = 0.01;           ///< two units that keep this ratio from flow to flow are one

using enum DeathUnit;
constexpr std::array<DeathUnit, death_units> all_units = {packets_both, packets_up, packets_down, bytes_both, bytes_up, bytes_down, seconds, seconds_of_theirs};

bool is_time(DeathUnit unit) { return unit == seconds || unit == seconds_of_theirs; }
bool is_bytes(DeathUnit unit) { return unit == bytes_both || unit == bytes_up || unit == bytes_down; }
bool is_down(DeathUnit unit) { return unit == packets_down || unit == bytes_down; }

/// One step of the unit: a packet, its bytes, the time between two. What we send is not cut at the last arrival: one more step.
double step_of(std::span<const DeathAmount> deaths, DeathUnit unit) {
  std::vector<double> steps;
  for (const auto& death : deaths) {
    const auto packets = [&] {
      switch (unit) {
        case bytes_up: return static_cast<double>(death.packets_up);
        case bytes_down: return static_cast<double>(death.packets_down);
        case seconds: case seconds_of_theirs: return static_cast<double>(death.packets_down);
        default: return static_cast<double>(death.packets_up + death.packets_down);
      }
    }();
    steps.push_back(is_bytes(unit) || is_time(unit) ? amount_of(death, unit) / std::max(1.0, packets) : 1);
  }
  return median(steps) * (is_down(unit) || is_time(unit) ? 1 : 2);
}

/// log of the mean likelihood of logarithms around one unknown value, over the spreads of `grid`.
double log_evidence(double squares, double n, double floor, const std::vector<double>& grid) {
  std::vector<double> terms;
  for (const double sigma : grid) {
    const double variance = sigma * sigma + floor * floor;
    terms.push_back(-(n - 1) / 2 * std::log(2 * std::numbers::pi * variance) - squares / (2 * variance));
  }
  return log_mean_exp(terms);
}

std::optional<UnitScore> score(std::span<const DeathAmount> deaths, DeathUnit unit, double loss) {
  static const auto fixed = log_spaced(0.0003, 0.03, 14), habits = log_spaced(0.1, 1.5, 12);
  std::vector<double> logarithms, amounts;
  for (const auto& death : deaths) {
    const double amount = amount_of(death, unit);
    if (!(amount > 0)) return std::nullopt;
    amounts.push_back(amount);
    logarithms.push_back(std::log(amount));
  }
  const auto n = static_cast<double>(deaths.size());
  const double step = step_of(deaths, unit), floor = grain * step / mean(amounts), squares = sum_of_squares(logarithms);
  UnitScore result;
  result.unit = unit;
  result.strength = (log_evidence(squares, n, floor, fixed) - log_evidence(squares, n, floor, habits)) / std::numbers::ln10;
  result.deviation = std::sqrt(squares / n);
  if (is_time(unit)) {
    result.limit = median(amounts);
    result.low = result.limit - step;
    result.high = result.limit + step;
  } else {
    // Losses before and behind the box only subtract from what is counted here.
    result.limit = result.low = *std::max_element(amounts.begin(), amounts.end());
    const double packets = is_bytes(unit) ? result.limit / std::max(1.0, step) : result.limit;
    result.high = result.limit + step + 3 * std::sqrt(std::max(0.0, loss) * packets) * (is_bytes(unit) ? step : 1);
  }
  return result;
}

/// Two units that keep their ratio from flow to flow count the same thing.
bool go_together(std::span<const DeathAmount> deaths, DeathUnit one, DeathUnit other) {
  double low = 1e300, high = 0;
  for (const auto& death : deaths) {
    const double ratio = amount_of(death, one) / amount_of(death, other);
    low = std::min(low, ratio);
    high = std::max(high, ratio);
  }
  return high <= low * (1 + same_ratio);
}

}  // namespace

double amount_of(const DeathAmount& death, DeathUnit unit) {
  switch (unit) {
    case packets_both: return static_cast<double>(death.packets_up + death.packets_down);
    case packets_up: return static_cast<double>(death.packets_up);
    case packets_down: return static_cast<double>(death.packets_down);
    case bytes_both: return static_cast<double>(death.bytes_up + death.bytes_down);
    case bytes_up: return static_cast<double>(death.bytes_up);
    case bytes_down: return static_cast<double>(death.bytes_down);
    case seconds: return death.seconds;
    case seconds_of_theirs: return death.seconds_of_theirs;
  }
  return 0;
}

std::optional<DeadAfter> dead_after(std::span<const DeathAmount> all, double loss) {
  if (all.size() < 2) return std::nullopt;
  const auto deaths = all.first(std::min(all.size(), most_flows));
  std::vector<UnitScore> scores;
  for (const auto unit : all_units)
    if (auto scored = score(deaths, unit, loss)) scores.push_back(*scored);
  if (scores.empty()) return std::nullopt;
  std::stable_sort(scores.begin(), scores.end(), [](const UnitScore& a, const UnitScore& b) { return a.strength > b.strength; });
  DeadAfter result;
  result.best = scores.front();
  for (std::size_t i = 1; i < scores.size(); ++i)
    if (scores[i].strength > scores.front().strength - clearly_weaker || go_together(deaths, scores[i].unit, scores.front().unit))
      result.alternatives.push_back(scores[i]);
  return result;
}

bool dead_after_accuses(const DeadAfterEvidence& evidence) {
  constexpr std::size_t fewest_to_accuse = 4, fewest_far_ends = 2, fewest_alive = 2;
  return evidence.flows >= fewest_to_accuse && evidence.strength >= least_strength_to_accuse && evidence.far_ends >= fewest_far_ends &&
         evidence.others_alive >= fewest_alive && evidence.others_dead == 0 && evidence.survivors == 0 && !evidence.told_by_server;
}

}  // namespace callwitness::metrics::models
