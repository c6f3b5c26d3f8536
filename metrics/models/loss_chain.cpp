#include "metrics/models/loss_chain.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace callwitness::metrics::models {
namespace {

constexpr std::size_t grid_packets = 2000, fit_packets = 4000;

/// Calls use(i, P(lost)) and answers with the log likelihood.
template <class Use>
double run(const Events& events, const LossChain& chain, Use use) {
  double bad = chain.bad_share, log_likelihood = 0, product = 1;
  const double rate = -1 / chain.memory_s;
  for (std::size_t i = 0; i < events.size(); ++i) {
    bad = chain.bad_share + (bad - chain.bad_share) * std::exp(rate * events.gap[i]);
    const double lost = bad * chain.lost_bad + (1 - bad) * chain.lost_good;
    use(i, lost);
    if (!events.counted[i]) continue;
    const double likelihood = events.lost[i] ? lost : 1 - lost;
    bad *= (events.lost[i] ? chain.lost_bad : 1 - chain.lost_bad) / likelihood;
    product *= likelihood;
    if (product < 1e-200) log_likelihood += std::log(product), product = 1;
  }
  return log_likelihood + std::log(product);
}

double likelihood(const Events& events, const LossChain& chain) { return run(events, chain, [](std::size_t, double) {}); }

double logit(double p) { return std::log(p / (1 - p)); }
double expit(double x) { return std::clamp(1 / (1 + std::exp(-x)), 1e-5, 1 - 1e-5); }

using Parameters = std::array<double, 4>;

Parameters parameters_of(const LossChain& c) { return {logit(c.bad_share), std::log(c.memory_s), logit(c.lost_good), logit(c.lost_bad)}; }
LossChain chain_of(const Parameters& p) { return {expit(p[0]), std::exp(std::clamp(p[1], -7.0, 7.0)), expit(p[2]), expit(p[3])}; }

}  // namespace

std::vector<double> forecast_losses(const Events& events, const LossChain& chain, double& log_likelihood) {
  std::vector<double> forecast(events.size());
  log_likelihood = run(events, chain, [&](std::size_t i, double lost) { forecast[i] = lost; });
  return forecast;
}

LossChain fit_chain(const Events& all) {
  const Events sample = part_of(all, 0, fit_packets), small = part_of(sample, 0, grid_packets);
  double lost = 0.5;
  for (std::size_t i = 0; i < sample.size(); ++i) lost += sample.lost[i];
  const double mean = std::clamp(lost / (static_cast<double>(sample.size()) + 1), 1e-4, 0.99);
  LossChain best;
  double best_likelihood = -1e300;
  for (const double memory : {0.02, 0.1, 0.5, 2.0, 10.0})
    for (const double bad : {0.02, 0.1, 0.4})
      for (const double good : {0.1 * mean, 0.5 * mean}) {
        const LossChain chain{bad, memory, std::max(1e-4, good), std::clamp((mean - (1 - bad) * good) / bad, std::min(0.9, 1.2 * mean), 0.98)};
        if (const double found = likelihood(small, chain); found > best_likelihood) best = chain, best_likelihood = found;
      }
  Parameters at = parameters_of(best), step{0.7, 0.7, 0.7, 0.7};
  best_likelihood = likelihood(sample, best);
  for (int round = 0; round < 6; ++round)
    for (std::size_t k = 0; k < at.size(); ++k) {
      bool moved = false;
      for (const double sign : {1.0, -1.0}) {
        Parameters next = at;
        next[k] += sign * step[k];
        if (const double found = likelihood(sample, chain_of(next)); found > best_likelihood) {
          at = next, best_likelihood = found, moved = true;
          break;
        }
      }
      step[k] *= moved ? 1.5 : 0.5;
    }
  return chain_of(at);
}

}  // namespace callwitness::metrics::models
