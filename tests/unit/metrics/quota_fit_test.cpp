// The quota's fit on hand-made arms.
#include "metrics/fits/quota_fit.hpp"
#include "metrics/statistics.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <vector>

using namespace callwitness::metrics;

namespace {

/// Packets of 100-200 bytes each 20 ms (about 60 kbit/s) of which `bytes` pass in every `period`; `random_loss` on top.
std::vector<ArmPacket> under_quota(double seconds, double period, double bytes, double random_loss, std::uint64_t seed) {
  Random random(seed);
  std::vector<ArmPacket> packets;
  double used = 0, last_passed = 0;
  double index = -1;
  std::uint32_t ordinal = 0;
  for (double t = 0.3; t < seconds; t += 0.02) {
    const double size = random.uniform(100, 200);
    if (std::floor(t / period) != index) index = std::floor(t / period), used = 0;
    const bool passes = used + size <= bytes && !random.chance(random_loss);
    if (passes) used += size;
    ArmPacket packet{t, size, passes ? ++ordinal : 0, !passes};
    if (passes) packet.after_silence = t - last_passed >= silence_seconds, last_passed = t;
    packets.push_back(packet);
  }
  return packets;
}

}  // namespace

TEST_CASE("a quota is told by its period and its bytes") {
  for (const double period : {1.0, 2.0, 5.0}) {
    const double bytes = 5000 * period;   // 40 kbit/s
    const auto fit = fit_quota(under_quota(90, period, bytes, 0.003, 3));
    REQUIRE(fit.has_value());
    CHECK(fit->period == period);
    CHECK(fit->bytes == Approx(bytes).epsilon(0.02));
    CHECK(fit->bytes <= bytes);
    CHECK(fit->closed_s == Approx(period / 3).epsilon(0.15));   // 7,500 bytes a second offered
  }
}

TEST_CASE("neither random loss nor a token bucket is a quota") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) CHECK_FALSE(fit_quota(under_quota(90, 1, 1e9, 0.2, seed)).has_value());
  std::vector<ArmPacket> policed;
  double tokens = 3000;
  std::uint32_t ordinal = 0;
  for (double t = 0; t < 90; t += 0.02) {
    tokens = std::min(3000.0, tokens + 100);   // 40 kbit/s
    const bool passes = tokens >= 150;
    if (passes) tokens -= 150;
    policed.push_back({t, 150, passes ? ++ordinal : 0, !passes});
  }
  CHECK_FALSE(fit_quota(policed).has_value());
}
