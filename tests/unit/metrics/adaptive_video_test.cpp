// Video that backs off before its queue is full, beside voice in the same flow, through the whole pipeline: the queue is told by
// the moments in which it stands. A far end's own slow uplink looks the same.
#include "../../support/machine.hpp"

#include <catch2/catch.hpp>

#include <cmath>

using namespace tests;

namespace {

constexpr double until = 80;   // seconds

std::vector<std::uint8_t> rtp(std::uint8_t type, std::uint32_t number, std::uint32_t ticks, std::uint32_t source, std::size_t payload) {
  std::vector<std::uint8_t> bytes = {0x80, type};
  montecarlo::put16(bytes, number & 0xffff);
  montecarlo::put32(bytes, ticks);
  montecarlo::put32(bytes, source);
  bytes.resize(12 + payload, static_cast<std::uint8_t>(number * 37 + type));
  return bytes;
}

/// Voice of 48 kbit/s and video that climbs for ten seconds and backs off again, through a queue of this rate; downloads of a
/// megabit a second go past it.
metrics::Analysis behind(double rate) {
  const Wire wire{peer, 40000, 23456, false};
  Machine machine;
  machine.talk(wire, 1, until, 1, 0x77);
  callwitness::metrics::Random random(3);
  double free = 0;
  std::uint32_t video = 0;
  const auto receive = [&](double at, const std::vector<std::uint8_t>& payload) {
    free = std::max(free, at) + 8 * (static_cast<double>(payload.size()) + 28) / rate;
    machine.udp(free + 0.02, wire, false, payload);
  };
  for (std::uint32_t i = 0; 1 + i * 0.02 < until; ++i) {
    const double at = 1 + i * 0.02;
    receive(at, rtp(111, i, i * 960, 0x1111, 80));
    if (i % 5 != 0) continue;
    double left = (rate - 48'000) * (0.3 + 0.08 * std::fmod(at, 10)) / 8 * 0.1 * random.uniform(0.6, 1.4);
    for (; left > 60; left -= 900) receive(at, rtp(left > 900 ? 96 : 224, video++, i * 1800, 0x2222, static_cast<std::size_t>(std::min(left, 900.0)) - 40));
  }
  for (int k = 0; k < 7; ++k) {
    const Wire web{0xc6336401, static_cast<std::uint16_t>(42000 + k), 443, true};
    const double at = 8.5 + 10 * k;
    machine.tcp(at, web, true, 500, 0, 2, 0);
    machine.tcp(at + 0.02, web, false, 999, 501, 18, 0);
    for (std::uint32_t i = 0; i < 300; ++i) machine.tcp(at + 0.05 + i * 0.011, web, false, 1000 + 1400 * i, 801, 16, 1400);
  }
  return machine.analysis();
}

}  // namespace

TEST_CASE("a queue that adaptive video fills now and then accuses below any uplink's rate, and is mentioned above", "[shaper]") {
  for (const double rate : {120'000.0, 300'000.0}) {
    const auto analysis = behind(rate);
    const auto* cap = find(analysis, "rate_cap");
    REQUIRE(cap != nullptr);
    CHECK(cap->mechanism == callwitness::metrics::Mechanism::shaper);
    CHECK(cap->rate_bps.value_or(0) == Approx(rate).epsilon(0.01));
    CHECK(cap->numbers.contains("busy_periods"));
    CHECK(cap->numbers.at("busy_s") < 0.5 * until);
    CHECK(accused(analysis) == (rate < 150'000));
    if (!accused(analysis)) CHECK(analysis.verdict.verdict_class == metrics::VerdictClass::impaired);
  }
}
