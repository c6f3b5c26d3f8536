// Packets kept for a radio that sleeps, on hand-made arms.
#include "metrics/finding_support.hpp"
#include "metrics/fits/waiting.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <vector>

using namespace callwitness;
using metrics::ArmPacket;

namespace {

constexpr double beacon = 0.1024;

struct Arms { std::vector<ArmPacket> sent, arrived; };

/// A packet each 20 ms for a minute, handed over at beacons, 0.3 ms apart; `lost(number, place)` by its place since the beacon.
template <class Lost>
Arms asleep(Lost&& lost) {
  Arms arms;
  double index = -1, place = 0;
  for (std::uint32_t i = 0; i < 3000; ++i) {
    const double time = 0.02 * i;
    if (std::floor(time / beacon) != index) index = std::floor(time / beacon), place = 0;
    const bool gone = lost(i, place);
    arms.sent.push_back({time, 100, gone ? 0 : i + 1, gone});
    arms.arrived.push_back({gone ? time : (index + 1) * beacon + 0.0003 * place, 100, gone ? 0 : i + 1, gone});
    place += 1;
  }
  return arms;
}

}  // namespace

TEST_CASE("a full buffer drops what comes last before its radio wakes, a bucket upstream drops anywhere", "[waiting]") {
  const auto full = asleep([](std::uint32_t, double place) { return place >= 4; });
  const auto bucket = asleep([](std::uint32_t i, double) { return i % 7 == 3; });
  const auto mixed = asleep([](std::uint32_t i, double place) { return place >= 4 || i % 50 == 3; });   // and a radio's stray losses
  CHECK(metrics::lost_between_batches(full.arrived, full.sent));
  CHECK(metrics::lost_between_batches(mixed.arrived, mixed.sent));
  CHECK_FALSE(metrics::lost_between_batches(bucket.arrived, bucket.sent));
}

TEST_CASE("without batches, losses are between none", "[waiting]") {
  const auto arms = asleep([](std::uint32_t i, double) { return i % 7 == 3; });
  CHECK_FALSE(metrics::lost_between_batches(arms.sent, arms.sent));
}

TEST_CASE("an overflow of a hundred packets weighs more than twenty stray losses", "[waiting]") {
  Arms arms;
  for (std::uint32_t i = 0; i < 3000; ++i) {
    const bool full = i >= 1000 && i < 1100, gone = i % 150 == 0 || (full && i > 1000);
    arms.sent.push_back({0.02 * i, 100, gone ? 0 : i + 1, gone});
    arms.arrived.push_back({0.02 * i + (full ? 3 : 0), 100, gone ? 0 : i + 1, gone});
  }
  CHECK(metrics::waited_before_losses(arms.arrived, arms.sent, 40'000, 0.05));
  for (std::size_t i = 1001; i < 1100; ++i) arms.sent[i].lost = arms.arrived[i].lost = i == 1001;
  CHECK_FALSE(metrics::waited_before_losses(arms.arrived, arms.sent, 40'000, 0.05));
}

TEST_CASE("a queue that hardly empties drops when it is fullest; a bucket before it does not care", "[waiting]") {
  for (const bool in_queue : {true, false}) {
    Arms arms;
    for (std::uint32_t i = 0; i < 3000; ++i) {
      const double wait = 0.1 + 0.05 * (i % 50) / 50;                     // 100 to 150 ms, never empty
      const bool gone = in_queue ? i % 50 >= 45 : i % 10 == 7;
      arms.sent.push_back({0.02 * i, 100, gone ? 0 : i + 1, gone});
      arms.arrived.push_back({0.02 * i + (in_queue ? wait : 0.1 + 0.05 * (i % 49) / 49), 100, gone ? 0 : i + 1, gone});
    }
    CHECK(metrics::waited_before_losses(arms.arrived, arms.sent, 40'000, 0.03) == in_queue);
  }
}

TEST_CASE("packets that overtake one another came by two ways", "[waiting]") {
  metrics::Observation observation;
  metrics::Arm arm;
  arm.streams = {classify::StreamId{0}, classify::StreamId{1}};
  observation.streams.resize(2);
  for (auto& stream : observation.streams) stream.packets = 1000;
  observation.streams[1].reordered = 19;
  CHECK_FALSE(metrics::came_by_two_ways(observation, arm));
  observation.streams[0].reordered = 1;
  CHECK(metrics::came_by_two_ways(observation, arm));
}
