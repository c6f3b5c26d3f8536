// What signalling and servers announce: directions of media, lifetimes of relays, what a sender says that it has sent.
#include "classify/protocols/rtcp.hpp"
#include "classify/protocols/sdp.hpp"
#include "classify/protocols/sip.hpp"
#include "classify/protocols/stun.hpp"

#include <catch2/catch.hpp>

#include <cstdint>
#include <string>
#include <vector>

using namespace callwitness;
using classify::parse_sdp;

namespace {

std::string audio(const std::string& session, const std::string& own) {
  return "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n" + session + "m=audio 4000 RTP/AVP 0\r\n" + own;
}

capture::Bytes bytes_of(const std::vector<std::uint8_t>& bytes) { return {bytes.data(), bytes.size()}; }

}  // namespace

TEST_CASE("media go both ways unless a description says otherwise, for all or for one", "[sdp]") {
  const auto both = [](const std::string& session, const std::string& own) { return parse_sdp(audio(session, own)).at(0).both_ways; };
  CHECK(both("", ""));
  CHECK(both("", "a=sendrecv\r\n"));
  for (const char* one : {"a=sendonly\r\n", "a=recvonly\r\n", "a=inactive\r\n"}) {
    CHECK_FALSE(both("", one));
    CHECK_FALSE(both(one, ""));
  }
  CHECK(both("a=inactive\r\n", "a=sendrecv\r\n"));
}

TEST_CASE("a session's time is read from its header, long or short", "[sip]") {
  const auto expires = [](const std::string& header) {
    const std::string text = "INVITE sip:b@e.net SIP/2.0\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n" + header + "Content-Length: 0\r\n\r\n";
    const std::vector<std::uint8_t> bytes(text.begin(), text.end());
    const auto message = classify::parse_text_message(bytes_of(bytes));
    REQUIRE(message.has_value());
    return message->session_expires_s;
  };
  CHECK(expires("") == 0);
  CHECK(expires("Session-Expires: 1800;refresher=uac\r\n") == 1800);
  CHECK(expires("x: 90\r\n") == 90);
}

TEST_CASE("a TURN answer tells how long its allocation lives", "[stun]") {
  std::vector<std::uint8_t> message = {0x01, 0x03, 0, 8, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 0x0d, 0, 4, 0, 0, 0x02, 0x58};
  const auto told = classify::parse_stun(bytes_of(message), static_cast<std::uint32_t>(message.size()));
  REQUIRE(told.has_value());
  CHECK(told->lifetime_s == 600);
}

TEST_CASE("a sender report counts the packets sent", "[rtcp]") {
  std::vector<std::uint8_t> report = {0x80, 200, 0, 6, 0, 0, 0, 7, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0x0b, 0xb8, 0, 0, 0, 0};
  const auto compound = classify::parse_rtcp(bytes_of(report), static_cast<std::uint32_t>(report.size()));
  REQUIRE(compound.has_value());
  CHECK(compound->sender_report.has_value());
  CHECK(compound->sender_packets == 3000);
  CHECK(compound->sender_ssrc == 7);
}
