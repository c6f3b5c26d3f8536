#include "metrics/models/log_likelihood.hpp"

#include "metrics/statistics.hpp"

#include <algorithm>
#include <cmath>

namespace callwitness::metrics::models {

double log_mean_exp(std::span<const double> terms) {
  if (terms.empty()) return least_logarithm;
  const double greatest = *std::max_element(terms.begin(), terms.end());
  double sum = 0;
  for (const double term : terms) sum += std::exp(term - greatest);
  return greatest + std::log(sum / static_cast<double>(terms.size()));
}

std::vector<double> log_spaced(double low, double high, std::size_t count) {
  std::vector<double> values;
  for (std::size_t i = 0; i < count; ++i) {
    const double share = count > 1 ? static_cast<double>(i) / static_cast<double>(count - 1) : 0;
    values.push_back(low * std::pow(high / low, share));
  }
  return values;
}

double sum_of_squares(std::span<const double> values) {
  const double centre = mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - centre) * (value - centre);
  return sum;
}

}  // namespace callwitness::metrics::models
