// A shaper on voice whose sizes wander, through the whole pipeline. Its queue takes half a second to fill while the stream's
// clock is taken; it must be told as what it is, at its rate.
#include "../../support/machine.hpp"

#include <catch2/catch.hpp>

#include <cmath>

using namespace tests;

TEST_CASE("a shaper is told as one although its queue fills while the clock is taken", "[shaper]") {
  constexpr double rate = 40'000, queue = 2500, until = 60;   // bit/s, bytes, seconds
  const Wire wire{peer, 40000, 23456, false};
  Machine machine;
  callwitness::metrics::Random random(7);
  double size = 100, free = 0;
  for (std::uint32_t i = 0; 1 + i * 0.02 < until; ++i) {
    const double sent = 1 + i * 0.02;
    size = std::clamp(size + random.normal((100 - size) * 0.1, 10), 40.0, 300.0);
    std::vector<std::uint8_t> rtp = {0x80, 111};
    montecarlo::put16(rtp, i & 0xffff);
    montecarlo::put32(rtp, i * 960);
    montecarlo::put32(rtp, 0x1234);
    rtp.resize(12 + static_cast<std::size_t>(size), 0x55);
    const double bytes = static_cast<double>(rtp.size()) + 28;
    machine.udp(sent, wire, true, rtp);
    // Offered are 56 kbit/s.
    if (std::max(0.0, free - sent) * rate / 8 + bytes > queue) continue;
    free = std::max(free, sent) + bytes * 8 / rate;
    rtp[8] = 1;
    machine.udp(free + 0.02, wire, false, rtp);
  }
  machine.pages(until);
  const auto analysis = machine.analysis();
  std::size_t received = 0;
  for (const auto& stream : analysis.streams) {
    if (stream.direction != metrics::Direction::received) continue;
    ++received;
    CHECK(stream.clock_rate_hz == 48'000u);
  }
  CHECK(received == 1);
  std::size_t caps = 0;
  for (const auto& finding : analysis.findings) {
    if (finding.kind != callwitness::metrics::FindingKind::rate_cap) continue;
    ++caps;
    CHECK(finding.mechanism == callwitness::metrics::Mechanism::shaper);
    CHECK(finding.rate_bps.value_or(0) == Approx(rate).epsilon(0.01));
  }
  CHECK(caps == 1);
}
