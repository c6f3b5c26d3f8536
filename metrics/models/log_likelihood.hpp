// What the models of events share: means of likelihoods too small for a double, over grids of a spread that nobody knows.
#pragma once

#include <span>
#include <vector>

namespace callwitness::metrics::models {

inline constexpr double least_logarithm = -1e300;   ///< of a likelihood of nothing

/// log of the mean of exp(terms); least_logarithm for none.
double log_mean_exp(std::span<const double> terms);

/// `count` values from `low` to `high` (both > 0), evenly spaced in the logarithm.
std::vector<double> log_spaced(double low, double high, std::size_t count);

/// Sum of squared deviations from the mean.
double sum_of_squares(std::span<const double> values);

}  // namespace callwitness::metrics::models
