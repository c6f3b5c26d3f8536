#include "classify/protocols/rtcp.hpp"
#include "classify/protocols/sdp.hpp"
#include "classify/protocols/sip.hpp"
#include "classify/protocols/stun.hpp"
#include "classify_support.hpp"

#include <string>

using namespace callwitness::classify;
using namespace callwitness::classify::test;

namespace {

const Endpoint alice = endpoint("192.0.2.1", 5060), bob = endpoint("198.51.100.2", 5060);
const Endpoint alice_media = endpoint("192.0.2.1", 40000), bob_media = endpoint("198.51.100.2", 50000);

std::string sdp(std::string_view address, int port) {
  return "v=0\r\no=- 1 1 IN IP4 " + std::string(address) + "\r\ns=-\r\nc=IN IP4 " + std::string(address) +
         "\r\nt=0 0\r\nm=audio " + std::to_string(port) +
         " RTP/AVP 111 101\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:101 telephone-event/48000\r\na=ptime:20\r\n";
}

std::string sip(std::string first, std::string_view call_id, std::string_view sequence, const std::string& body = "") {
  return first + "\r\ni: " + std::string(call_id) + "\r\nCSeq: " + std::string(sequence) +
         (body.empty() ? "" : "\r\nc: application/sdp") + "\r\nl: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

Bytes bytes_of(const std::string& text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

void signalled_call(Wire& wire, double at_ms, const std::string& call_id, const Endpoint& a, const Endpoint& b, std::uint32_t ssrc) {
  wire.text(at_ms, alice, bob, sip("INVITE sip:bob@example.org SIP/2.0", call_id, "1 INVITE", sdp(a.address.text(), a.port)));
  wire.text(at_ms + 50, bob, alice, sip("SIP/2.0 200 OK", call_id, "1 INVITE", sdp(b.address.text(), b.port)));
  call(wire, at_ms + 60, a, b, ssrc, 50, 111);
  wire.text(at_ms + 1100, alice, bob, sip("BYE sip:bob@example.org SIP/2.0", call_id, "2 BYE"));
}

}  // namespace

TEST_CASE("SIP names the codec, joins both directions and ends the call", "[classify]") {
  Wire wire;
  signalled_call(wire, 0, "first", alice_media, bob_media, 1000);
  const auto& result = wire.finish();
  REQUIRE(result.calls.size() == 1);
  const Call& call = result.calls[0];
  CHECK(call.signalling == Signalling::sip);
  CHECK(call.ended_by == Ending::bye);
  CHECK(call.label.application == "sip");
  CHECK(call.streams.size() == 2);
  CHECK(call.flows.size() == 2);   // media and signalling
  for (const auto& stream : result.streams) {
    CHECK(stream.codec == "opus");
    CHECK(stream.clock_rate_hz == 48000);
    CHECK(stream.packet_time_ms == 20);
  }
}

TEST_CASE("a description tells forward error correction and retransmissions from media", "[classify]") {
  Wire wire;
  const std::string offer = "v=0\r\nc=IN IP4 192.0.2.1\r\nm=video 40000 RTP/AVP 96 97 98\r\na=rtpmap:96 H264/90000\r\na=rtpmap:97 rtx/90000\r\n"
                            "a=rtpmap:98 flexfec-03/90000\r\n";
  wire.text(0, alice, bob, sip("INVITE sip:bob@example.org SIP/2.0", "fec", "1 INVITE", offer));
  wire.text(50, bob, alice, sip("SIP/2.0 200 OK", "fec", "1 INVITE", sdp("198.51.100.2", 50000)));
  for (std::uint16_t i = 0; i < 60; ++i)
    for (const std::uint8_t type : {std::uint8_t{96}, std::uint8_t{97}, std::uint8_t{98}})
      wire.udp(100 + i * 33.0 + type - 96, bob_media, alice_media, rtp(type, i, i * 3000u, 1000u * type, 300));
  const auto& result = wire.finish();
  REQUIRE(result.streams.size() == 3);
  for (const auto& stream : result.streams) {
    CHECK(stream.kind == (stream.payload_type == 96 ? MediaKind::video : stream.payload_type == 97 ? MediaKind::retransmission : MediaKind::fec));
  }
}

TEST_CASE("telephones that check their way with STUN make a SIP call all the same", "[classify]") {
  Wire wire;
  wire.text(0, alice, bob, sip("INVITE sip:bob@example.org SIP/2.0", "stun", "1 INVITE", sdp("192.0.2.1", 40000)));
  wire.text(50, bob, alice, sip("SIP/2.0 200 OK", "stun", "1 INVITE", sdp("198.51.100.2", 50000)));
  Buffer check{0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42};
  check.resize(20, 7);
  wire.udp(55, alice_media, bob_media, check);
  call(wire, 60, alice_media, bob_media, 1000, 50, 111);
  const auto& result = wire.finish();
  REQUIRE(result.calls.size() == 1);
  CHECK(result.calls[0].label.application == "sip");
  CHECK(result.calls[0].label.basis == Basis::signalling);
}

TEST_CASE("two calls on the same ports, one after the other, are two calls", "[classify]") {
  Wire wire;
  signalled_call(wire, 0, "first", alice_media, bob_media, 1000);
  signalled_call(wire, 10'000, "second", endpoint("192.0.2.1", 40002), bob_media, 2000);
  CHECK(wire.finish().calls.size() == 2);
}

TEST_CASE("calls that follow each other with one SSRC, its numbers anew in each, are as many calls", "[classify]") {
  for (const double apart : {1'200.0, 1'130.0}) {          // a second of media each, the next dialled at once
    Wire wire;
    for (int i = 0; i < 6; ++i) signalled_call(wire, i * apart, "call-" + std::to_string(i), alice_media, bob_media, 0x0badcafe);
    CHECK(wire.finish().calls.size() == 6);
    CHECK(wire.recorder.result.streams.size() == 12);
  }
}

TEST_CASE("one dialog whose ports are offered again keeps its stream", "[classify]") {
  Wire wire;
  wire.text(0, alice, bob, sip("INVITE sip:bob@example.org SIP/2.0", "one", "1 INVITE", sdp("192.0.2.1", 40000)));
  wire.text(50, bob, alice, sip("SIP/2.0 200 OK", "one", "1 INVITE", sdp("198.51.100.2", 50000)));
  call(wire, 60, alice_media, bob_media, 0x0badcafe, 50, 111);
  wire.text(1'070, alice, bob, sip("INVITE sip:bob@example.org SIP/2.0", "one", "2 INVITE", sdp("192.0.2.1", 40000)));
  wire.text(1'080, bob, alice, sip("SIP/2.0 200 OK", "one", "2 INVITE", sdp("198.51.100.2", 50000)));
  call(wire, 1'090, alice_media, bob_media, 0x0badcafe, 50, 111);
  CHECK(wire.finish().calls.size() == 1);
  CHECK(wire.recorder.result.streams.size() == 2);
}

TEST_CASE("an unanswered INVITE is no call", "[classify]") {
  Wire wire;
  wire.text(0, alice, bob, sip("INVITE sip:bob@example.org SIP/2.0", "x", "1 INVITE", sdp("192.0.2.1", 40000)));
  wire.text(50, bob, alice, sip("SIP/2.0 486 Busy Here", "x", "1 INVITE"));
  CHECK(wire.finish().calls.empty());
}

TEST_CASE("SIP text cut at every byte and bent lengths are survived", "[classify][property]") {
  const std::string whole = sip("INVITE sip:bob@example.org SIP/2.0", "abc", "1 INVITE", sdp("192.0.2.1", 40000));
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const auto cut = whole.substr(0, size);
    parse_text_message(bytes_of(cut));
    CHECK(text_message_size(bytes_of(cut)) == (size == whole.size() ? size : 0));
  }
  for (const char* length : {"-1", "18446744073709551616", "99999999", "x"}) {
    const std::string bent = "BYE sip:a SIP/2.0\r\nContent-Length: " + std::string(length) + "\r\n\r\n";
    CHECK(text_message_size(bytes_of(bent)) <= bent.size());
  }
  std::string many = "INVITE sip:a SIP/2.0\r\n";
  for (int i = 0; i < 10'000; ++i) many += "X: y\r\n";
  parse_text_message(bytes_of(many + "\r\n"));
  parse_text_message(bytes_of("INVITE sip:" + std::string(1'000'000, 'a') + " SIP/2.0\r\n\r\n"));
}

TEST_CASE("SDP with 10,000 media is bounded", "[classify]") {
  std::string text = "v=0\r\nc=IN IP4 192.0.2.1\r\n";
  for (int i = 0; i < 10'000; ++i) text += "m=audio 4000 RTP/AVP 0 8 96\r\na=rtpmap:96 iLBC/8000\r\n";
  const auto media = parse_sdp(text);
  CHECK(media.size() == 32);
  REQUIRE(media[0].format(96) != nullptr);
  CHECK(media[0].format(96)->codec == "ilbc");
}

TEST_CASE("SIP over TCP in pieces", "[classify]") {
  Wire wire;
  const auto invite = sip("INVITE sip:bob@example.org SIP/2.0", "t", "1 INVITE", sdp("192.0.2.1", 40000));
  callwitness::capture::TcpSegment segment;
  segment.flags = 16;
  segment.sequence = 100;
  for (std::size_t at = 0; at < invite.size(); at += 100) {
    const auto piece = invite.substr(at, 100);
    wire.tcp(static_cast<double>(at) / 100, alice, bob, segment, Buffer(piece.begin(), piece.end()));
    segment.sequence += static_cast<std::uint32_t>(piece.size());
  }
  call(wire, 100, alice_media, bob_media, 5, 20, 111);
  const auto& result = wire.finish();
  REQUIRE(result.streams.size() == 2);
  CHECK(result.streams[0].codec == "opus");
  REQUIRE(result.calls.size() == 1);
  CHECK(result.calls[0].signalling == Signalling::sip);
}

TEST_CASE("RTP interleaved in RTSP is found", "[classify]") {
  Wire wire;
  callwitness::capture::TcpSegment segment;
  segment.flags = 16;
  segment.sequence = 1;
  const std::string answer = "RTSP/1.0 200 OK\r\nCSeq: 3\r\n\r\n";
  wire.tcp(0, bob, alice, segment, Buffer(answer.begin(), answer.end()));
  segment.sequence += static_cast<std::uint32_t>(answer.size());
  for (std::uint16_t i = 0; i < 30; ++i) {
    const auto inner = rtp(0, i, i * 160u, 42);
    Buffer framed{'$', 0, 0, static_cast<std::uint8_t>(inner.size())};
    framed.insert(framed.end(), inner.begin(), inner.end());
    wire.tcp(10 + i * 20.0, bob, alice, segment, framed);
    segment.sequence += static_cast<std::uint32_t>(framed.size());
  }
  const auto& result = wire.finish();
  REQUIRE(result.streams.size() == 1);
  CHECK(result.streams[0].over_tcp);
  CHECK(wire.recorder.packets.size() == 30);
}

TEST_CASE("STUN request and response make a round trip; repeated requests none", "[classify]") {
  const auto message = [](std::uint8_t high, std::uint8_t low, std::uint8_t transaction) {
    Buffer bytes{high, low, 0, 0, 0x21, 0x12, 0xa4, 0x42};
    bytes.resize(20, transaction);
    return bytes;
  };
  Wire wire;
  wire.udp(0, alice_media, bob_media, message(0, 1, 1));
  wire.udp(31.5, bob_media, alice_media, message(1, 1, 1), 50);
  wire.udp(100, alice_media, bob_media, message(0, 1, 2));
  wire.udp(200, alice_media, bob_media, message(0, 1, 2));
  wire.udp(231, bob_media, alice_media, message(1, 1, 2), 50);
  wire.finish();
  REQUIRE(wire.recorder.round_trips.size() == 1);
  CHECK(wire.recorder.round_trips[0].round_trip == std::chrono::microseconds(31'500));
  CHECK(wire.recorder.round_trips[0].asked == Way::forward);
}

TEST_CASE("STUN attributes that overrun are refused, at every cut", "[classify][property]") {
  Buffer bytes{0, 1, 0, 12, 0x21, 0x12, 0xa4, 0x42};
  bytes.resize(20, 7);
  bytes.insert(bytes.end(), {0, 6, 0, 8, 'a', 'b', 'c', 'd', ':', 'e', 'f', 'g'});
  REQUIRE(parse_stun(bytes, 32));
  CHECK(parse_stun(bytes, 32)->username == "abcd:efg");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const Buffer cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK(!parse_stun(cut, static_cast<std::uint32_t>(size)));
    parse_stun(cut, 32);
  }
  bytes[23] = 200;
  CHECK(!parse_stun(bytes, 32));
}

TEST_CASE("RTCP reports, their round trip, and SRTCP that is left alone", "[classify]") {
  // SR of ssrc 1 with NTP middle bits 0x11112222, no blocks.
  const Buffer report{0x80, 200, 0, 6, 0, 0, 0, 1, 0, 0, 0x11, 0x11, 0x22, 0x22, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3};
  // RR of ssrc 2 about ssrc 1: lost 3 of 256, -1 in all, jitter 9, LSR as above, held for 0.5 s.
  const Buffer answer{0x81, 201, 0, 7, 0, 0, 0, 2, 0, 0, 0, 1, 3, 0xff, 0xff, 0xff, 0, 1, 0, 5, 0, 0, 0, 9,
                      0x11, 0x11, 0x22, 0x22, 0, 0, 0x80, 0};
  Wire wire;
  wire.udp(0, alice_media, bob_media, report);
  wire.udp(540, bob_media, alice_media, answer);
  wire.finish();
  REQUIRE(wire.recorder.reports.size() == 1);
  CHECK(wire.recorder.reports[0].reported_ssrc == 1);
  CHECK(wire.recorder.reports[0].fraction_lost == 3);
  CHECK(wire.recorder.reports[0].cumulative_lost == -1);
  CHECK(wire.recorder.reports[0].highest_sequence == 0x00010005);
  CHECK(wire.recorder.reports[0].jitter == 9);
  REQUIRE(wire.recorder.round_trips.size() == 1);
  CHECK(wire.recorder.round_trips[0].round_trip == std::chrono::milliseconds(40));
  for (std::size_t size = 0; size < answer.size(); ++size) {
    CHECK(!parse_rtcp(Bytes(answer).first(size), static_cast<std::uint32_t>(size)));
  }
  Buffer secured = answer;
  secured.resize(answer.size() + 14, 0x5a);
  REQUIRE(parse_rtcp(secured, static_cast<std::uint32_t>(secured.size())));
  CHECK(parse_rtcp(secured, static_cast<std::uint32_t>(secured.size()))->encrypted);
  CHECK(parse_rtcp(secured, static_cast<std::uint32_t>(secured.size()))->block_count == 0);
}
