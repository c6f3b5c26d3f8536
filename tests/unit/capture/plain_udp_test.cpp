// The short way that plain UDP packets take through the decoder tells what the long way tells.
#include "tests/unit/capture/capture_support.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace callwitness::test;

namespace {

constexpr std::uint16_t is_ipv4 = 0x0800, is_ipv6 = 0x86dd;
constexpr std::size_t addresses = 12;

/// The same frame by the long way: nothing plain has a tag. Empty: it has one already, or no type.
std::string tagged(const std::string& frame) {
  return frame.substr(0, addresses) + std::string("\x81\x00\x00\x07", 4) + frame.substr(addresses);
}

void check_alike(const std::string& frame, std::uint32_t cut_from = 0) {
  const std::uint32_t wire = cut_from == 0 ? static_cast<std::uint32_t>(frame.size()) : cut_from;
  const Decoded plain = decode(1, {frame}, wire), slow = decode(1, {tagged(frame)}, wire + 4);
  REQUIRE(plain.datagrams.size() == slow.datagrams.size());
  CHECK(plain.anomalies.counts() == slow.anomalies.counts());
  for (std::size_t i = 0; i < plain.datagrams.size(); ++i) {
    const auto &a = plain.datagrams[i].datagram, &b = slow.datagrams[i].datagram;
    CHECK(a.time == b.time);
    CHECK(a.ordinal == b.ordinal);
    CHECK((a.five_tuple == b.five_tuple));
    CHECK(a.ip_length == b.ip_length);
    CHECK(a.time_to_live == b.time_to_live);
    CHECK(a.ip_id == b.ip_id);
    CHECK(a.fragmented == b.fragmented);
    CHECK(a.truncated == b.truncated);
    CHECK(a.payload_length == b.payload_length);
    CHECK(a.tcp.has_value() == b.tcp.has_value());
    CHECK(a.icmp.has_value() == b.icmp.has_value());
    CHECK(plain.datagrams[i].payload == slow.datagrams[i].payload);
    CHECK(plain.datagrams[i].owner == slow.datagrams[i].owner);
  }
}

}  // namespace

TEST_CASE("a plain datagram is decoded the short way as the long way", "[capture][decoder]") {
  const std::string voice(40, 'v');
  for (const std::uint16_t port : std::initializer_list<std::uint16_t>{5060, 2152, 4789, 8472, 6081, 3544}) {   // telephony, then the tunnels'
    for (const std::string& frame : {ethernet(is_ipv4, ipv4(17, udp(4000, port, voice), 77)), ethernet(is_ipv6, ipv6(17, udp(port, 4000, voice)))}) {
      check_alike(frame);
      check_alike(frame + "padding of the frame");
      for (std::size_t size = 14; size < frame.size(); ++size) {
        check_alike(frame.substr(0, size));                                         // a short frame
        check_alike(frame.substr(0, size), static_cast<std::uint32_t>(frame.size()));   // a short capture
      }
    }
  }
}

TEST_CASE("a header with any byte wrong is decoded the short way as the long way", "[capture][decoder]") {
  const std::string voice(40, 'v');
  std::mt19937 random(5);
  for (const std::string& frame : {ethernet(is_ipv4, ipv4(17, udp(4000, 5060, voice), 77)), ethernet(is_ipv6, ipv6(17, udp(4000, 5060, voice)))}) {
    for (std::size_t at = 14; at < frame.size() - voice.size(); ++at) {
      for (unsigned value = 0; value < 256; ++value) {
        std::string changed = frame;
        changed[at] = static_cast<char>(value);
        check_alike(changed);
      }
    }
    for (int i = 0; i < 2'000; ++i) {
      std::string changed = frame;
      for (int n = 0; n < 3; ++n) changed[14 + random() % (frame.size() - 14)] = static_cast<char>(random());
      check_alike(changed);
    }
  }
}

TEST_CASE("a program's name behind a plain datagram is still read", "[capture][decoder]") {
  const std::string trailer = ByteBuilder(true).u32(0x01072021).u32(10'123).text("org.example.voice").zeros(3).zeros(4).bytes();
  const std::string frame = ethernet(is_ipv4, ipv4(17, udp(4000, 5060, std::string(40, 'v')))) + trailer;
  check_alike(frame);
  REQUIRE(decode(1, {frame}).datagrams.size() == 1);
  CHECK(decode(1, {frame}).datagrams.front().owner == "org.example.voice");
}
