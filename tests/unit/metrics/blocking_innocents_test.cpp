// Applications that can't be reached for reasons that aren't about them, each beside the blocking that looks most like it.
#include "../../support/blocked_line.hpp"

#include <catch2/catch.hpp>

using namespace callwitness;
using namespace callwitness::test;
using metrics::AlternativeStatus;

namespace {

/// Mumble's port on three servers, silent, while others are answered.
metrics::Analysis silent_servers(bool closed, const std::vector<std::string>& servers = {"203.0.113.20", "203.0.113.21", "203.0.113.22"}) {
  Line line;
  std::uint16_t port = 45'000;
  for (int i = 0; i < 6; ++i) {
    ++port;
    for (const double again : {0.0, 1.0, 3.0}) line.send(i * 15.0 + again, me, port, servers[static_cast<std::size_t>(i) % servers.size()], 64738, {}, std::uint8_t{2});
    line.others(i * 15.0 + 1, true, closed);
  }
  line.others(100, true, closed);
  return line.take();
}

std::string invite(int number) {
  return "INVITE sip:e.net SIP/2.0\r\nCall-ID: " + std::to_string(number) + "@a\r\nCSeq: 1 INVITE\r\n\r\n";
}

Raw stun_check(std::uint8_t number) {
  Raw bytes{0, 1, 0, 16, 0x21, 0x12, 0xa4, 0x42};
  bytes.resize(20, number);
  bytes.insert(bytes.end(), {0, 6, 0, 9, 'a', 'b', 'c', 'd', ':', 'e', 'f', 'g', 'h', 0, 0, 0});
  return bytes;
}

}  // namespace

TEST_CASE("a network that answers nothing but names and the web is told as such; one unusual port that is answered, and it is about the application") {
  const auto hotel = silent_servers(true), open = silent_servers(false);
  REQUIRE(blocking_of(hotel));
  CHECK_FALSE(accused(hotel));
  CHECK(blocking_of(hotel)->numbers.at("closed_network") == 6);
  CHECK(status_of(*blocking_of(hotel), "closed_network") == AlternativeStatus::not_ruled_out);
  REQUIRE(blocking_of(open));
  CHECK(accused(open));
  CHECK(status_of(*blocking_of(open), "closed_network") == AlternativeStatus::ruled_out);
}

TEST_CASE("one silent server may be switched off") {
  const auto dead = silent_servers(false, {"203.0.113.20"});
  REQUIRE(blocking_of(dead));
  CHECK_FALSE(accused(dead));
  CHECK(blocking_of(dead)->numbers.at("targets") == 1);
}

TEST_CASE("a family of which nothing ever comes back is this line's fault") {
  for (const bool works : {false, true}) {
    INFO(works);
    Line line;
    const std::string me6 = "2001:db8:1::2";
    std::uint16_t port = 45'000;
    for (int i = 0; i < 6; ++i) {
      ++port;
      const auto server = "2001:db8:77::" + std::to_string(10 + i % 3);
      for (const double again : {0.0, 1.0, 3.0}) line.send(i * 15.0 + again, me6, port, server, 64738, {}, std::uint8_t{2});
      line.others(i * 15.0 + 1);
      if (!works) continue;
      for (const double again : {0.0, 0.3})
        for (const auto other : {"2001:db8:88::1", "2001:db8:88::2"}) {
          line.send(i * 15.0 + 1 + again, me6, 50'000, other, 27'015, raw("question"));
          line.send(i * 15.0 + 1.05 + again, other, 27'015, me6, 50'000, raw("answer"));
        }
    }
    const auto analysis = line.take();
    REQUIRE(blocking_of(analysis));
    CHECK(accused(analysis) == works);
    CHECK(blocking_of(analysis)->numbers.contains("address_family_unanswered") != works);
  }
}

TEST_CASE("what leaves with a source address that is answered nowhere can't be answered by anybody") {
  for (const bool wrong : {true, false}) {
    INFO(wrong);
    Line line;
    std::uint16_t port = 45'000;
    for (int i = 0; i < 6; ++i) {
      ++port;
      const auto server = "203.0.113." + std::to_string(20 + i % 3);
      for (const double again : {0.0, 1.0, 3.0}) line.send(i * 15.0 + again, wrong ? "10.0.2.15" : me, port, server, 64738, {}, std::uint8_t{2});
      line.others(i * 15.0 + 1);
    }
    const auto analysis = line.take();
    REQUIRE(blocking_of(analysis));
    CHECK(accused(analysis) != wrong);
    CHECK(blocking_of(analysis)->numbers.contains("source_unanswered") == wrong);
  }
}

TEST_CASE("another host of the home that is answered is no control") {
  Line line;
  std::uint16_t port = 45'000;
  for (int i = 0; i < 6; ++i) {
    ++port;
    const auto server = "203.0.113." + std::to_string(20 + i % 3);
    line.send(i * 15.0 + 5, "192.168.1.77", port, "198.51.100.200", 443, raw("question"));   // answered, but hardly anything else of it
    line.send(i * 15.0 + 5.05, "198.51.100.200", 443, "192.168.1.77", port, raw("answer"));
    for (const double again : {0.0, 1.0, 3.0}) line.send(i * 15.0 + again, "192.168.1.77", port, server, 64738, {}, std::uint8_t{2});
    line.others(i * 15.0 + 1);
  }
  const auto analysis = line.take();
  REQUIRE(blocking_of(analysis));
  CHECK_FALSE(accused(analysis));
}

TEST_CASE("INVITEs that a router prohibits are blocking; one host's own firewall is its own affair") {
  for (const bool by_host : {false, true}) {
    Line line;
    for (int i = 0; i < 6; ++i) {
      const auto server = "203.0.113." + std::to_string(20 + i % 3);
      line.send(i * 8.0, me, 5060, server, 5060, raw(invite(i)));
      line.prohibit(i * 8.0 + 0.02, by_host ? server : "198.51.100.99", 5060, server, 5060, capture::protocol::udp);
      line.others(i * 8.0 + 1);
    }
    const auto analysis = line.take();
    const auto* finding = blocking_of(analysis);
    REQUIRE(finding);
    CHECK(finding->application == "sip");
    CHECK(finding->mechanism == metrics::Mechanism::icmp);
    CHECK(accused(analysis) != by_host);
  }
}

TEST_CASE("answers that contradict each other from two distances are somebody's between, of one name as well") {
  Line line;
  for (int i = 0; i < 5; ++i) {
    line.look_up(i * 20.0, "secure.viber.com", {}, far_resolver);
    const auto port = static_cast<std::uint16_t>(40'000 + line.number);
    line.hops_left = 38;
    line.send(i * 20.0 + 0.02, far_resolver, 53, me, port, line.dns(true, "secure.viber.com", 3, {}, 0));
    line.hops_left = 52;
    line.send(i * 20.0 + 0.03, far_resolver, 53, me, port, line.dns(true, "secure.viber.com", 0, {"203.0.113.20"}, 300));
    line.others(i * 20.0 + 1);
  }
  const auto analysis = line.take();
  REQUIRE(blocking_of(analysis));
  CHECK(accused(analysis));
  CHECK(blocking_of(analysis)->numbers.at("two_senders") == 5);
}

TEST_CASE("a call that never finds a path is told, and nothing is accused by its name alone") {
  Line line;
  for (int i = 0; i < 3; ++i) {
    for (std::uint8_t again = 0; again < 12; ++again)
      for (const auto peer : {"203.0.113.40", "203.0.113.41"})
        line.send(i * 40.0 + again, me, static_cast<std::uint16_t>(47'000 + i), peer, 41'000, stun_check(static_cast<std::uint8_t>(i * 20 + again)));
    line.others(i * 40.0 + 2);
  }
  const auto analysis = line.take();
  const auto* finding = blocking_of(analysis);
  REQUIRE(finding);
  CHECK_FALSE(accused(analysis));
  CHECK(analysis.verdict.verdict_class != metrics::VerdictClass::clean);
  CHECK(finding->numbers.at("tries_stun_check") == 6);
  CHECK(finding->numbers.at("asked") == 72);
}
