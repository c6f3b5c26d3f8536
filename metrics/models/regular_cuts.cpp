#include "metrics/models/regular_cuts.hpp"

#include "metrics/models/log_likelihood.hpp"
#include "metrics/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace callwitness::metrics::models {
namespace {

constexpr std::size_t most_deaths = 400, most_guesses = 240;   ///< bounds of the search, not of the model
constexpr double range_of_periods = 360, range_of_ages = 720;  ///< largest over smallest that is thought possible, log-uniform
constexpr double fires = 0.8;                                  ///< chance that a beat kills, a priori
constexpr double least_wander_s = 0.02;                        ///< a packet's time: no death is seen more exactly
constexpr double shortest_age = 0.1;
constexpr int most_missed_at_once = 4;                         ///< a gap between deaths is one to four beats to begin with
constexpr std::int64_t most_beats = 100'000;

const std::vector<double>& steady() {
  static const auto grid = log_spaced(0.0005, 0.05, 14);       // a timer's wander over its period
  return grid;
}

const std::vector<double>& habits() {
  static const auto grid = log_spaced(0.1, 1.5, 12);           // how people's calls differ in length
  return grid;
}

double logarithm_of_factorial(std::size_t n) { return std::lgamma(static_cast<double>(n) + 1); }

/// log of the likelihood of ln-ages with spread on a grid around an unknown mean (log-uniform over `range_of_ages`).
double log_normal_ages(std::span<const double> logarithms, const std::vector<double>& grid) {
  const auto n = static_cast<double>(logarithms.size());
  const double squares = sum_of_squares(logarithms);
  double jacobian = 0;
  for (const double value : logarithms) jacobian -= value;     // density of ages, not of their logarithms
  std::vector<double> terms;
  for (const double sigma : grid) {
    const double variance = sigma * sigma;
    terms.push_back(-(n - 1) / 2 * std::log(2 * std::numbers::pi * variance) - squares / (2 * variance));
  }
  return log_mean_exp(terms) - std::log(n) / 2 - std::log(std::log(range_of_ages)) + jacobian;
}

struct ClockFit { double period = 0, phase = 0, residual = 0, spread = 0; std::vector<std::int64_t> beats; };

/// Least squares over the beats that a guessed period gives, until they stay; nothing where two deaths share one.
std::optional<ClockFit> fit_clock(std::span<const DeathTime> deaths, double guess) {
  ClockFit fit;
  fit.period = guess;
  fit.phase = deaths.front().time;
  const auto n = static_cast<double>(deaths.size());
  for (int round = 0; round < 8; ++round) {
    if (!(fit.period > 0.5)) return std::nullopt;
    std::vector<std::int64_t> beats;
    for (const auto& death : deaths) {
      const double beat = (death.time - fit.phase) / fit.period;
      if (!(std::abs(beat) < static_cast<double>(most_beats))) return std::nullopt;
      beats.push_back(std::llround(beat));
    }
    if (beats == fit.beats) break;
    fit.beats = beats;
    double beat_mean = 0, time_mean = 0, cross = 0;
    for (std::size_t i = 0; i < deaths.size(); ++i) beat_mean += static_cast<double>(beats[i]) / n, time_mean += deaths[i].time / n;
    fit.spread = 0;
    for (std::size_t i = 0; i < deaths.size(); ++i) {
      const double offset = static_cast<double>(beats[i]) - beat_mean;
      fit.spread += offset * offset;
      cross += offset * (deaths[i].time - time_mean);
    }
    if (fit.spread <= 0) return std::nullopt;
    fit.period = cross / fit.spread;
    fit.phase = time_mean - fit.period * beat_mean;
  }
  for (std::size_t i = 1; i < fit.beats.size(); ++i)
    if (fit.beats[i] <= fit.beats[i - 1]) return std::nullopt;
  fit.residual = 0;
  for (std::size_t i = 0; i < deaths.size(); ++i) {
    const double off = deaths[i].time - fit.phase - fit.period * static_cast<double>(fit.beats[i]);
    fit.residual += off * off;
  }
  return fit;
}

double log_of_clock(const ClockFit& fit) {
  const auto n = static_cast<double>(fit.beats.size());
  const double missed = static_cast<double>(fit.beats.back() - fit.beats.front()) - (n - 1);
  std::vector<double> terms;
  for (const double sigma : steady()) {
    const double wander = std::max(sigma * fit.period, least_wander_s), variance = wander * wander;
    terms.push_back(-(n - 2) / 2 * std::log(2 * std::numbers::pi * variance) - fit.residual / (2 * variance));
  }
  // The phase may be anywhere in a period, the period anywhere in its range: both averaged over.
  return (n - 1) * std::log(fires) + missed * std::log(1 - fires) + log_mean_exp(terms) -
         std::log(n * fit.spread) / 2 - 2 * std::log(fit.period) - std::log(std::log(range_of_periods));
}

Beat best_clock(std::span<const DeathTime> deaths) {
  std::vector<std::vector<std::int64_t>> seen;
  std::vector<double> terms;
  Beat best;
  double greatest = least_logarithm;
  std::size_t guesses = 0;
  for (std::size_t i = 1; i < deaths.size(); ++i)
    for (int k = 1; k <= most_missed_at_once && guesses < most_guesses; ++k, ++guesses) {
      auto fit = fit_clock(deaths, (deaths[i].time - deaths[i - 1].time) / k);
      if (!fit) continue;
      const std::int64_t first = fit->beats.front();
      for (auto& beat : fit->beats) beat -= first;
      if (std::find(seen.begin(), seen.end(), fit->beats) != seen.end()) continue;
      const double term = log_of_clock(*fit);
      terms.push_back(term);
      if (term > greatest) {
        greatest = term;
        const auto n = static_cast<double>(deaths.size());
        const double error = std::sqrt(std::max(fit->residual / std::max(1.0, n - 2), least_wander_s * least_wander_s) / fit->spread);
        best.period_s = fit->period;
        best.low_s = fit->period - 2 * error;
        best.high_s = fit->period + 2 * error;
        best.deviation = std::sqrt(fit->residual / n) / fit->period;
        best.missed = static_cast<std::size_t>(fit->beats.back()) - (deaths.size() - 1);
      }
      seen.push_back(std::move(fit->beats));
    }
  double sum = least_logarithm;
  if (!terms.empty()) sum = log_mean_exp(terms) + std::log(static_cast<double>(terms.size()));
  best.log10_likelihood = sum / std::numbers::ln10;
  return best;
}

}  // namespace

double RegularCuts::margin() const { return std::abs(clock.log10_likelihood - age.log10_likelihood); }

std::optional<RegularCuts> regular_cuts(std::span<const DeathTime> all, bool shown) {
  if (all.size() < fewest_deaths) return std::nullopt;
  const auto deaths = all.first(std::min(all.size(), most_deaths));
  RegularCuts result;
  result.deaths = deaths.size();
  result.shown = shown;
  std::vector<double> known, every;
  double total = 0, unknown = 0;
  for (const auto& death : deaths) {
    const double age = std::max(death.age, shortest_age);
    total += age;
    every.push_back(std::log(age));
    if (death.age_known) known.push_back(std::log(age));
    else unknown -= std::log(age * std::log(range_of_ages));   // any age is as likely in the logarithm
  }
  const auto n = deaths.size();
  result.log10_poisson = (logarithm_of_factorial(n - 1) - static_cast<double>(n) * std::log(total) - std::log(std::log(range_of_periods))) / std::numbers::ln10;
  result.log10_people = log_normal_ages(every, habits()) / std::numbers::ln10;
  result.clock = best_clock(deaths);
  result.age.log10_likelihood = least_logarithm;
  if (known.size() >= 2) {
    const auto m = static_cast<double>(known.size());
    const double likelihood = log_normal_ages(known, steady()) + m * std::log(fires) + unknown;
    result.age.log10_likelihood = likelihood / std::numbers::ln10;
    result.age.period_s = std::exp(mean(known));
    result.age.deviation = std::sqrt(sum_of_squares(known) / m);
    const double error = std::max(standard_deviation(known), least_wander_s / result.age.period_s) / std::sqrt(m);
    result.age.low_s = result.age.period_s * (1 - 2 * error);
    result.age.high_s = result.age.period_s * (1 + 2 * error);
  }
  return result;
}

bool beat_accuses(const BeatEvidence& evidence) {
  constexpr std::size_t fewest_to_accuse = 4, fewest_alive = 2;
  return evidence.deaths >= fewest_to_accuse && evidence.strength >= least_strength_to_accuse && evidence.shown && evidence.others_alive >= fewest_alive &&
         evidence.others_dead == 0 && !evidence.by_age && !evidence.told_by_server;
}

}  // namespace callwitness::metrics::models
