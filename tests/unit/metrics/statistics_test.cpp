// The statistics, each worked out by hand.
#include "metrics/statistics.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <vector>

using namespace callwitness::metrics;
using Values = std::vector<double>;

TEST_CASE("means, spreads and quantiles", "[statistics]") {
  CHECK(mean(Values{1, 2, 3, 4}) == 2.5);
  CHECK(standard_deviation(Values{1, 2, 3, 4}) == Approx(std::sqrt(5.0 / 3)));
  CHECK(standard_deviation(Values{7}) == 0);
  CHECK(quantile({4, 1, 3, 2}, 0.25) == 1.75);
  CHECK(quantile({}, 0.5) == 0);
  CHECK(median({3, 1, 2}) == 2);
  CHECK(relative_spread({1, 2, 3, 4, 5}) == Approx(2.0 / 3));
  CHECK(correlation(Values{1, 2, 3}, Values{2, 4, 6}) == Approx(1));
  CHECK(correlation(Values{1, 2, 3}, Values{3, 2, 1}) == Approx(-1));
}

TEST_CASE("chi squared of two degrees is an exponential", "[statistics]") { CHECK(chi_squared_cdf(2, 2) == Approx(1 - std::exp(-1))); }

TEST_CASE("Mann-Whitney: ranks 1-3 against 4-6", "[statistics]") {
  // U = 0, mean 4.5, variance 9 × 7 / 12 = 5.25, half a rank of continuity: z = 4 / 2.2913 = 1.7457.
  CHECK(mann_whitney_p(Values{1, 2, 3}, Values{4, 5, 6}) == Approx(0.0809).epsilon(0.01));
  CHECK(mann_whitney_p(Values{1, 1}, Values{1, 1}) == 1);
}

TEST_CASE("Kolmogorov-Smirnov: two samples that don't overlap", "[statistics]") {
  // D = 1, the root of 3 × 3 / 6 is 1.2247; λ = 1.2247 + 0.12 + 0.11 / 1.2247 = 1.4346; 2 exp(-2 λ²) = 0.0326.
  CHECK(kolmogorov_smirnov_p({1, 2, 3}, {4, 5, 6}) == Approx(0.0326).epsilon(0.01));
  CHECK(kolmogorov_smirnov_p({1, 2}, {1, 2}) == 1);
}

TEST_CASE("Fisher: both marked ones among two drawn of four", "[statistics]") {
  CHECK(fisher_p(2, 2, 2, 4) == Approx(1.0 / 6));
  CHECK(fisher_p(1, 2, 2, 4) == Approx(5.0 / 6));
  CHECK(fisher_p(0, 2, 2, 4) == 1);
  CHECK(fisher_p(1, 3, 2, 4) == 1);                               // three drawn of four hold one at least
  CHECK(fisher_p(4, 20, 5, 60) == Approx(0.0383).epsilon(0.01));
}

TEST_CASE("Holm multiplies by how many are left, and never goes back", "[statistics]") {
  const auto corrected = holm({0.01, 0.04, 0.03});
  CHECK(corrected[0] == Approx(0.03));
  CHECK(corrected[2] == Approx(0.06));
  CHECK(corrected[1] == Approx(0.06));
}
