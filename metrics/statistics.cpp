#include "metrics/statistics.hpp"

#include <boost/math/distributions/hypergeometric.hpp>
#include <boost/math/special_functions/gamma.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace callwitness::metrics {

double mean(std::span<const double> values) {
  if (values.empty()) return 0;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double standard_deviation(std::span<const double> values) {
  if (values.size() < 2) return 0;
  const double centre = mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - centre) * (value - centre);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

double quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  const double position = std::clamp(share, 0.0, 1.0) * static_cast<double>(values.size() - 1);
  const auto low = values.begin() + static_cast<std::ptrdiff_t>(position);
  std::nth_element(values.begin(), low, values.end());
  if (low + 1 == values.end()) return *low;
  const double next = *std::min_element(low + 1, values.end());
  return *low + (next - *low) * (position - std::floor(position));
}

double median(std::vector<double> values) { return quantile(std::move(values), 0.5); }

double relative_spread(const std::vector<double>& values) {
  const double centre = median(values);
  return centre == 0 ? 0 : (quantile(values, 0.75) - quantile(values, 0.25)) / centre;
}

double correlation(std::span<const double> x, std::span<const double> y) {
  const std::size_t count = std::min(x.size(), y.size());
  if (count < 3) return 0;
  const double mean_x = mean(x.first(count)), mean_y = mean(y.first(count));
  double xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < count; ++i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  return xx <= 0 || yy <= 0 ? 0 : xy / std::sqrt(xx * yy);
}

double chi_squared_cdf(double chi_squared, double degrees) {
  if (chi_squared <= 0 || degrees <= 0) return 0;
  return boost::math::gamma_p(degrees / 2, chi_squared / 2);
}

double mann_whitney_p(std::span<const double> a, std::span<const double> b) {
  if (a.empty() || b.empty()) return 1;
  std::vector<std::pair<double, bool>> all;
  all.reserve(a.size() + b.size());
  for (const double value : a) all.emplace_back(value, true);
  for (const double value : b) all.emplace_back(value, false);
  std::sort(all.begin(), all.end());
  double rank_sum = 0, ties = 0;
  for (std::size_t i = 0; i < all.size();) {
    std::size_t j = i;
    while (j < all.size() && all[j].first == all[i].first) ++j;
    const double rank = static_cast<double>(i + j + 1) / 2, size = static_cast<double>(j - i);
    ties += size * (size * size - 1);
    for (std::size_t k = i; k < j; ++k) rank_sum += all[k].second ? rank : 0;
    i = j;
  }
  const double n = static_cast<double>(a.size()), m = static_cast<double>(b.size()), total = n + m;
  const double u = rank_sum - n * (n + 1) / 2;
  const double variance = n * m / 12 * (total + 1 - ties / (total * std::max(1.0, total - 1)));
  if (variance <= 0) return 1;
  const double z = std::max(0.0, std::abs(u - n * m / 2) - 0.5) / std::sqrt(variance);
  return std::erfc(z / std::numbers::sqrt2);
}

double kolmogorov_smirnov_p(std::vector<double> a, std::vector<double> b) {
  if (a.empty() || b.empty()) return 1;
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  const double n = static_cast<double>(a.size()), m = static_cast<double>(b.size());
  double distance = 0;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const double value = std::min(a[i], b[j]);
    while (i < a.size() && a[i] <= value) ++i;
    while (j < b.size() && b[j] <= value) ++j;
    distance = std::max(distance, std::abs(static_cast<double>(i) / n - static_cast<double>(j) / m));
  }
  const double root = std::sqrt(n * m / (n + m));
  const double lambda = (root + 0.12 + 0.11 / root) * distance;
  if (lambda < 0.2) return 1;
  double sum = 0;
  for (int k = 1; k <= 100; ++k) sum += (k % 2 ? 2 : -2) * std::exp(-2.0 * k * k * lambda * lambda);
  return std::clamp(sum, 0.0, 1.0);
}

double fisher_p(std::size_t marked, std::size_t drawn, std::size_t all_marked, std::size_t all) {
  const std::size_t unmarked = all - all_marked, fewest = drawn > unmarked ? drawn - unmarked : 0;
  if (marked <= fewest) return 1;
  const boost::math::hypergeometric_distribution<double> chance(static_cast<unsigned>(all_marked), static_cast<unsigned>(drawn), static_cast<unsigned>(all));
  return boost::math::cdf(boost::math::complement(chance, static_cast<double>(marked - 1)));
}

std::vector<double> holm(std::vector<double> p_values) {
  std::vector<std::size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t x, std::size_t y) { return p_values[x] < p_values[y]; });
  double running = 0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    running = std::max(running, std::min(1.0, p_values[order[k]] * static_cast<double>(order.size() - k)));
    p_values[order[k]] = running;
  }
  return p_values;
}

std::uint64_t Random::next() {
  state_ ^= state_ >> 12;
  state_ ^= state_ << 25;
  state_ ^= state_ >> 27;
  return state_ * 0x2545f4914f6cdd1dULL;
}

double Random::uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

double Random::normal(double centre, double deviation) {
  const double radius = std::sqrt(-2 * std::log(1 - uniform()));
  return centre + deviation * radius * std::cos(2 * std::numbers::pi * uniform());
}

double Random::exponential(double average) { return -average * std::log(1 - uniform()); }

}  // namespace callwitness::metrics
