#include "classify_support.hpp"

using namespace callwitness::classify;
using namespace callwitness::classify::test;

namespace {
const Endpoint me = endpoint("192.168.1.2", 40000), me_again = endpoint("192.168.1.2", 40100);
const Endpoint peer = endpoint("198.51.100.7", 30000), stranger = endpoint("198.51.100.8", 31000);
}

TEST_CASE("both directions are one call", "[classify]") {
  Wire wire;
  call(wire, 0, me, peer, 70'000, 100);
  const auto& result = wire.finish();
  REQUIRE(result.calls.size() == 1);
  CHECK(result.calls[0].streams.size() == 2);
  CHECK(result.calls[0].parts.size() == 1);
  CHECK(result.calls[0].ended_by == Ending::capture_end);
  for (const auto& stream : result.streams) CHECK(stream.call == CallId{0});
}

TEST_CASE("a new port within a minute is a reconnect, later it is another call", "[classify]") {
  Wire soon, late;
  for (Wire* wire : {&soon, &late}) {
    call(*wire, 0, me, peer, 70'000, 500);
    call(*wire, wire == &soon ? 18'000 : 180'000, me_again, peer, 80'000, 500);
  }
  REQUIRE(soon.finish().calls.size() == 1);
  CHECK(soon.recorder.result.calls[0].parts.size() == 2);
  CHECK(soon.recorder.result.calls[0].parts[0].ended_by == Ending::silence);
  CHECK(late.finish().calls.size() == 2);
}

TEST_CASE("hung up and dialled anew: two calls; cut and repaired: one") {
  const auto calls_after = [](int more_sent, double again_ms) {
    Wire wire;
    call(wire, 0, me, peer, 70'000, 500);
    for (int i = 0; i < more_sent; ++i) {
      const auto number = static_cast<std::uint16_t>(500 + i);
      wire.udp(10'000 + i * 20.0, me, peer, rtp(0, number, number * 160u, 70'000));
    }
    call(wire, again_ms, me_again, peer, 80'000, 500);
    return wire.finish().calls.size();
  };
  CHECK(calls_after(0, 30'000) == 2);    // both ways fell silent as one: somebody hung up
  CHECK(calls_after(200, 30'000) == 1);  // four seconds of talking to a wall: cut
  CHECK(calls_after(0, 15'000) == 1);    // too soon for a hand: the program repaired it
}

TEST_CASE("parallel calls stay apart, audio and video on ports of their own come together", "[classify]") {
  Wire parallel, together;
  call(parallel, 0, me, peer, 70'000, 1000);
  call(parallel, 8'000, me_again, stranger, 80'000, 1000);
  CHECK(parallel.finish().calls.size() == 2);
  for (std::uint16_t i = 0; i < 500; ++i) {
    together.udp(i * 20.0, me, peer, rtp(0, i, i * 160u, 70'000));
    together.udp(i * 20.0 + 2, me_again, peer, rtp(34, i, i / 2 * 3600u, 80'000, 900));
  }
  REQUIRE(together.finish().calls.size() == 1);
  CHECK(together.recorder.result.streams[1].kind == MediaKind::video);
}

TEST_CASE("a lone one-way video is no call", "[classify]") {
  Wire wire;
  for (std::uint16_t i = 0; i < 300; ++i) wire.udp(i * 10.0, peer, me, rtp(96, i, i / 4 * 3000u, 2, 1100));
  const auto& result = wire.finish();
  REQUIRE(result.streams.size() == 1);
  CHECK(result.streams[0].kind == MediaKind::video);
  CHECK(result.calls.empty());
}

TEST_CASE("retransmissions are told from video by timestamp and volume", "[classify]") {
  Wire wire;
  for (std::uint16_t i = 0; i < 600; ++i) {
    wire.udp(i * 10.0, me, peer, rtp(96, i, i / 3 * 2700u, 100'000, 1000));
    if (i % 20 == 0) wire.udp(i * 10.0 + 3, me, peer, rtp(97, i / 20, i / 3 * 2700u, 200'000, 1002));
  }
  const auto& result = wire.finish();
  REQUIRE(result.streams.size() == 2);
  CHECK(result.streams[0].kind == MediaKind::video);
  CHECK(result.streams[1].kind == MediaKind::retransmission);
}

namespace {

/// Ten seconds of video of `per_frame` packets a frame, beside it another stream, by what `other` puts on the wire for each frame.
template <typename Other>
MediaKind kind_beside_video(int per_frame, const Other& other, double lost_share = 0) {
  Wire wire;
  std::uint16_t number = 0;
  for (int frame = 0; frame < 300; ++frame) {
    const double at = frame * 33.0;
    const auto timestamp = 500'000u + static_cast<std::uint32_t>(frame) * 2970u;
    const bool lost = lost_share > 0 && frame > 10 && static_cast<int>(frame * lost_share) != static_cast<int>((frame - 1) * lost_share);
    for (int i = 0; i < per_frame; ++i, ++number)
      if (!lost) wire.udp(at + i, me, peer, rtp(96, number, timestamp, 100'000, 900));
    other(wire, frame, at, timestamp, lost);
  }
  const auto& result = wire.finish();
  for (const auto& stream : result.streams)
    if (stream.ssrc == 200'000u) return stream.kind;
  return MediaKind::unknown;
}

}  // namespace

TEST_CASE("retransmissions under heavy loss are told by the timestamps that they repeat, though they are many", "[classify]") {
  std::uint16_t number = 0;
  // One packet a frame; two in three come again 70 ms later.
  const auto again = [&](Wire& wire, int frame, double at, std::uint32_t timestamp, bool) {
    if (frame % 3 != 0 && frame > 2) wire.udp(at + 5, me, peer, rtp(97, number++, timestamp - 2 * 2970u, 200'000, 902));
  };
  CHECK(kind_beside_video(1, again) == MediaKind::retransmission);
}

TEST_CASE("what mends frames that were lost whole is told by the places that those left", "[classify]") {
  std::uint16_t number = 0;
  const auto again = [&](Wire& wire, int, double at, std::uint32_t timestamp, bool lost) {
    if (lost) wire.udp(at + 20, me, peer, rtp(97, number++, timestamp, 200'000, 902));
  };
  CHECK(kind_beside_video(1, again, 0.2) == MediaKind::retransmission);
}

TEST_CASE("a sender's probes on the clock of its video are its retransmission stream's", "[classify]") {
  std::uint16_t number = 0;
  const auto probe = [&](Wire& wire, int frame, double at, std::uint32_t timestamp, bool) {
    if (frame % 5 != 0) return;
    auto padding = rtp(97, number++, timestamp + 700, 200'000, 224);
    padding[0] |= 0x20;
    wire.udp(at + 8, me, peer, padding);
  };
  CHECK(kind_beside_video(3, probe) == MediaKind::retransmission);
}

TEST_CASE("a sender that sends its newest packet again and again before the other end can ask, as a probe", "[classify]") {
  std::uint16_t number = 0;
  const auto probe = [&](Wire& wire, int frame, double at, std::uint32_t timestamp, bool) {
    for (int i = 0; frame == 4 && i < 8; ++i) wire.udp(at + 3 + i * 0.5, me, peer, rtp(97, number++, timestamp, 200'000, 902));
  };
  CHECK(kind_beside_video(1, probe) == MediaKind::retransmission);
}

TEST_CASE("a second video is none of the first's retransmissions", "[classify]") {
  std::uint16_t number = 0;
  const auto layer = [&](std::uint8_t type, double later_ms, std::uint32_t ticks, int each = 1) {
    number = 0;
    return [&number, type, later_ms, ticks, each](Wire& wire, int frame, double at, std::uint32_t timestamp, bool) {
      if (frame % each == 0) wire.udp(at + later_ms, me, peer, rtp(type, number++, timestamp + ticks, 200'000, 700));
    };
  };
  CHECK(kind_beside_video(4, layer(96, 5, 0)) == MediaKind::video);           // simulcast: one type, and be the clock the same
  CHECK(kind_beside_video(4, layer(98, 5, 0)) == MediaKind::video);           // simulcast of two codecs on one clock
  CHECK(kind_beside_video(4, layer(98, 5, 0, 2)) == MediaKind::video);        // at half the frames
  CHECK(kind_beside_video(4, layer(98, 14, 1260)) == MediaKind::video);       // another camera on the same clock, between the first's frames
  CHECK(kind_beside_video(4, layer(98, 14, 3'000'000'000u)) == MediaKind::video);   // a clock of its own (RFC 3550 5.1)
  CHECK(kind_beside_video(4, layer(98, 70, 0)) == MediaKind::retransmission); // each frame once more, when the next ones are out
}

TEST_CASE("names looked up, pages and bulk are no calls", "[classify][property]") {
  Wire wire;
  for (int i = 0; i < 3000; ++i) {
    wire.udp(i * 4.0, endpoint("203.0.113.5", 443), endpoint("192.168.1.2", 50'000), Buffer(1200, static_cast<std::uint8_t>(i)), 52);
    if (i % 10 == 0) wire.udp(i * 4.0 + 1, endpoint("192.168.1.2", 50'000), endpoint("203.0.113.5", 443), Buffer(40, static_cast<std::uint8_t>(i)));
    if (i % 30 == 0) wire.udp(i * 4.0 + 2, endpoint("192.168.1.2", 5353), endpoint("192.168.1.1", 53), Buffer(50, 7));
  }
  const auto& result = wire.finish();
  CHECK(result.calls.empty());
  CHECK(result.streams.empty());
}

TEST_CASE("plain RTP is the call of the one kind of exchange that its host speaks with", "[classify]") {
  const Endpoint control = endpoint("192.168.1.2", 2427), agent = endpoint("198.51.100.20", 2727), other = endpoint("192.168.1.77", 2427);
  const std::string create = "CRCX 1204 aaln/1@rgw.example.net MGCP 1.0\r\nC: A3\r\n\r\n";
  const auto label_with = [&](const Endpoint& gateway, double at_ms, bool skinny_too) {
    Wire wire;
    wire.text(at_ms, agent, gateway, create);
    if (skinny_too) {
      callwitness::capture::TcpSegment segment;
      segment.flags = 24;
      for (int i = 0; i < 4; ++i) {
        segment.sequence = 100 + 12u * static_cast<std::uint32_t>(i);
        wire.tcp(at_ms + i, endpoint("192.168.1.2", 50'000), endpoint("198.51.100.21", 2000), segment, {4, 0, 0, 0, 0, 0, 0, 0, 0x81, 0, 0, 0});
      }
    }
    call(wire, 100'000, me, peer, 70'000, 100);
    return wire.finish().calls.at(0).label.application;
  };
  CHECK(label_with(control, 99'000, false) == "mgcp");
  CHECK(label_with(control, 99'000, true) == "rtp");      // two kinds: nothing is said
  CHECK(label_with(other, 99'000, false) == "rtp");       // another host's
  CHECK(label_with(control, 10'000, false) == "rtp");     // long before
  CHECK(label_with(control, 101'000, false) == "rtp");    // after the media began
}
