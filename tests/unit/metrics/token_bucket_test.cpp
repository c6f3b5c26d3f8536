// The token bucket's model and fit on hand-made arms, worked out by hand where that can be done.
#include "metrics/fits/bucket_search.hpp"
#include "metrics/fits/token_bucket.hpp"
#include "metrics/statistics.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <vector>

using namespace callwitness::metrics;

namespace {

/// `seconds` of 200-byte packets each 20 ms (80 kbit/s) through a bucket of `depth` bytes filled at `rate_bps`.
std::vector<ArmPacket> policed(double seconds, double rate_bps, double depth, double from = 0) {
  std::vector<ArmPacket> packets;
  double tokens = depth, last = 0;
  std::uint32_t ordinal = 0;
  for (double t = 0; t < seconds; t += 0.02) {
    tokens = std::min(depth, tokens + (t - last) * rate_bps / 8);
    last = t;
    const bool passes = t < from || tokens >= 200;
    if (passes && t >= from) tokens -= 200;
    packets.push_back({t, 200, passes ? ++ordinal : 0, !passes});
  }
  return packets;
}

std::vector<ArmPacket> randomly_losing(double seconds, double ratio, std::uint64_t seed) {
  Random random(seed);
  auto packets = policed(seconds, 1e9, 1e6);
  for (auto& packet : packets) packet.lost = random.chance(ratio);
  return packets;
}

}  // namespace

TEST_CASE("the walk starts at the first loss, then fills and empties the bucket as a policer does") {
  // 8,000 bit/s are 1,000 bytes a second. What the bucket held before the first loss is unknown; then it was empty.
  const std::vector<ArmPacket> packets = {{0.0, 200, 1}, {0.1, 200, 0, true}, {0.5, 200, 2}, {0.61, 200, 3}, {0.65, 200, 0, true}, {0.75, 200, 4}};
  const auto bins = walk(packets, 8000, 300);
  const auto in = [&](double tokens, bool lost) {
    const auto bin = static_cast<std::size_t>(tokens / 200 / Bins::width);
    return lost ? bins.lost[bin] : bins.seen[bin];
  };
  double seen = 0;
  for (const double count : bins.seen) seen += count;
  CHECK(seen == 4);
  // Whatever the first loss left (at most 200), 400 ms bring it to the brim: 300. Then 300-200+110 = 210; 10+40 = 50: lost.
  CHECK(in(300, false) == 1);
  CHECK(in(210, false) == 1);
  CHECK(in(50, false) == 1);
  CHECK(in(50, true) == 1);
  // A lost packet takes no tokens: 50+100 = 150.
  CHECK(in(150, false) == 1);
  CHECK(in(300, true) + in(210, true) + in(150, true) == 0);
  const auto shares = tokens_found(packets, 8000, 300);
  const std::vector<double> expected = {unknown_tokens, unknown_tokens, 300 / 200.0, 210 / 200.0, 50 / 200.0, 150 / 200.0};
  REQUIRE(shares.size() == expected.size());
  for (std::size_t i = 0; i < shares.size(); ++i) CHECK(shares[i] == Approx(expected[i]));
}

TEST_CASE("the threshold that parts lost from passed is found, and its gain in nats") {
  Bins bins;
  for (int i = 0; i < 10; ++i) bins.add(0.5, true), bins.add(1.5, false);
  const auto best = best_threshold(bins);
  CHECK(best.seen_below == 10);
  CHECK(best.lost_below == 10);
  // Twenty coins of one half each explained without doubt: 20 ln 2 (the fit holds a little doubt back).
  CHECK(best.gain == Approx(20 * 0.6931).margin(2.0));
  Bins even;
  for (int i = 0; i < 10; ++i) even.add(0.5, i % 2 == 0), even.add(1.5, i % 2 == 0);
  CHECK(best_threshold(even).gain < 1);
}

TEST_CASE("a policer's rate is told to a thousandth, from its losses only") {
  for (const double rate : {48'000.0, 64'000.0, 76'000.0}) {
    const auto fits = fit_policers(policed(60, rate, 3000));
    REQUIRE(fits.size() == 1);
    CHECK(fits.front().mechanism);
    CHECK(fits.front().rate_bps == Approx(rate).epsilon(0.003));
    CHECK(fits.front().rate_low <= rate);
    CHECK(fits.front().rate_high >= rate);
    CHECK(fits.front().loss_when_full <= 0.2);
  }
}

TEST_CASE("a policer that begins in mid-call is told from then on") {
  const auto fits = fit_policers(policed(90, 60'000, 2000, 40));
  REQUIRE_FALSE(fits.empty());
  CHECK(fits.front().mechanism);
  CHECK(fits.front().start == Approx(40).margin(2));
  CHECK(fits.front().rate_bps == Approx(60'000).epsilon(0.005));
}

TEST_CASE("stray losses before a policer began are not its own") {
  auto packets = policed(90, 48'000, 2000, 10);
  for (const std::size_t stray : {60U, 200U, 390U}) packets[stray].lost = true;   // 1.2 s to 7.8 s
  const auto fits = fit_policers(packets);
  REQUIRE(fits.size() == 1);
  CHECK(fits.front().mechanism);
  CHECK(fits.front().start == Approx(10).margin(1));
  CHECK(fits.front().end == Approx(90).margin(1));
  CHECK(fits.front().rate_bps == Approx(48'000).epsilon(0.005));
}

TEST_CASE("a mild cap that a harder one follows, or goes before, is told too") {
  // 70 of 80 kbit/s lose 12.5 %, 40 lose 50 %: beside those the first are few.
  for (const auto& [first, second] : {std::pair{70'000.0, 40'000.0}, {40'000.0, 70'000.0}}) {
    auto packets = policed(40, first, 2000);
    for (auto packet : policed(40, second, 2000)) {
      packet.time += 40;
      packets.push_back(packet);
    }
    const auto fits = fit_policers(packets);
    REQUIRE(fits.size() == 2);
    CHECK(fits[0].mechanism);
    CHECK(fits[0].rate_bps == Approx(first).epsilon(0.01));
    CHECK(fits[0].end <= 41);
    CHECK(fits[1].mechanism);
    CHECK(fits[1].rate_bps == Approx(second).epsilon(0.01));
    CHECK(fits[1].start >= 39);
  }
}

TEST_CASE("a line that fades and recovers lets more pass than a bucket would") {
  std::vector<ArmPacket> packets;
  for (int fade = 0; fade < 4; ++fade)
    for (auto packet : policed(20, 64'000, 2000, 12)) {          // 12 s of 80 kbit/s, 8 s of 64
      packet.time += 20 * fade;
      packets.push_back(packet);
    }
  for (const auto& fit : fit_policers(packets)) {
    CHECK_FALSE(fit.mechanism);
    // Three recoveries of 12 s after the first fade, each with 15.4 kbit/s more than the rate and its doubt of 1 %.
    CHECK(fit.beyond_s == Approx(3 * 12 * 15.4 / 64.6).margin(0.7));
  }
}

TEST_CASE("in a run of losses tokens only add up") {
  // 8,000 bit/s: 100 ms bring 100 bytes. The first loss leaves 200 at most; the next ones find 300 and 400.
  const std::vector<ArmPacket> packets = {{0.0, 200, 1}, {0.1, 200, 0, true}, {0.2, 200, 0, true}, {0.3, 200, 2}, {0.35, 200, 0, true}, {0.4, 200, 0, true}};
  const auto shares = tokens_found(packets, 8000, 1000);
  const std::vector<double> expected = {unknown_tokens, unknown_tokens, 200 / 200.0, 300 / 200.0, 150 / 200.0, 200 / 200.0};
  REQUIRE(shares.size() == expected.size());
  for (std::size_t i = 0; i < shares.size(); ++i) CHECK(shares[i] == Approx(expected[i]));
}

TEST_CASE("a radio that is away half of each half second is no policer") {
  auto packets = policed(60, 1e9, 1e6);
  for (std::size_t i = 0; i < packets.size(); ++i) packets[i].lost = i % 25 >= 13;
  for (const auto& fit : fit_policers(packets)) CHECK_FALSE(fit.mechanism);
}

TEST_CASE("random loss is no policer, whatever its ratio") {
  for (const double ratio : {0.01, 0.05, 0.25})
    for (std::uint64_t seed = 1; seed <= 10; ++seed)
      for (const auto& fit : fit_policers(randomly_losing(60, ratio, seed))) CHECK_FALSE(fit.mechanism);
}
