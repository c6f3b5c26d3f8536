// The limits of hand-made paths whose truth is known, and of innocent ones, which have none.
#include "made_path.hpp"
#include "metrics/models/limit.hpp"

#include <catch2/catch.hpp>

#include <cmath>

using namespace callwitness::metrics;
using models::LimitKind;

namespace {

models::Limit only_limit(const models::Path& path) {
  const auto limits = models::find_limits(path);
  REQUIRE(limits.size() == 1);
  return limits.front();
}

/// Losses by a coin.
auto random_loss(std::uint64_t seed, double share) {
  return [random = Random(seed), share](const models::PathPacket&) mutable { return random.chance(share); };
}

}  // namespace

TEST_CASE("a policer of constant audio is told with its rate, from a tenth of what is offered up", "[limit]") {
  for (const double rate : {1000.0, 3000.0, 6500.0, 9000.0}) {
    auto path = made::with_losses(made::steady(60), made::Policer{rate, 2000});
    made::jitter(path, 7, 0.008);
    const auto limit = only_limit(path);
    CHECK(limit.kind == LimitKind::policer);
    CHECK(limit.rate == Approx(rate).epsilon(0.01));
    CHECK(limit.rate_low <= rate * 1.002);
    CHECK(limit.rate_high >= rate * 0.998);
    CHECK(limit.cause.margin >= models::least_margin);
    CHECK_FALSE(limit.bound.empty());
  }
}

TEST_CASE("a talker who pauses under a policer is told, with the depth that the pauses fill", "[limit]") {
  const auto limit = only_limit(made::with_losses(made::talker(3, 180), made::Policer{5000, 3000}));
  CHECK(limit.kind == LimitKind::policer);
  CHECK(limit.rate == Approx(5000).epsilon(0.02));
  CHECK(limit.depth_low <= 3000);
  CHECK(limit.depth_high >= 2700);
}

TEST_CASE("adaptive video under a policer is told", "[limit]") {
  made::Policer policer{40000, 16000};
  const auto limit = only_limit(made::adaptive_video(5, 120, 40000, [&](const auto& packet) { return policer(packet); }));
  CHECK(limit.kind == LimitKind::policer);
  CHECK(limit.rate == Approx(40000).epsilon(0.02));
}

TEST_CASE("a cap that begins and ends in mid-call is told with when", "[limit]") {
  const auto limit = only_limit(made::with_losses(made::steady(120), made::Policer{6000, 1500, 40, 90}));
  CHECK(limit.kind == LimitKind::policer);
  CHECK(limit.rate == Approx(6000).epsilon(0.01));
  CHECK(limit.start == Approx(40).margin(4));
  CHECK(limit.end == Approx(90).margin(4));
}

TEST_CASE("a shaper is a queue with its rate", "[limit]") {
  auto path = made::queued(made::steady(60), 7000, 3000);
  made::jitter(path, 3, 0.002);
  const auto limit = only_limit(path);
  CHECK(limit.kind == LimitKind::queue);
  CHECK(limit.rate == Approx(7000).epsilon(0.01));
}

TEST_CASE("random loss is no limit, nor is heavy random loss", "[limit]") {
  for (const double share : {0.03, 0.2, 0.3, 0.6}) {
    CHECK(models::find_limits(made::with_losses(made::steady(60), random_loss(11, share))).empty());
    CHECK(models::find_limits(made::with_losses(made::talker(4, 90), random_loss(12, share))).empty());
  }
}

TEST_CASE("losses in bursts are no limit", "[limit]") {
  Random random(5);
  double until = 0, next = 1;
  auto path = made::with_losses(made::steady(120), [&](const models::PathPacket& packet) {
    if (packet.sent >= next) until = next + random.exponential(0.15), next = until + random.exponential(1.5);
    return packet.sent < until && random.chance(0.8);
  });
  made::jitter(path, 9, 0.01);
  CHECK(models::find_limits(path).empty());
}

TEST_CASE("a radio that sleeps and has room for few packets is no policer", "[limit]") {
  auto path = made::steady(90);
  std::size_t kept = 0;
  double wake = 0;
  Random random(8);
  for (auto& packet : path.packets) {
    if (packet.sent >= wake) wake += random.uniform(0.08, 0.2), kept = 0;
    packet.lost = ++kept > 6;
    packet.arrival = wake + 1e-4 * static_cast<double>(kept);
  }
  for (const auto& limit : models::find_limits(path)) CHECK(limit.kind != LimitKind::policer);
}

TEST_CASE("two streams of which one loses at random share no bucket", "[limit]") {
  auto path = made::with_losses(made::steady(60), random_loss(3, 0.3));
  for (auto packet : made::steady(60).packets) {
    packet.stream = 1, packet.arrival += 0.007, packet.sent += 0.007;
    path.packets.push_back(packet);
  }
  made::jitter(path, 2, 0.004);
  CHECK(models::find_limits(path).empty());
}

TEST_CASE("two calls through one bucket have one rate, together", "[limit]") {
  models::Path both;
  for (std::uint16_t stream = 0; stream < 2; ++stream)
    for (auto packet : made::steady(60, 200, 0.02 + 0.0003 * stream).packets) {
      packet.stream = stream, packet.sent += 0.011 * stream, packet.arrival = packet.sent;
      both.packets.push_back(packet);
    }
  std::sort(both.packets.begin(), both.packets.end(), [](const auto& a, const auto& b) { return a.sent < b.sent; });
  const auto limit = only_limit(made::with_losses(both, made::Policer{14000, 4000}));
  CHECK(limit.kind == LimitKind::policer);
  CHECK(limit.rate == Approx(14000).epsilon(0.01));
}

TEST_CASE("a quota of sizes that vary is told, and of one size left beside an absence", "[limit]") {
  const auto quota = [](models::Path path) {
    double passed = 0, period = -1;
    return made::with_losses(std::move(path), [=](const models::PathPacket& packet) mutable {
      if (std::floor(packet.sent / 2) != period) period = std::floor(packet.sent / 2), passed = 0;
      if (passed + packet.bytes > 9000) return true;
      passed += packet.bytes;
      return false;
    });
  };
  const auto varied = only_limit(quota(made::talker(6, 180)));
  CHECK(varied.kind == LimitKind::quota);
  CHECK(varied.period == Approx(2).epsilon(0.005));
  CHECK(varied.period_bytes == Approx(9000).epsilon(0.03));
  CHECK_FALSE(varied.or_absence);
  const auto steady = only_limit(quota(made::steady(90)));
  CHECK(steady.kind == LimitKind::quota);
  CHECK(steady.or_absence);
}

TEST_CASE("paths that lose hardly anything, or hold no sense, are left alone", "[limit]") {
  CHECK(models::find_limits({}).empty());
  CHECK(models::find_limits(made::steady(60)).empty());
  auto all_lost = made::steady(30);
  for (auto& packet : all_lost.packets) packet.lost = true;
  CHECK(models::find_limits(all_lost).empty());
  auto at_once = made::with_losses(made::steady(30), random_loss(1, 0.3));
  for (auto& packet : at_once.packets) packet.arrival = packet.sent = 1;
  CHECK(models::find_limits(at_once).empty());
  auto wild = made::with_losses(made::steady(30), random_loss(2, 0.3));
  Random random(4);
  for (auto& packet : wild.packets) packet.sent = random.uniform(-1e9, 1e9), packet.bytes = random.chance(0.5) ? 0 : 65535;
  models::find_limits(wild);   // an answer, whatever it is
}
