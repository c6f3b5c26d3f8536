// Every formula on values worked out by hand.
#include "metrics/meters/cadence.hpp"
#include "metrics/meters/clock.hpp"
#include "metrics/meters/delay.hpp"
#include "metrics/meters/emodel.hpp"
#include "metrics/meters/jitter.hpp"
#include "metrics/meters/jitter_buffer.hpp"
#include "metrics/meters/loss_pattern.hpp"
#include "metrics/meters/tcp.hpp"

#include <catch2/catch.hpp>

using namespace callwitness;
using namespace callwitness::metrics;

namespace {
capture::Time at_ms(double ms) { return capture::Time(capture::from_seconds(ms / 1e3)); }

MissingRun run(std::int64_t first, std::uint32_t count) {
  MissingRun made;
  made.first = first;
  made.count = count;
  return made;
}
}  // namespace

TEST_CASE("Jitter is RFC 3550's estimate") {
  JitterMeter jitter;
  CHECK_FALSE(jitter.mean_ms());
  jitter.add(0.020, 0.020);                      // D = 0: J = 0
  jitter.add(0.025, 0.020);                      // D = 5 ms: J = 5/16
  jitter.add(0.015, 0.020);                      // D = -5 ms: J = 0.3125 + (5 - 0.3125)/16
  CHECK(*jitter.mean_ms() == Approx((0 + 0.3125 + 0.60546875) / 3));
  CHECK(*jitter.maximum_ms() == Approx(0.60546875));
  CHECK_FALSE(jitter.add(0.020, -90));           // a new timestamp base is no jitter
  CHECK(*jitter.maximum_ms() == Approx(0.60546875));
}

TEST_CASE("The clock rate is inferred from steady timestamps only") {
  for (const std::uint32_t rate : {8'000U, 44'100U, 48'000U, 90'000U}) {
    std::vector<TimedPacket> packets;
    for (int i = 0; i < 100; ++i)                // wraps on the way
      packets.push_back({at_ms(20.0 * i + (i % 3)), 0xfffff000U + static_cast<std::uint32_t>(i) * (rate / 50), false});
    CHECK(infer_clock_rate(packets, 0.02, 1) == rate);
    CHECK(infer_clock_rate(std::span(packets).first(5), 0.05, 0.2) == 0);
  }
  std::vector<TimedPacket> still(100, TimedPacket{at_ms(0), 7, false});
  for (int i = 0; i < 100; ++i) still[static_cast<std::size_t>(i)].time = at_ms(20.0 * i);
  CHECK(infer_clock_rate(still, 0.05, 0.2) == 0);
}

TEST_CASE("A queue that fills doesn't make 48 kHz look like a rarer rate") {
  const auto stream = [](std::uint32_t ticks, double spacing_ms, int count) {
    std::vector<TimedPacket> packets;
    for (int i = 0; i < count; ++i) packets.push_back({at_ms(spacing_ms * i), ticks * static_cast<std::uint32_t>(i), false});
    return packets;
  };
  // Frames of 20 ms that arrive every 21.8: 960 ticks in 21.8 ms are 44,037 Hz.
  CHECK(infer_clock_rate(stream(960, 21.8, 400), 0.02, 6) == 0);
  CHECK(infer_clock_rate(stream(960, 30.3, 400), 0.02, 6) == 0);             // nor, at two thirds of its rate, like 32 kHz
  CHECK(infer_clock_rate(stream(960, 20.3, 400), 0.02, 6) == 48'000);
  CHECK(infer_clock_rate(stream(480, 20.01, 1300), 0.02, 6) == 24'000);      // SILK's, after 26 s
  CHECK(infer_clock_rate(stream(882, 20.1, 400), 0.02, 6) == 44'100);        // frames of 44.1 kHz are none of 48's
  auto filling = stream(960, 30, 200);                                       // six seconds until it is full
  for (const auto& packet : stream(960, 20, 300)) filling.push_back({packet.time + std::chrono::seconds(6), packet.media_time + 960 * 200, false});
  CHECK(infer_clock_rate(filling, 0.02, 6) == 48'000);
  CHECK(infer_clock_rate(stream(480, 480 / 44.1, 600), 0.02, 6) == 0);       // AAC-LD's 480 samples: after 6.5 s not yet,
  CHECK(infer_clock_rate(stream(480, 480 / 44.1, 2300), 0.02, 6) == 44'100); // after 25 s
}

TEST_CASE("Bursts and gaps follow RFC 3611, the burst ratio Gilbert") {
  const std::vector<MissingRun> runs{run(10, 2), run(20, 1), run(60, 1)};
  const auto pattern = loss_pattern(runs, 0, 100);
  CHECK(pattern.burst_density == Approx(3.0 / 11));          // numbers 10 ... 20, three of them lost
  CHECK(pattern.gap_density == Approx(1.0 / 89));
  CHECK(*pattern.mean_burst_packets == Approx(11));
  CHECK(pattern.loss_after_received == Approx(3.0 / 96));
  CHECK(pattern.received_after_loss == Approx(3.0 / 4));
  CHECK(*pattern.burst_ratio == Approx(1.28));
  const auto none = loss_pattern({}, 0, 100);
  CHECK(none.burst_density == 0);
  CHECK_FALSE(none.burst_ratio);
}

TEST_CASE("R and MOS are G.107's") {
  CHECK(mos_of(93.2) == Approx(4.4093).margin(1e-4));
  CHECK(mos_of(6) == 1);
  CHECK(mos_of(100) == 4.5);
  const auto codec = codec_quality("pcmu", 64'000);
  REQUIRE(codec);
  CHECK(rate_call(*codec, 0, 1, 0).r_factor == Approx(93.2));
  CHECK(rate_call(*codec, 2, 1, 0).r_factor == Approx(93.2 - 190 / 27.1));
  CHECK(rate_call(*codec, 2, 2, 0).r_factor == Approx(93.2 - 190 / 26.1));
  CHECK(rate_call(*codec, 0, 1, 200).r_factor == Approx(93.2 - 4.8 - 0.11 * 22.7));
  CHECK(rate_call(*codec, 0, 1, 100).r_factor == Approx(93.2 - 2.4));
  CHECK_FALSE(codec_quality("", 64'000));
  CHECK_FALSE(codec_quality("g726-32", 32'000)->grounded);
  CHECK(codec_quality("opus", 40'000)->wide_band);
  CHECK(rate_call(*codec_quality("opus", 40'000), 0, 1, 0).mos == Approx(mos_of((129 - 10.67) / 1.29)));
}

TEST_CASE("Jitter buffers throw away what comes too late for them") {
  JitterBuffers buffers;
  for (int i = 0; i < 100; ++i) CHECK_FALSE(buffers.add(0.02 * i, 0.003).late_50);
  const auto late = buffers.add(2.0, 0.063);
  CHECK(late.late_50);
  CHECK_FALSE(late.late_200);
  CHECK(late.late_adaptive);                     // it was 20 ms deep
  CHECK_FALSE(buffers.add(2.02, 0.063).late_adaptive);  // and has grown
  CHECK(buffers.add(2.04, 0.903).late_200);
}

TEST_CASE("Skew is the lower hull's slope, a queue is not") {
  std::vector<Transit> points;
  for (int i = 0; i < 1'000; ++i) {
    const double time = 0.1 * i;
    points.push_back({time, 5 + 100e-6 * time + (i % 7) * 0.001 + (i > 600 && i < 700 ? 0.08 : 0)});
  }
  const double skew = clock_skew(points);
  CHECK(skew == Approx(100e-6).epsilon(0.02));
  const auto delays = delays_ms(points, skew);
  CHECK(delays[650] == Approx(80 + 650 % 7).margin(0.1));
  CHECK(*std::min_element(delays.begin(), delays.end()) == 0);
}

TEST_CASE("Streams without a sequence are counted by media time or by cadence, or not at all") {
  std::vector<UnsequencedPacket> packets;
  for (std::uint32_t i = 0; i < 500; ++i) {
    if (i == 100 || i == 200 || i == 201) continue;
    packets.push_back({at_ms(20.0 * i + 0.5 * (i % 4)), i * 20, i + 1, 200, true});
  }
  const auto timed = count_by_media_time(packets, 1'000);
  REQUIRE(timed);
  CHECK(timed->expected == 500);
  CHECK(timed->lost == 3);
  CHECK(timed->packet_time_ms == 20);
  REQUIRE(timed->runs.size() == 2);
  CHECK(timed->runs[1].count == 2);
  const auto paced = count_by_cadence(packets);
  REQUIRE(paced);
  CHECK(paced->expected == 500);
  CHECK(paced->lost == 3);
  for (std::size_t i = 0; i < packets.size(); i += 3) packets[i].ip_bytes = 60;
  CHECK_FALSE(count_by_cadence(packets));        // two size classes
  std::vector<UnsequencedPacket> uneven;
  for (std::uint32_t i = 0; i < 500; ++i) uneven.push_back({at_ms(13.0 * i + (i * 7919 % 23)), i * (i % 7), i + 1, 200, true});
  CHECK_FALSE(count_by_media_time(uneven, 1'000));
}

TEST_CASE("pauses of a talker are no losses by cadence, and a hole among scattered losses is") {
  const auto counted = [](auto&& is_missing) {
    std::vector<UnsequencedPacket> packets;
    for (std::uint32_t i = 0; i < 3'000; ++i)
      if (!is_missing(i)) packets.push_back({at_ms(20.0 * i), i * 20, i + 1, 100, true});
    return count_by_cadence(packets);
  };
  CHECK_FALSE(counted([](std::uint32_t i) { return i % 400 >= 385; }));                         // 15 packets' pause every 8 s
  const auto stall = counted([](std::uint32_t i) { return i >= 1'000 && i < 1'020; });          // one hole of 0.4 s
  REQUIRE(stall);
  CHECK(stall->lost == 20);
  const auto losing = counted([](std::uint32_t i) { return i % 25 == 7 || (i >= 1'000 && i < 1'035); });
  REQUIRE(losing);
  CHECK(losing->lost == 35 + 118);   // 120 single ones, of which two in the hole
}

TEST_CASE("a sender that halves its packets for seconds loses none by cadence; every second packet lost for less is loss") {
  const auto counted = [](std::uint32_t stretch, double stray_ms = 0, std::uint32_t lost_every = 0) {
    std::vector<UnsequencedPacket> packets;
    for (std::uint32_t i = 0; i < 3'000; ++i) {
      const bool slow = i % 1'000 >= 400 && i % 1'000 < 400 + 2 * stretch;
      if ((slow && i % 2 == 1) || (lost_every != 0 && i % lost_every == 130)) continue;
      packets.push_back({at_ms(20.0 * i + (slow && i % 40 == 10 ? stray_ms : 0)), 0, i + 1, 100, false});
    }
    return count_by_cadence(packets);
  };
  for (const double stray : {0.0, 11.0}) {
    const auto slower = counted(100, stray);   // three stretches of 2 s; some packets early or late by half a place
    REQUIRE(slower);
    CHECK(slower->lost == 0);
    CHECK(slower->expected == 3'000 - 300);
    CHECK(slower->runs.empty());
  }
  const auto both = counted(100, 0, 500);      // six lost outside the stretches
  REQUIRE(both);
  CHECK(both->lost == 6);
  const auto short_ones = counted(20);         // twenty double gaps on end, three times
  REQUIRE(short_ones);
  CHECK(short_ones->lost == 60);
}

namespace {
struct TcpFeed {
  TcpMeter meter;
  std::uint64_t ordinal = 0;
  std::uint16_t ip_id = 0;
  void operator()(double ms, classify::Way way, std::uint8_t flags, std::uint32_t sequence, std::uint32_t acknowledgement,
                  std::uint32_t length) {
    capture::Datagram datagram;
    datagram.time = at_ms(ms);
    datagram.ordinal = ++ordinal;
    datagram.ip_id = ++ip_id;
    datagram.payload_length = length;
    datagram.tcp.emplace();
    datagram.tcp->flags = flags;
    datagram.tcp->sequence = sequence;
    datagram.tcp->acknowledgement = acknowledgement;
    meter.add(way, datagram);
  }
};
}  // namespace

TEST_CASE("TCP tells round trips, retransmissions and what the capture missed") {
  using classify::Way;
  TcpFeed feed;
  feed(0, Way::forward, 2, 0xffffffb0, 0, 0);
  feed(30, Way::backward, 18, 500, 0xffffffb1, 0);
  feed(31, Way::forward, 16, 0xffffffb1, 501, 0);
  feed(40, Way::forward, 24, 0xffffffb1, 501, 100);          // wraps
  feed(90, Way::backward, 16, 501, 21, 0);                   // 50 ms
  feed(100, Way::forward, 24, 21, 501, 100);
  feed(400, Way::forward, 24, 21, 501, 100);                 // again
  feed(440, Way::backward, 16, 501, 121, 0);                 // ambiguous: no sample
  feed(500, Way::forward, 24, 221, 501, 100);                // 121 ... 220 was not captured
  feed(560, Way::backward, 16, 501, 321, 0);                 // yet acknowledged
  const auto seen = feed.meter.observation(false, true);
  CHECK(*seen.handshake_round_trip == std::chrono::milliseconds(30));
  CHECK(capture::milliseconds(*seen.minimum_round_trip) == Approx(50));
  CHECK(seen.segments[0] == 4);
  CHECK(seen.retransmissions[0] == 1);
  CHECK(seen.acknowledged_unseen[0] == 1);
  CHECK(seen.payload_bytes[0] == 300);
  REQUIRE(seen.losses.size() == 1);
  CHECK(seen.losses[0].ordinal == 7);
  CHECK_FALSE(seen.syn_unanswered);
  CHECK(feed.meter.observation(true, true).retransmissions[1] == 1);
}

TEST_CASE("a retransmission that merges segments fills every hole that it covers") {
  using classify::Way;
  for (const bool whole : {true, false}) {
    TcpFeed feed;
    feed(0, Way::backward, 24, 1000, 1, 100);
    feed(20, Way::backward, 24, 1200, 1, 100);                 // 1100 ... 1199 was lost,
    feed(40, Way::backward, 24, 1400, 1, 100);                 // 1300 ... 1399 too
    feed(300, Way::backward, 24, 1050, 1, whole ? 500 : 300);  // all of it in one, and new data behind; or not the last 50
    feed(330, Way::forward, 16, 1, whole ? 1550 : 1500, 0);
    const auto seen = feed.meter.observation(false, true);
    CHECK(seen.acknowledged_unseen[1] == (whole ? 0 : 1));
    CHECK(seen.payload_bytes[1] == (whole ? 550 : 450));
    CHECK(seen.retransmissions[1] == 1);
  }
}

TEST_CASE("what was acknowledged before the file showed it is no hole if it was there in time") {
  using classify::Way;
  for (const double later : {0.0, 900.0}) {                  // the other way's capture stands behind, its times are right; or it was sent again
    TcpFeed feed;
    for (std::uint32_t i = 0; i <= 20; ++i) feed(100.0 + 10 * i, Way::backward, 16, 700, 1 + i * 1000, 0);
    for (std::uint32_t i = 0; i < 20; ++i) feed(95.0 + 10 * i + later, Way::forward, 24, 1 + i * 1000, 700, 1000);
    const auto told = feed.meter.observation(false, true);
    CHECK(told.acknowledged_unseen[0] == (later == 0 ? 0 : 20));
    CHECK(told.losses.empty() == (later == 0));
  }
}
