// A queue that stands now and then, on hand-made arms: voice every 20 ms, video whose rate its sender changes.
#include "metrics/contrast.hpp"
#include "metrics/fits/busy_periods.hpp"
#include "metrics/statistics.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <functional>

using namespace callwitness;
using namespace callwitness::metrics;

namespace {

constexpr double seconds = 60;

struct Call {
  std::vector<ArmPacket> packets;
  std::vector<ClockedPacket> voice;
};

/// Voice of 120 bytes and video of `video_bps` (of the time), through a queue that serves `rate_bps` (of the time) and holds
/// `others_bps` (of the time) of somebody else's as well.
Call through(const std::function<double(double)>& rate_bps, const std::function<double(double)>& video_bps, const std::function<double(double)>& others_bps = [](double) { return 0.0; }) {
  Call call;
  Random random(5);
  double free = 0;
  std::uint32_t ordinal = 0;
  const auto pass = [&](double at, double bytes) {
    free = std::max(free, at) + 8 * bytes / rate_bps(at);
    return free;
  };
  for (int tick = 0; tick < seconds / 0.02; ++tick) {
    const double at = 0.02 * tick;
    if (const double others = others_bps(at) * 0.02 / 8; others > 0) pass(at, others * random.uniform(0, 2));
    const double voice = pass(at, 120);
    call.packets.push_back({voice, 120, ++ordinal, false, false});
    call.voice.push_back({voice, at, 1000 * (voice - at), ordinal});
    if (tick % 5 != 0) continue;
    for (double left = video_bps(at) * 0.1 / 8 * random.uniform(0.6, 1.4); left > 50; left -= 900) {
      const double size = std::min(left, 900.0);
      call.packets.push_back({pass(at, size), size, ++ordinal, false, false});
    }
  }
  return call;
}

/// Backs off each ten seconds and climbs again, as senders do that watch the delay.
double sawtooth(double at) { return 40'000 + 4'000 * std::fmod(at, 10); }
double steady(double rate) { return rate; }

}  // namespace

TEST_CASE("a queue that an adaptive sender fills now and then is told by the periods in which it stands", "[shaper]") {
  const auto call = through([](double) { return 120'000.0; }, sawtooth);
  const auto fit = fit_busy_periods(call.packets, call.voice);
  REQUIRE(fit.has_value());
  CHECK(fit->mechanism);
  CHECK(fit->rate_bps == Approx(120'000).epsilon(0.003));
  CHECK(fit->rate_low < 120'000);
  CHECK(fit->rate_high > 120'000);
  CHECK(fit->periods.size() >= 5);
  CHECK(fit->busy_s < 0.5 * seconds);
}

TEST_CASE("a queue that others fill, too, drains the call at no rate of its own", "[shaper]") {
  const auto call = through([](double) { return 600'000.0; }, sawtooth, [](double at) { return std::fmod(at, 7) < 3 ? 560'000.0 : 200'000.0; });
  const auto fit = fit_busy_periods(call.packets, call.voice);
  REQUIRE(fit.has_value());
  CHECK_FALSE(fit->mechanism);
}

TEST_CASE("a line whose rate wanders is no queue of one rate", "[shaper]") {
  const auto call = through([](double at) { return 100'000 + 20'000 * std::sin(at); }, sawtooth);
  const auto fit = fit_busy_periods(call.packets, call.voice);
  REQUIRE(fit.has_value());
  CHECK_FALSE(fit->mechanism);
}

TEST_CASE("a rate that the sender keeps by itself behind a long queue is the sender's", "[shaper]") {
  // A queue of others' that stands at 100 ms: what goes in at one rate comes out at it.
  Call call = through([](double) { return 1e9; }, [](double) { return 0.0; });
  for (auto& packet : call.packets) packet.time += 0.1 * (packet.time > 5);
  for (auto& packet : call.voice) packet.arrival += 0.1 * (packet.arrival > 5), packet.delay_ms += 100 * (packet.media > 5);
  const auto fit = fit_busy_periods(call.packets, call.voice);
  REQUIRE(fit.has_value());
  CHECK_FALSE(fit->mechanism);
}

TEST_CASE("too few busy seconds tell nothing", "[shaper]") {
  const auto call = through([](double) { return 120'000.0; }, [](double at) { return at > 10 && at < 12 ? 90'000.0 : steady(20'000); });
  CHECK_FALSE(fit_busy_periods(call.packets, call.voice).has_value());
}
