// How each part of a call ended, by every kind of ending; and calls that are put together again, or are not.
#include "classify_support.hpp"

using namespace callwitness;
using namespace callwitness::classify;
using namespace callwitness::classify::test;

namespace {

const Endpoint phone = endpoint("192.168.1.2", 40'000), again = endpoint("192.168.1.2", 40'200);
const Endpoint server = endpoint("198.51.100.7", 3784), peer = endpoint("198.51.100.7", 50'000), elsewhere = endpoint("198.51.100.9", 50'000);
constexpr std::uint8_t fin = 0x11, rst = 0x04, push = 0x18;

/// Voice in Ventrilo's framing over TCP, both ways, 20 ms apart; returns the next sequence number of each way.
std::array<std::uint32_t, 2> voice_over_tcp(Wire& wire, int packets) {
  std::array<std::uint32_t, 2> next = {100, 500};
  for (int i = 0; i < packets; ++i) {
    for (int way = 0; way < 2; ++way) {
      Buffer message{0, 0x4a};
      for (int k = 0; k < 0x4a; ++k) message.push_back(static_cast<std::uint8_t>(k * 31 + i * 7 + way));
      capture::TcpSegment segment;
      segment.flags = push;
      segment.sequence = next[static_cast<std::size_t>(way)];
      wire.tcp(i * 20.0 + way * 5, way == 0 ? phone : server, way == 0 ? server : phone, segment, message, way == 0 ? 64 : 52);
      next[static_cast<std::size_t>(way)] += static_cast<std::uint32_t>(message.size());
    }
  }
  return next;
}

Ending ending_of_tcp(std::uint8_t flags) {
  Wire wire;
  const auto next = voice_over_tcp(wire, 300);
  capture::TcpSegment last;
  last.flags = flags;
  last.sequence = next[1];
  if (flags != push) wire.tcp(6100, server, phone, last, {}, 52);
  const auto& calls = wire.finish().calls;
  return calls.size() == 1 ? calls[0].ended_by : Ending::none;
}

const Buffer alert{21, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 5, 0, 2, 1, 0};
const Buffer greeting{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0};

/// Something long after the call, so that its silence is seen.
void time_passes(Wire& wire, double at_ms) { wire.udp(at_ms, endpoint("192.168.1.2", 5353), endpoint("192.168.1.1", 5353), Buffer(40, 1)); }

}  // namespace

TEST_CASE("calls over TCP end by FIN, RST or with the capture", "[classify]") {
  CHECK(ending_of_tcp(fin) == Ending::fin);
  CHECK(ending_of_tcp(rst) == Ending::rst);
  CHECK(ending_of_tcp(push) == Ending::capture_end);
}

TEST_CASE("Viber's voice over TCP is a call, its chat is none", "[classify]") {
  const Endpoint viber = endpoint("198.51.100.7", 5242);
  const auto calls_of = [&](double step_ms, std::size_t size) {
    Wire wire;
    std::array<std::uint32_t, 2> next = {100, 500};
    for (int i = 0; i < 300; ++i) {
      for (std::size_t way = 0; way < 2; ++way) {
        Buffer message{static_cast<std::uint8_t>(size), static_cast<std::uint8_t>(size >> 8)};
        while (message.size() < size) message.push_back(static_cast<std::uint8_t>(message.size() * 31 + static_cast<std::size_t>(i) * 7 + way));
        capture::TcpSegment segment;
        segment.flags = push;
        segment.sequence = next[way];
        wire.tcp(i * step_ms + static_cast<double>(way) * 4, way == 0 ? phone : viber, way == 0 ? viber : phone, segment, message, way == 0 ? 64 : 52);
        next[way] += static_cast<std::uint32_t>(size);
      }
    }
    return wire.finish().calls.size();
  };
  CHECK(calls_of(20, 70) == 1);
  CHECK(calls_of(900, 70) == 0);
  CHECK(calls_of(20, 1200) == 0);
}

TEST_CASE("a DTLS alert ends the call that it is the last word of", "[classify]") {
  Wire ended, warned;
  for (Wire* wire : {&ended, &warned}) {
    wire->udp(0, phone, peer, greeting);
    call(*wire, 100, phone, peer, 70'000, 200, 111);
  }
  ended.udp(4150, phone, peer, alert);
  warned.udp(2000, phone, peer, alert);   // a warning in its midst
  call(warned, 4100, phone, peer, 70'000, 0, 111);
  for (std::uint16_t i = 200; i < 500; ++i) warned.udp(100 + i * 20.0, phone, peer, rtp(111, i, i * 160u, 70'000));
  time_passes(ended, 20'000);
  CHECK(ended.finish().calls.at(0).ended_by == Ending::close_notify);
  CHECK(warned.finish().calls.at(0).ended_by == Ending::capture_end);
}

TEST_CASE("media that stop without a word ended in silence; those at the end with the capture", "[classify]") {
  Wire silent, cut;
  call(silent, 0, phone, peer, 70'000, 200);
  time_passes(silent, 30'000);
  call(cut, 0, phone, peer, 70'000, 200);
  time_passes(cut, 5'000);
  CHECK(silent.finish().calls.at(0).ended_by == Ending::silence);
  CHECK(cut.finish().calls.at(0).ended_by == Ending::capture_end);
}

TEST_CASE("an ICE restart to another address keeps the call by its SSRC and counts as a reconnect", "[classify]") {
  Wire same, other;
  for (Wire* wire : {&same, &other}) {
    call(*wire, 0, phone, peer, 70'000, 500);
    const std::uint32_t ssrc = wire == &same ? 70'000 : 90'000;
    for (std::uint16_t i = 0; i < 500; ++i) {
      const auto number = static_cast<std::uint16_t>(700 + i);
      wire->udp(14'000 + i * 20.0, again, elsewhere, rtp(0, number, number * 160u, ssrc));
      wire->udp(14'005 + i * 20.0, elsewhere, again, rtp(0, number, number * 160u, ssrc + 1), 50);
    }
  }
  REQUIRE(same.finish().calls.size() == 1);
  CHECK(same.recorder.result.calls[0].parts.size() == 2);
  CHECK(same.recorder.result.calls[0].streams.size() == 4);
  CHECK(other.finish().calls.size() == 2);   // another peer, other sources, no name: another call
}

TEST_CASE("after a BYE the next call to the same peer is another", "[classify]") {
  const Buffer farewell{0x80, 201, 0, 1, 0, 1, 0x11, 0x70, 0x81, 203, 0, 1, 0, 1, 0x11, 0x70};
  Wire wire;
  call(wire, 0, phone, peer, 70'000, 500);
  wire.udp(10'050, phone, peer, farewell);
  call(wire, 15'000, again, peer, 80'000, 500);
  const auto& result = wire.finish();
  REQUIRE(result.calls.size() == 2);
  CHECK(result.calls[0].ended_by == Ending::rtcp_bye);
  CHECK(result.calls[1].ended_by == Ending::capture_end);
}

TEST_CASE("a conference's sources in one flow are one call with a stream each", "[classify]") {
  Wire wire;
  for (std::uint16_t i = 0; i < 300; ++i) {
    wire.udp(i * 20.0, phone, peer, rtp(111, i, i * 960u, 70'000));
    for (std::uint32_t speaker = 0; speaker < 3; ++speaker) wire.udp(i * 20.0 + 3 + speaker, peer, phone, rtp(111, i, i * 960u, 80'000 + speaker * 1000), 52);
  }
  const auto& result = wire.finish();
  REQUIRE(result.calls.size() == 1);
  CHECK(result.calls[0].streams.size() == 4);
}
