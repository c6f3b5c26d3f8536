// RTP by behaviour: what is right, what is one step off, and the innocent twin of what is no RTP.
#include "classify/flows/rtp_trial.hpp"
#include "classify_support.hpp"

using namespace callwitness;
using namespace callwitness::classify;
using namespace callwitness::classify::test;

namespace {

MediaPacket packet(double at_ms, std::uint16_t number, std::uint32_t ticks, std::uint32_t length = 200) {
  MediaPacket made;
  made.time = capture::Time(capture::from_seconds(at_ms / 1e3));
  made.sequence = number;
  made.media_time = ticks;
  made.ip_bytes = length;
  return made;
}

/// Voice: numbers from before the wrap on, 160 ticks each 20 ms; lengths wander as a codec's of variable rate do.
std::vector<MediaPacket> voice(int count, int step = 1) {
  std::vector<MediaPacket> made;
  for (int i = 0; i < count; i += step)
    made.push_back(packet(i * 20.0, static_cast<std::uint16_t>(65530 + i), 0xfffffc00u + static_cast<std::uint32_t>(i) * 160u, 80 + static_cast<std::uint32_t>(i * 7 % 31)));
  return made;
}

/// As BACnet's answers begin: the length where RTP's number stands, a counter in the timestamp.
Buffer building(std::uint8_t length, std::uint8_t invoke) {
  Buffer made(length);
  const std::uint8_t head[] = {0x81, 0x0a, 0, length, 1, 0, 0x30, invoke, 0x0c, 0x0c, 2, 0};
  std::copy(std::begin(head), std::end(head), made.begin());
  return made;
}

}  // namespace

TEST_CASE("voice behaves like RTP, whole, with two of three lost, overtaken and in bursts", "[classify]") {
  CHECK(behaves_like_rtp(voice(5)));
  CHECK(behaves_like_rtp(voice(48)));
  CHECK(behaves_like_rtp(voice(48, 3)));
  auto overtaken = voice(12);
  for (std::size_t i = 2; i + 1 < overtaken.size(); i += 4) std::swap(overtaken[i], overtaken[i + 1]);
  CHECK(behaves_like_rtp(overtaken));
  auto burst = voice(12);
  for (auto& each : burst) each.time = burst.front().time;
  CHECK(behaves_like_rtp(burst));
  std::vector<MediaPacket> seldom, even;                  // one in ten seconds, but exactly; fragments a byte longer than the one before
  for (std::uint16_t i = 0; i < 8; ++i) {
    seldom.push_back(packet(10'000.0 * i, i, i * 900'000u));
    even.push_back(packet(i * 0.1, i, 90'000, 1'000u + i));
  }
  CHECK(behaves_like_rtp(seldom));
  CHECK(behaves_like_rtp(even));
  std::vector<MediaPacket> picture;                       // one video frame: a single timestamp
  for (std::uint16_t i = 0; i < 8; ++i) picture.push_back(packet(i * 0.1, i, 90'000, 1200u - i));
  CHECK(behaves_like_rtp(picture));
}

TEST_CASE("a field that is the datagram's own length is no number and no timestamp", "[classify]") {
  std::vector<MediaPacket> number, high, low;
  const std::uint32_t lengths[] = {51, 53, 50, 52, 55, 54, 57, 56};
  for (std::size_t i = 0; i < 8; ++i) {
    const auto at = 20.0 * static_cast<double>(i);
    const auto ticks = static_cast<std::uint32_t>(i) * 160u;
    number.push_back(packet(at, static_cast<std::uint16_t>(lengths[i] - 28), ticks, lengths[i]));
    high.push_back(packet(at, static_cast<std::uint16_t>(i), lengths[i] << 16, lengths[i]));
    low.push_back(packet(at, static_cast<std::uint16_t>(i), lengths[i], lengths[i]));
  }
  CHECK_FALSE(behaves_like_rtp(number));
  CHECK_FALSE(behaves_like_rtp(high));
  CHECK_FALSE(behaves_like_rtp(low));
}

TEST_CASE("numbers that come again, clocks that stand or race, packets too rare: no RTP", "[classify]") {
  std::vector<MediaPacket> again, still, racing, rare, halting;
  for (std::uint16_t i = 0; i < 12; ++i) {
    const double at = 200.0 * i;
    again.push_back(packet(at, i % 4, i * 1'600u));
    still.push_back(packet(at, i, 77));
    racing.push_back(packet(at, i, i * 100'000u));
    rare.push_back(packet(15'000.0 * i, i, i * 100'000u));
    halting.push_back(packet(at, static_cast<std::uint16_t>(i * i), i * 1'600u));   // numbers that don't advance by one
  }
  for (const auto& each : {again, still, racing, rare, halting}) CHECK_FALSE(behaves_like_rtp(each));
}

TEST_CASE("a building's controller that is polled makes no call; a call from the same port does", "[classify]") {
  const Endpoint panel = endpoint("192.168.1.2", 47808), device = endpoint("192.168.1.9", 47808);
  Wire polled, spoken;
  for (int i = 0; i < 400; ++i) polled.udp(i * 150.0, device, panel, building(static_cast<std::uint8_t>(22 + i % 4), static_cast<std::uint8_t>(i)));
  CHECK(polled.finish().calls.empty());
  CHECK(polled.recorder.result.streams.empty());
  call(spoken, 0, panel, device, 0xabcd0001, 200);
  CHECK(spoken.finish().calls.size() == 1);
}

TEST_CASE("a telephone event is told by its four bytes, plain and enciphered", "[classify]") {
  const Buffer event{5, 0x0a, 0, 160}, reserved{5, 0x4a, 0, 160}, sealed(14, 0xa5);
  CHECK(looks_like_event(101, 0, event, 4, false));
  CHECK_FALSE(looks_like_event(101, 0, reserved, 4, false));
  CHECK_FALSE(looks_like_event(101, 101, event, 4, false));        // the stream's own codec
  CHECK_FALSE(looks_like_event(8, 0, event, 4, false));            // a static type is no event
  CHECK_FALSE(looks_like_event(101, 0, event, 20, true));
  CHECK(looks_like_event(101, 111, sealed, 14, true));
  CHECK_FALSE(looks_like_event(101, 111, sealed, 14, false));      // neither a beginning nor a timestamp that stands
}

TEST_CASE("keys pressed in a call stay out of its clock and its codec", "[classify]") {
  const Endpoint a = endpoint("192.0.2.1", 40000), b = endpoint("198.51.100.2", 50000);
  Wire wire;
  std::uint16_t number = 0;
  for (std::uint32_t i = 0; i < 300; ++i) {
    const bool key = i % 60 >= 30;                                 // held half of the time
    auto sent = key ? rtp(101, number++, (i - i % 60 + 30) * 160u, 0xabcdef01, 4) : rtp(0, number++, i * 160u, 0xabcdef01);
    if (key) std::copy_n(Buffer{5, 0x0a, 0, 160}.begin(), 4, sent.end() - 4);
    wire.udp(i * 20.0, a, b, sent);
  }
  const auto& streams = wire.finish().streams;
  REQUIRE(streams.size() == 1);
  CHECK(streams[0].codec == "pcmu");
  CHECK(streams[0].kind == MediaKind::audio);
  REQUIRE(streams[0].formats.size() == 2);
  CHECK(streams[0].formats[1].is_auxiliary);
  std::uint64_t auxiliary = 0;
  for (const auto& packet : wire.recorder.packets) auxiliary += packet.is_auxiliary;
  CHECK(auxiliary == 150);
}

TEST_CASE("a stream of keys alone is no video", "[classify]") {
  const Endpoint a = endpoint("192.0.2.1", 40000), b = endpoint("198.51.100.2", 50000);
  Wire wire;
  for (std::uint16_t i = 0; i < 200; ++i) {
    auto sent = rtp(101, i, i / 20 * 8'000u, 0xabcdef01, 4);
    std::copy_n(Buffer{5, 0x0a, 0, 160}.begin(), 4, sent.end() - 4);
    wire.udp(i * 50.0, a, b, sent);
  }
  const auto& streams = wire.finish().streams;
  REQUIRE(streams.size() == 1);
  CHECK(streams[0].kind == MediaKind::audio);
}
