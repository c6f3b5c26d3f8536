// Small statistics shared by detectors and the comparison. Pure functions, deterministic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace callwitness::metrics {

double mean(std::span<const double> values);
double standard_deviation(std::span<const double> values);   ///< of the sample (n - 1); 0 below two values
/// Linear interpolation between order statistics; 0 for no values. `share` in 0-1.
double quantile(std::vector<double> values, double share);
double median(std::vector<double> values);
/// Interquartile range over the median; 0 when the median is 0.
double relative_spread(const std::vector<double>& values);
double correlation(std::span<const double> x, std::span<const double> y);

/// P(X ≤ chi_squared) with `degrees` degrees of freedom.
double chi_squared_cdf(double chi_squared, double degrees);
/// Two-sided p of the Mann-Whitney test (normal approximation, tie-corrected).
double mann_whitney_p(std::span<const double> a, std::span<const double> b);
/// Asymptotic p of the two-sample Kolmogorov-Smirnov test.
double kolmogorov_smirnov_p(std::vector<double> a, std::vector<double> b);
/// Fisher's exact test, one-sided: p that `marked` of `drawn` out of `all`, of which `all_marked` are marked, are so many by chance.
double fisher_p(std::size_t marked, std::size_t drawn, std::size_t all_marked, std::size_t all);
/// Holm's step-down correction, in the order given.
std::vector<double> holm(std::vector<double> p_values);

/// xorshift64*: the same numbers on every machine, which std::<distribution> doesn't promise.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15ULL + 0x632be59bd9b4e019ULL) { next(); }
  std::uint64_t next();
  double uniform();                                           ///< [0, 1)
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  std::size_t index(std::size_t size) { return static_cast<std::size_t>(uniform() * static_cast<double>(size)); }
  bool chance(double probability) { return uniform() < probability; }
  double normal(double centre = 0, double deviation = 1);
  double exponential(double average);

 private:
  std::uint64_t state_;
};

}  // namespace callwitness::metrics
