#include "classify/protocols/rtp.hpp"
#include "classify_support.hpp"

#include <random>

using namespace callwitness::classify;
using namespace callwitness::classify::test;

namespace {
const Endpoint near_end = endpoint("192.168.1.2", 20000), far_end = endpoint("198.51.100.7", 30000);
}

TEST_CASE("one header is no stream, five that go together are", "[classify]") {
  Wire four, five;
  for (std::uint16_t i = 0; i < 5; ++i) {
    if (i < 4) four.udp(i * 20.0, near_end, far_end, rtp(0, i, i * 160u, 77));
    five.udp(i * 20.0, near_end, far_end, rtp(0, i, i * 160u, 77));
  }
  CHECK(four.finish().streams.empty());
  const auto& streams = five.finish().streams;
  REQUIRE(streams.size() == 1);
  CHECK(streams[0].ssrc == 77u);
  CHECK(streams[0].codec == "pcmu");
  CHECK(streams[0].clock_rate_hz == 8000);
  CHECK(streams[0].kind == MediaKind::audio);
  REQUIRE(five.recorder.packets.size() == 5);   // the backlog is made up for, in order, with its own times
  for (std::uint16_t i = 0; i < 5; ++i) {
    CHECK(five.recorder.packets[i].sequence == i);
    CHECK(five.recorder.packets[i].ordinal == i + 1u);
    CHECK(five.recorder.packets[i].payload_bytes == 160);
  }
}

TEST_CASE("sequence wrap, reordering, duplicates and losses stay one stream with every packet", "[classify]") {
  Wire wire;
  std::uint64_t sent = 0;
  for (std::uint32_t i = 0; i < 600; ++i) {
    const std::uint32_t order = i % 7 == 3 ? i + 1 : i % 7 == 4 ? i - 1 : i;
    const auto sequence = static_cast<std::uint16_t>(65300 + order);
    if (i % 50 == 49) continue;
    wire.udp(i * 20.0, near_end, far_end, rtp(111, sequence, 0xffff0000u + order * 960, 0xabcdef01, 60, 0x90));
    ++sent;
    if (i % 100 == 10) {
      wire.udp(i * 20.0 + 1, near_end, far_end, rtp(111, sequence, 0xffff0000u + order * 960, 0xabcdef01, 60, 0x90));
      ++sent;
    }
  }
  REQUIRE(wire.finish().streams.size() == 1);
  CHECK(wire.recorder.packets.size() == sent);
}

TEST_CASE("random payloads never become RTP", "[classify][property]") {
  std::mt19937_64 random(42);
  Wire wire;
  for (int i = 0; i < 20'000; ++i) {
    Buffer payload(40 + random() % 200);
    for (auto& byte : payload) byte = static_cast<std::uint8_t>(random());
    payload[0] = static_cast<std::uint8_t>(0x80 | (random() & 0x3f));
    wire.udp(static_cast<double>(random() % 1000) + i * 20.0, near_end, far_end, payload);
  }
  for (const auto& stream : wire.finish().streams) CHECK(!stream.ssrc);
}

TEST_CASE("a new SSRC in every packet makes no streams", "[classify][property]") {
  std::mt19937 random(7);
  Wire wire;
  for (std::uint16_t i = 0; i < 5000; ++i) wire.udp(i * 20.0, near_end, far_end, rtp(0, i, i * 160u, static_cast<std::uint32_t>(random())));
  CHECK(wire.finish().streams.empty());
}

TEST_CASE("a constant field with erratic numbers before it is no SSRC", "[classify][property]") {
  std::mt19937 random(9);
  Wire wire;
  for (int i = 0; i < 3000; ++i) {
    wire.udp(i * 20.0, near_end, far_end, rtp(96, static_cast<std::uint16_t>(random()), static_cast<std::uint32_t>(random()), 0x01020304));
  }
  CHECK(wire.finish().streams.empty());
}

TEST_CASE("an SSRC with two sequence spaces is two streams", "[classify]") {
  Wire wire;
  for (std::uint16_t i = 0; i < 100; ++i) {
    wire.udp(i * 20.0, near_end, far_end, rtp(98, i, i * 1800u, 0x01000401, 900, 0x90));
    if (i % 5 == 0) wire.udp(i * 20.0 + 1, near_end, far_end, rtp(110, static_cast<std::uint16_t>(20000 + i / 5), i * 1800u, 0x01000401, 900, 0x90));
  }
  const auto& result = wire.finish();
  REQUIRE(result.streams.size() == 2);
  CHECK(wire.recorder.packets_of(result.streams[0].id) == 100);
  CHECK(wire.recorder.packets_of(result.streams[1].id) == 20);
}

TEST_CASE("DTMF and comfort noise share their voice's stream", "[classify]") {
  Wire wire;
  for (std::uint16_t i = 0; i < 60; ++i) {
    const std::uint8_t type = i >= 20 && i < 30 ? 101 : i >= 40 && i < 50 ? 13 : 8;
    wire.udp(i * 20.0, near_end, far_end, rtp(type, i, i * 160u, 5, type == 8 ? 160 : 4));
  }
  const auto& result = wire.finish();
  REQUIRE(result.streams.size() == 1);
  CHECK(result.streams[0].payload_type == 8);
}

TEST_CASE("RTP inside TURN ChannelData, Send indications and Microsoft's multiplex is found", "[classify]") {
  for (int wrapper = 0; wrapper < 3; ++wrapper) {
    Wire wire;
    for (std::uint16_t i = 0; i < 20; ++i) {
      const Buffer inner = rtp(111, i, i * 960u, 0x11223344, 80, 0x90);
      const auto size = static_cast<std::uint8_t>(inner.size());
      Buffer outer;
      if (wrapper == 0) outer = {0x40, 0x01, 0, size};
      if (wrapper == 1) {
        outer = {0, 0x16, 0, static_cast<std::uint8_t>(size + 4), 0x21, 0x12, 0xa4, 0x42};
        outer.resize(20, static_cast<std::uint8_t>(i));
        for (const int byte : {0, 0x13, 0, static_cast<int>(size)}) outer.push_back(static_cast<std::uint8_t>(byte));
      }
      if (wrapper == 2) outer = {0xff, 0x10, 0, size, 0, 0, 0, 0, 0, 0, 0, 0};
      outer.insert(outer.end(), inner.begin(), inner.end());
      wire.udp(i * 20.0, near_end, far_end, outer);
    }
    INFO("wrapper " << wrapper);
    const auto& result = wire.finish();
    REQUIRE(result.streams.size() == 1);
    CHECK(result.streams[0].ssrc == 0x11223344u);
    CHECK(wire.recorder.packets.size() == 20);
  }
}

TEST_CASE("padding-only packets are told from voice", "[classify]") {
  Wire wire;
  for (std::uint16_t i = 0; i < 20; ++i) {
    auto packet = rtp(111, i, (i / 2) * 960u, 9, 80, i % 2 == 1 ? 0xa0 : 0x80);
    wire.udp(i * 20.0, near_end, far_end, packet);
  }
  wire.finish();
  REQUIRE(wire.recorder.packets.size() == 20);
  for (const auto& packet : wire.recorder.packets) CHECK(packet.is_padding == (packet.sequence % 2 == 1));
}

TEST_CASE("headers cut at every byte, and lists past the end", "[classify][property]") {
  Buffer whole = rtp(0, 1, 2, 3, 40, 0x9f);  // 15 CSRCs and an extension
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const Buffer cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    const auto header = parse_rtp(cut, static_cast<std::uint32_t>(cut.size()));
    if (header) CHECK(header->header_length <= cut.size());
    const auto truncated = parse_rtp(cut, 400);
    CHECK(truncated.has_value() == (size >= 12));
  }
}

TEST_CASE("many SSRCs of a conference are many streams, up to a bound", "[classify]") {
  Wire wire;
  for (std::uint16_t i = 0; i < 12; ++i) {
    for (std::uint32_t ssrc = 0; ssrc < 400; ++ssrc) {
      wire.udp(i * 20.0, near_end, far_end, rtp(0, i, i * 160u, 1000 + ssrc));
    }
  }
  CHECK(wire.finish().streams.size() <= 256);
}
