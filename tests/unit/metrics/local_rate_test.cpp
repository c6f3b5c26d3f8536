// Rates of runs without losses, worked out by hand.
#include "metrics/fits/local_rate.hpp"

#include <catch2/catch.hpp>

using namespace callwitness;
using metrics::ArmPacket;
using metrics::LosslessRuns;

namespace {

/// Frames every 40 ms: two packets of 1,000 bytes 1 ms apart, and of every second frame a third one that is lost.
std::vector<ArmPacket> bursts(int frames, double lost_after) {
  std::vector<ArmPacket> packets;
  std::uint32_t ordinal = 0;
  for (int frame = 0; frame < frames; ++frame) {
    const double start = 0.04 * frame;
    packets.push_back({start, 1000, ++ordinal, false, false});
    packets.push_back({start + 0.001, 1000, ++ordinal, false, false});
    if (frame % 2) packets.push_back({start + 0.001 + lost_after, 1000, ordinal, true, false});
  }
  return packets;
}

}  // namespace

TEST_CASE("a loss ends the run of the packet before it, wherever it stood", "[local-rate]") {
  // Four packets pass in 80 ms. Left out is the step that holds the loss (39 ms and a packet): three packets in 41 ms.
  for (const double lost_after : {0.001, 0.0385}) {
    const auto rate = LosslessRuns(bursts(40, lost_after)).rate();
    REQUIRE(rate);
    CHECK(*rate == Approx(3 * 8000 / 0.041).epsilon(0.02));
  }
}

TEST_CASE("the share of bytes that came in bursts", "[local-rate]") {
  const LosslessRuns runs(bursts(40, 0.001));
  // Of three steps two take 1 ms and one 39 ms; 1,000 bytes take 40 ms at 200 kbit/s, and 4 ms at 2 Mbit/s.
  CHECK(runs.in_bursts(200'000) == Approx(2 / 3.0).epsilon(0.02));
  CHECK(runs.in_bursts(2'000'000) == Approx(2 / 3.0).epsilon(0.02));
  // At 80 kbit/s they take 100 ms: 39 ms is less than half of it.
  CHECK(runs.in_bursts(80'000) == Approx(1));
  // At 8 Mbit/s they take 1 ms, which is no burst.
  CHECK(runs.in_bursts(8'000'000) == 0);
}

TEST_CASE("a queue's packets are no bursts and no faster than its rate", "[local-rate]") {
  // 500 bytes every 40 ms: 100 kbit/s; every fifth is dropped without a gap.
  std::vector<ArmPacket> packets;
  for (std::uint32_t k = 0; k < 100; ++k) {
    packets.push_back({0.04 * k, 500, k + 1, false, false});
    if (k % 5 == 4) packets.push_back({0.04 * k + 0.02, 500, k + 1, true, false});
  }
  const LosslessRuns runs(packets);
  REQUIRE(runs.rate());
  CHECK(*runs.rate() == Approx(100'000));
  CHECK(runs.in_bursts(100'000) == 0);
}

TEST_CASE("too few steps near losses tell nothing", "[local-rate]") {
  std::vector<ArmPacket> packets;
  for (std::uint32_t k = 0; k < 100; ++k) packets.push_back({0.04 * k, 500, k + 1, false, false});
  CHECK_FALSE(LosslessRuns(packets).rate());                 // no loss at all
  packets.insert(packets.begin() + 50, {1.98, 500, 0, true, false});
  CHECK_FALSE(LosslessRuns(packets).rate());                 // six packets before and after: ten steps
  CHECK(LosslessRuns(packets).in_bursts(1) == 0);
  // Every second packet lost: no step without a loss.
  std::vector<ArmPacket> alternating;
  for (std::uint32_t k = 0; k < 100; ++k) alternating.push_back({0.04 * k, 500, k + 1 - k % 2, k % 2 == 1, false});
  CHECK_FALSE(LosslessRuns(alternating).rate());
}
