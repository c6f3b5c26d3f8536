// What an arm's packets hold, worked out by hand.
#include "metrics/fits/arm.hpp"

#include <catch2/catch.hpp>

using namespace callwitness;
using metrics::TracePacket;

TEST_CASE("each packet tells how much media it carries, by its timestamps and numbers", "[arm]") {
  classify::Classification classification;
  classification.streams.emplace_back().sequence_basis = classify::SequenceBasis::rtp;
  metrics::Observation observation;
  observation.classification = &classification;
  observation.streams.emplace_back().clock_rate_hz = 48'000;
  observation.flows.emplace_back();
  auto& trace = observation.flows.back().trace;
  const auto arrive = [&](double seconds, std::int32_t sequence, std::uint32_t ticks) {
    TracePacket packet;
    packet.time = observation.first_time + capture::from_seconds(seconds);
    packet.ordinal = static_cast<std::uint32_t>(trace.size() + 1);
    packet.extended_sequence = sequence;
    packet.media_time = ticks;
    packet.stream = 0;
    packet.direction = metrics::Direction::received;
    packet.has_media_time = true;
    packet.ip_bytes = 100;
    trace.push_back(packet);
  };
  // 960 ticks of 48 kHz are 20 ms. The clock wraps between the first two.
  arrive(0.00, 0, 0xffffffe0U);
  arrive(0.02, 1, 0xffffffe0U + 960);
  arrive(0.08, 4, 0xffffffe0U + 960 + 3 * 960);      // two are lost: three packets' media since the one before
  arrive(0.09, 3, 0xffffffe0U + 960 + 2 * 960);      // a late one tells nothing
  arrive(0.12, 5, 0xffffffe0U + 960 + 3 * 960 + 1920);
  for (int i = 6; i < 120; ++i) arrive(0.12 + 0.04 * (i - 5), i, 0xffffffe0U + 960 + 3 * 960 + 1920U * static_cast<std::uint32_t>(i - 4));
  const auto arms = metrics::arms_of(observation);
  REQUIRE(arms.size() == 1);
  const auto& packets = arms[0].packets;
  REQUIRE(packets.size() == trace.size() + 1);       // with the one that never came
  std::vector<int> tenths;
  for (const auto& packet : packets)
    if (!packet.lost && tenths.size() < 6) tenths.push_back(packet.media_tenths_ms);
  CHECK(tenths == std::vector<int>{0, 200, 200, 0, 400, 400});
}
