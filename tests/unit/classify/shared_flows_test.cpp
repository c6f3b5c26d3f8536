// Several calls in one five-tuple: parallel ones of a trunk, and one after the other.
#include "classify/calls/shared_flows.hpp"
#include "classify_support.hpp"

#include <set>
#include <string>

using namespace callwitness;
using namespace callwitness::classify;
using namespace callwitness::classify::test;

namespace {

const Endpoint office = endpoint("192.168.1.2", 4569), provider = endpoint("198.51.100.7", 4569);
const Endpoint phone = endpoint("192.168.1.2", 5060), gateway = endpoint("198.51.100.7", 5060);
const Endpoint phone_media = endpoint("192.168.1.2", 40'000), gateway_media = endpoint("198.51.100.7", 30'000);

Buffer full_frame(std::uint16_t from, std::uint16_t to, std::uint32_t time, std::uint8_t number, std::uint8_t type, std::uint8_t subclass, std::size_t media = 0) {
  Buffer frame = {static_cast<std::uint8_t>(0x80 | from >> 8), static_cast<std::uint8_t>(from), static_cast<std::uint8_t>(to >> 8), static_cast<std::uint8_t>(to),
                  static_cast<std::uint8_t>(time >> 24), static_cast<std::uint8_t>(time >> 16), static_cast<std::uint8_t>(time >> 8), static_cast<std::uint8_t>(time),
                  number, 0, type, subclass};
  frame.resize(12 + media, 0x55);
  return frame;
}
Buffer mini_frame(std::uint16_t from, std::uint16_t time) {
  Buffer frame = {static_cast<std::uint8_t>(from >> 8), static_cast<std::uint8_t>(from), static_cast<std::uint8_t>(time >> 8), static_cast<std::uint8_t>(time)};
  frame.resize(164, static_cast<std::uint8_t>(time));
  return frame;
}
void iax_voice(Wire& wire, double at_ms, const Endpoint& from, const Endpoint& to, std::uint16_t own, std::uint16_t other, int i) {
  const auto time = static_cast<std::uint16_t>(i * 20);
  wire.udp(at_ms, from, to, i == 0 ? full_frame(own, other, 0, 1, 2, 4, 160) : mini_frame(own, time));
}

std::string sip(std::string_view first, std::string_view call, std::string_view method, const Endpoint& media) {
  std::string body = "v=0\r\nc=IN IP4 " + media.address.text() + "\r\nm=audio " + std::to_string(media.port) + " RTP/AVP 0\r\n";
  std::string text(first);
  text.append("\r\nCall-ID: ").append(call).append("\r\nCSeq: 1 ").append(method).append("\r\n");
  if (method == "BYE") return text + "\r\n";
  return text + "Content-Type: application/sdp\r\n\r\n" + body;
}

}  // namespace

TEST_CASE("two calls in one IAX2 trunk stay apart, and each ends by its own HANGUP", "[classify]") {
  Wire wire;
  wire.udp(0, office, provider, full_frame(11, 0, 0, 0, 6, 1));
  wire.udp(10, provider, office, full_frame(21, 11, 5, 0, 6, 4));
  wire.udp(15, office, provider, full_frame(12, 0, 0, 0, 6, 1));
  wire.udp(18, provider, office, full_frame(22, 12, 5, 0, 6, 4));
  for (int i = 0; i < 300; ++i) {
    iax_voice(wire, 20 + i * 20.0, office, provider, 11, 21, i);
    iax_voice(wire, 25 + i * 20.0, provider, office, 21, 11, i);
    if (i >= 200) continue;
    iax_voice(wire, 30 + i * 20.0, office, provider, 12, 22, i);
    iax_voice(wire, 35 + i * 20.0, provider, office, 22, 12, i);
  }
  wire.udp(7'000, provider, office, full_frame(21, 11, 7000, 9, 6, 5));
  const auto& result = wire.finish();
  REQUIRE(result.calls.size() == 2);
  for (const auto& call : result.calls) {
    CHECK(call.label.application == "iax2");
    CHECK(call.streams.size() == 2);
    CHECK(call.parts.size() == 1);
  }
  CHECK(result.calls[0].ended_by == Ending::bye);
  CHECK(result.calls[1].ended_by != Ending::bye);
  std::set<StreamId> streams;
  for (const auto& call : result.calls) streams.insert(call.streams.begin(), call.streams.end());
  CHECK(streams.size() == 4);
}

TEST_CASE("calls one after the other from the same ports are the dialogs' calls", "[classify]") {
  Wire wire;
  for (int i = 0; i < 2; ++i) {
    const double at = i * 15'000.0;
    const std::string name = i == 0 ? "first@a" : "second@a";
    wire.text(at, phone, gateway, sip("INVITE sip:b@e.net SIP/2.0", name, "INVITE", phone_media));
    wire.text(at + 50, gateway, phone, sip("SIP/2.0 200 OK", name, "INVITE", gateway_media));
    call(wire, at + 100, phone_media, gateway_media, 70'000u + static_cast<std::uint32_t>(i) * 1000, 500);
    wire.text(at + 10'200, phone, gateway, sip("BYE sip:b@e.net SIP/2.0", name, "BYE", phone_media));
  }
  const auto& result = wire.finish();
  REQUIRE(result.calls.size() == 2);
  for (const auto& call : result.calls) {
    CHECK(call.label.application == "sip");
    CHECK(call.streams.size() == 2);
    CHECK(call.ended_by == Ending::bye);
  }
}

TEST_CASE("without signalling, one five-tuple's calls are told by hanging up in between", "[classify]") {
  Wire apart, together;
  for (Wire* wire : {&apart, &together}) {
    call(*wire, 0, phone_media, gateway_media, 70'000, 500);
    call(*wire, wire == &apart ? 25'000 : 14'000, phone_media, gateway_media, 90'000, 500);
  }
  CHECK(apart.finish().calls.size() == 2);
  CHECK(together.finish().calls.size() == 1);
}

TEST_CASE("splitting keeps every stream once, in order", "[classify]") {
  const auto at = [](int s) { return Time(std::chrono::seconds(s)); };
  const auto groups = split_by_call({{3, Way::backward, -1, 0, at(30), at(40)}, {0, Way::forward, -1, 0, at(0), at(10)}, {1, Way::backward, -1, 0, at(0), at(10)},
                                     {2, Way::forward, -1, 0, at(30), at(40)}, {4, Way::forward, -1, 7, at(5), at(35)}});
  REQUIRE(groups.size() == 3);
  CHECK(groups[0].size() == 2);
  CHECK(groups[1].size() == 1);
  CHECK(groups[1][0].stream == 4);
  CHECK(groups[2].size() == 2);
  CHECK_FALSE(was_hung_up({at(10), std::nullopt}, at(60)));
  CHECK_FALSE(was_hung_up({at(10), at(12)}, at(60)));
  CHECK(was_hung_up({at(10), at(10)}, at(20)));
  CHECK_FALSE(was_hung_up({at(10), at(10)}, at(19)));
}
