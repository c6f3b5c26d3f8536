// The analyzer on hand-built media packets: measures, series, and what does not depend on the clock's origin.
#include "metrics/analyzer.hpp"

#include <catch2/catch.hpp>

using namespace callwitness;

namespace {
metrics::Analysis analyse(capture::Duration shift, std::uint32_t first_sequence) {
  capture::CaptureRecords records;
  metrics::Analyzer analyzer(records);
  classify::Flow flow;
  flow.five_tuple = {{*capture::IpAddress::parse("10.0.0.1"), 4000}, {*capture::IpAddress::parse("192.0.2.1"), 5000}, 17};
  classify::Stream stream;
  stream.ssrc = 7;
  stream.kind = classify::MediaKind::audio;
  stream.codec = "pcmu";
  stream.clock_rate_hz = 8'000;
  stream.sequence_basis = classify::SequenceBasis::rtp;
  for (std::uint32_t i = 0; i < 1'500; ++i) {
    if (i % 100 == 50) continue;                           // 15 of 1,500 lost
    const capture::Time time = capture::Time(shift) + std::chrono::milliseconds(20 * i);
    capture::Datagram datagram;
    datagram.time = time;
    datagram.ordinal = i + 1;
    datagram.five_tuple = flow.five_tuple;
    datagram.ip_length = 200;
    datagram.time_to_live = 64;
    analyzer.on_datagram(flow, classify::Way::forward, datagram);
    if (i == 0) analyzer.on_stream(stream);
    classify::MediaPacket packet;
    packet.time = time;
    packet.ordinal = i + 1;
    packet.sequence = (first_sequence + i) & 0xffff;
    packet.media_time = 1'000 + i * 160;
    packet.has_sequence = packet.has_media_time = true;
    packet.payload_bytes = 160;
    packet.ip_bytes = 200;
    analyzer.on_media(packet);
  }
  classify::Classification classification;
  classification.flows = {flow};
  classification.streams = {stream};
  classification.vantage.local = {flow.five_tuple.destination.address};
  analyzer.finish(classification);
  return analyzer.take_analysis();
}
}  // namespace

TEST_CASE("A stream's measures are what was put in") {
  const auto analysis = analyse(std::chrono::hours(400'000), 65'000);
  REQUIRE(analysis.streams.size() == 1);
  const auto& stream = analysis.streams[0];
  CHECK(stream.packets == 1'485);
  CHECK(stream.expected == 1'500);
  CHECK(stream.lost == 15);
  CHECK(stream.max_loss_run == 1);
  CHECK(stream.loss_basis == "sequence");
  CHECK(*stream.jitter_ms == Approx(0).margin(1e-6));
  CHECK(stream.bitrate_bps->mean == Approx(1'485 * 200 * 8 / 29.98));
  CHECK(stream.bitrate_bps->p50 == Approx(80'000));
  CHECK(stream.direction == metrics::Direction::received);
  CHECK(stream.direction_known);
  CHECK(stream.bitrate.values.size() == 30);
  CHECK(*stream.loss.values[1] == Approx(1.0 / 50));
  CHECK(*stream.loss.values[2] == 0);
  CHECK(stream.mos_grounded);
  // 1 % random loss, 20 ms of packet and 20 ms of buffer: R = 93.2 - 0.96 - 95/26.1
  CHECK(*stream.r_factor == Approx(93.2 - 0.96 - 95 / 26.1).epsilon(0.005));
  CHECK(stream.mos_series.values.size() == 3);
}

TEST_CASE("Neither the origin of time nor of the sequence matters") {
  const auto one = analyse(std::chrono::hours(400'000), 1).streams[0];
  const auto other = analyse(std::chrono::nanoseconds(1'234'567'890'123'456'789), 65'530).streams[0];
  CHECK(one.lost == other.lost);
  CHECK(*one.r_factor == Approx(*other.r_factor));
  CHECK(one.bitrate.values == other.bitrate.values);
  CHECK(one.loss.values == other.loss.values);
}
