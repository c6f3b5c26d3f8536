// What a stream's timing is worth through changes of codec, keys, loops and new timestamp bases.
#include "metrics/stream_meter.hpp"

#include <catch2/catch.hpp>

using namespace callwitness;
using namespace callwitness::metrics;

namespace {

capture::Time at_ms(double ms) { return capture::Time(capture::from_seconds(ms / 1e3)); }

struct Sent {
  double at_ms = 0;
  std::uint16_t number = 0;
  std::uint32_t ticks = 0;
  std::int16_t type = 0;
  std::uint32_t clock = 8'000;
  bool auxiliary = false;
};

struct Told {
  StreamMeasures measures;
  StreamObservation observation;
};

classify::Stream voice() {
  classify::Stream stream;
  stream.kind = classify::MediaKind::audio;
  stream.sequence_basis = classify::SequenceBasis::rtp;
  stream.payload_type = 0;
  stream.codec = "pcmu";
  stream.clock_rate_hz = 8'000;
  stream.formats = {{0, "pcmu", 8'000, 0, false}, {107, "opus", 48'000, 0, false}};
  return stream;
}

Told measured(const std::vector<Sent>& packets, const classify::Stream& stream = voice(), double reported = 0) {
  StreamMeter meter(stream, at_ms(0));
  std::size_t budget = 0;
  std::uint64_t ordinal = 0;
  for (const auto& sent : packets) {
    classify::MediaPacket packet;
    packet.time = at_ms(sent.at_ms);
    packet.ordinal = ++ordinal;
    packet.sequence = sent.number;
    packet.media_time = sent.ticks;
    packet.has_sequence = packet.has_media_time = packet.type_has_clock = true;
    packet.payload_type = sent.type;
    packet.clock_rate_hz = sent.clock;
    packet.is_auxiliary = sent.auxiliary;
    packet.payload_bytes = 160;
    packet.ip_bytes = 200;
    meter.add(packet, budget);
  }
  Told told;
  meter.measure(stream, std::nullopt, reported, {}, told.measures, told.observation);
  return told;
}

/// One packet in 20 ms whose arrival wavers by 1 ms.
std::vector<Sent> steady(int count) {
  std::vector<Sent> packets;
  for (int i = 0; i < count; ++i) packets.push_back({i * 20.0 + (i % 3) * 0.5, static_cast<std::uint16_t>(i), static_cast<std::uint32_t>(i) * 160u});
  return packets;
}

double worst_delay(const Told& told) {
  double worst = 0;
  for (const auto& point : told.observation.delay) worst = std::max(worst, static_cast<double>(point.milliseconds));
  return worst;
}

}  // namespace

TEST_CASE("another payload type has another clock: no jitter, no delay, the score of both") {
  auto packets = steady(2'000);
  for (std::size_t i = 1'000; i < packets.size(); ++i) {
    packets[i].type = 107;
    packets[i].clock = 48'000;
    packets[i].ticks = 160'000u + static_cast<std::uint32_t>(i - 1'000) * 960u;
  }
  const auto plain = measured(steady(2'000)), changed = measured(packets);
  REQUIRE(changed.measures.jitter_ms);
  CHECK(*changed.measures.jitter_ms == Approx(*plain.measures.jitter_ms).epsilon(0.02));
  CHECK(worst_delay(changed) < 2);
  CHECK(*changed.measures.mos > *plain.measures.mos - 0.05);
  for (auto& packet : packets)
    if (packet.type == 107) packet.clock = 0;                     // nobody told of it: its timestamps do
  const auto untold = measured(packets);
  REQUIRE(untold.measures.jitter_ms);
  CHECK(*untold.measures.jitter_ms < 2);
}

TEST_CASE("keys held are no jitter and no late packets") {
  auto packets = steady(1'500);
  for (std::size_t i = 0; i < packets.size(); ++i) {
    if (i % 150 < 75) continue;                                   // the timestamp stands at the key's beginning
    packets[i].ticks = static_cast<std::uint32_t>(i - i % 150 + 75) * 160u;
    packets[i].type = 101;
    packets[i].auxiliary = true;
  }
  const auto plain = measured(steady(1'500)), keys = measured(packets);
  CHECK(*keys.measures.mos == Approx(*plain.measures.mos).margin(0.05));
  CHECK(*keys.measures.jitter_ms < 1);
  CHECK(worst_delay(keys) < 2);
  CHECK(*keys.measures.lost == 0);
}

TEST_CASE("a clip in a loop restarts its clock, however short it is") {
  const auto plain = measured(steady(1'200));
  for (const int clip : {20, 40, 118, 400}) {
    auto packets = steady(1'200);
    for (std::size_t i = 0; i < packets.size(); ++i) {
      packets[i].number = static_cast<std::uint16_t>(7 + static_cast<int>(i) % clip);
      packets[i].ticks = 5'000u + static_cast<std::uint32_t>(static_cast<int>(i) % clip) * 160u;
    }
    const auto looped = measured(packets);
    INFO("clip of " << clip);
    CHECK(*looped.measures.lost == 0);
    CHECK(*looped.measures.jitter_ms < 1);
    CHECK(worst_delay(looped) < 3);
    CHECK(*looped.measures.mos == Approx(*plain.measures.mos).margin(0.05));
  }
}

TEST_CASE("a burst sent twice is no loop") {
  std::vector<Sent> packets;
  for (const auto& sent : steady(500)) {
    packets.push_back(sent);
    if (sent.number % 100 != 99) continue;
    for (std::uint16_t back = 12; back > 0; --back) {
      auto again = packets[packets.size() - 12 - (12u - back)];
      again.at_ms = sent.at_ms + 1;
      packets.push_back(again);
    }
  }
  const auto told = measured(packets);
  CHECK(told.measures.duplicates == 60);
  CHECK(*told.measures.expected == 500);
}

TEST_CASE("a new base of the timestamps is no delay; a real delay is") {
  auto based = steady(1'500), delayed = steady(1'500);
  for (std::size_t i = 500; i < 1'500; ++i) {
    based[i].ticks += i < 1'000 ? 24'000u : static_cast<std::uint32_t>(-40'000);
    delayed[i].at_ms += 300;
  }
  CHECK(worst_delay(measured(based)) < 2);
  CHECK(*measured(based).measures.jitter_ms < 1);
  CHECK(worst_delay(measured(delayed)) == Approx(300).margin(2));
}

TEST_CASE("a jump that stays is told once and can be undone; one that is caught up is a queue's") {
  StreamMeter meter(voice(), at_ms(0));
  std::size_t budget = 0;
  int told = 0;
  for (int i = 0; i < 500; ++i) {
    classify::MediaPacket packet;
    packet.time = at_ms(i * 20.0 + (i >= 300 ? 5'000 : i >= 100 && i < 110 ? 10.0 * (110 - i) : 0));
    packet.sequence = static_cast<std::uint32_t>(i);
    packet.media_time = static_cast<std::uint32_t>(i) * 160u;
    packet.has_sequence = packet.has_media_time = packet.type_has_clock = true;
    packet.payload_type = 0;
    packet.clock_rate_hz = 8'000;
    packet.ip_bytes = 200;
    meter.add(packet, budget);
    if (const auto jump = meter.settled_jump()) {
      ++told;
      CHECK(jump->seconds == Approx(5));
      meter.undo_jump();
    }
  }
  CHECK(told == 1);
  Told result;
  meter.measure(voice(), std::nullopt, 0, {}, result.measures, result.observation);
  CHECK(worst_delay(result) < 110);                               // the queue's, and nothing of the clock's
}

TEST_CASE("a clock that runs 2,000 ppm off is no delay") {
  for (const double ppm : {-2'000.0, 2'000.0}) {
    auto packets = steady(6'000);
    for (auto& packet : packets) packet.at_ms *= 1 + ppm / 1e6;
    const auto told = measured(packets);
    CHECK(worst_delay(told) < 3);
    CHECK(*told.measures.jitter_ms < 1);
    CHECK(*told.measures.mos > 4.3);
  }
}

TEST_CASE("what the peer says it lost lowers the score") {
  const auto plain = measured(steady(1'500)), reported = measured(steady(1'500), voice(), 0.11);
  CHECK(*plain.measures.mos > 4.3);
  CHECK(*reported.measures.mos < 3.5);
  CHECK(*reported.measures.lost == 0);
}
