#include "made_arrivals.hpp"
#include "metrics/models/arrival_quota.hpp"

using namespace callwitness::metrics::models;

TEST_CASE("a quota is told by the same bytes in each period and gaps at its edges", "[metrics][quota]") {
  for (const double period : {1.0, 2.0, 5.0}) {
    const auto found = find_arrival_quota(made::over_a_line(1, made::quota(made::voice(1, 120, 70, 150), period, 3'500 * period), 0.002));
    REQUIRE(found);
    CHECK(found->period == period);
    CHECK(found->bytes / found->period == Approx(3'500).epsilon(0.015));
    CHECK(static_cast<double>(found->used_up) >= 0.8 * static_cast<double>(found->windows));
  }
}

TEST_CASE("a constant voice stops and goes on at the edges only", "[metrics][quota]") {
  const auto found = find_arrival_quota(made::over_a_line(2, made::quota(made::voice(2, 90, 200, 200), 2, 11'000), 0.004));
  REQUIRE(found);
  CHECK(found->period == 2);
  CHECK(found->bytes / 2 == Approx(5'500).epsilon(0.02));
}

TEST_CASE("no quota is told of what nobody limits", "[metrics][quota]") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CHECK_FALSE(find_arrival_quota(made::over_a_line(seed, made::voice(seed, 120, 70, 150, 0.02, true))));
    CHECK_FALSE(find_arrival_quota(made::over_a_line(seed, made::voice(seed, 120, 200, 200))));
    CHECK_FALSE(find_arrival_quota(made::in_batches(seed, made::voice(seed, 120, 70, 150), 0.04, 0.16)));
    CHECK_FALSE(find_arrival_quota(made::over_a_line(seed, made::policed(made::voice(seed, 120, 70, 150), 3'500, 3'000))));
  }
}
