// First datagrams of every service that nobody answers, through the whole classifier; beside each, its innocent twin.
#include "classify_support.hpp"

#include <random>

using namespace callwitness;
using namespace callwitness::classify;
using namespace callwitness::classify::test;
using Outcome = Attempt::Outcome;
using Stage = Attempt::Stage;

namespace {

const Endpoint me = endpoint("192.168.1.2", 50'000);
Endpoint server(std::uint16_t port) { return endpoint("198.51.100.7", port); }

Buffer filled(Buffer head, std::size_t size, std::uint32_t seed) {
  std::mt19937 random(seed);
  while (head.size() < size) head.push_back(static_cast<std::uint8_t>(random()));
  return head;
}
Buffer stun(std::uint8_t transaction) {
  Buffer bytes{0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42};
  bytes.resize(20, transaction);
  return bytes;
}
Buffer viber(std::uint8_t number) { return filled({number, 0x11, 3, 0}, 12, number); }
Buffer ventrilo(std::uint8_t number) { return filled({0, 0, 0, 0}, 108, number); }
Buffer mumble(std::uint8_t number) { return Buffer{0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, number}; }
Buffer teamspeak(std::uint8_t) { return Buffer{'T', 'S', '3', 'I', 'N', 'I', 'T', '1', 0, 0x65, 0, 0, 0x88, 0, 0, 0}; }
Buffer skype(std::uint8_t number) { return filled({static_cast<std::uint8_t>(number * 37), static_cast<std::uint8_t>(number * 91), static_cast<std::uint8_t>(number == 0 ? 2 : (number * 5 % 16) << 4 | 0x0d)}, 60, number); }
Buffer whatsapp(std::uint8_t number) {
  return filled({0, 3, 0, 0x6a, 0x21, 0x12, 0xa4, 0x42, number, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x40, 0, 0, 0x66}, 126, number);
}
Buffer discord(std::uint8_t) {
  Buffer bytes(74, 0);
  bytes[1] = 1;
  bytes[3] = 0x46;
  return bytes;
}
Buffer iax2(std::uint8_t) { return Buffer{0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 6, 1, 11, 2, 0, 2}; }

struct Start {
  std::string_view application;
  std::uint16_t port;
  Buffer (*datagram)(std::uint8_t);
  int count;
};
const Start starts[] = {{"webrtc", 3478, stun, 5}, {"teamspeak", 9987, teamspeak, 5}, {"mumble", 64738, mumble, 5}, {"ventrilo", 3784, ventrilo, 5},
                        {"viber", 7985, viber, 6}, {"skype", 40'000, skype, 24}, {"whatsapp", 3478, whatsapp, 5}, {"discord", 50'004, discord, 5},
                        {"iax2", 4569, iax2, 5}};

std::vector<Attempt> after(const Start& start, int answered_from) {
  Wire wire;
  for (int i = 0; i < start.count; ++i) {
    wire.udp(i * 1000.0, me, server(start.port), start.datagram(static_cast<std::uint8_t>(i)));
    if (i >= answered_from) wire.udp(i * 1000.0 + 40, server(start.port), me, start.datagram(static_cast<std::uint8_t>(i)), 52);
  }
  wire.udp(60'000, me, endpoint("192.168.1.1", 5353), Buffer(30, 1));
  return wire.finish().attempts;
}

}  // namespace

TEST_CASE("each service's start over UDP that goes unanswered is a try without a reply", "[classify][attempts]") {
  for (const auto& start : starts) {
    INFO(start.application);
    const auto attempts = after(start, 1000);
    REQUIRE(attempts.size() == 1);
    CHECK(attempts[0].application == start.application);
    CHECK(attempts[0].stage == Stage::udp);
    CHECK(attempts[0].outcome == Outcome::no_reply);
    CHECK(attempts[0].ordinals.size() >= 3);
  }
}

TEST_CASE("the same starts, answered late or at once, are no silence", "[classify][attempts]") {
  for (const auto& start : starts) {
    for (const int from : {0, start.count - 1}) {
      INFO(start.application << " answered from " << from);
      for (const auto& attempt : after(start, from)) CHECK(attempt.outcome == Outcome::answered);
    }
  }
}

TEST_CASE("other people's datagrams to ports above are nobody's try", "[classify][attempts]") {
  Wire wire;
  for (int i = 0; i < 8; ++i) {
    wire.udp(i * 1000.0, me, server(40'000), filled({0x55}, 80, static_cast<std::uint32_t>(i)));
    wire.udp(i * 1000.0 + 5, me, server(3478), filled({0x77}, 80, static_cast<std::uint32_t>(100 + i)));
  }
  wire.udp(60'000, me, endpoint("192.168.1.1", 5353), Buffer(30, 1));
  CHECK(wire.finish().attempts.empty());
}

TEST_CASE("checks between peers (with a user name) go unanswered by nature", "[classify][attempts]") {
  Wire wire;
  for (std::uint8_t i = 0; i < 8; ++i) {
    Buffer check = stun(i);
    check[3] = 12;
    check.insert(check.end(), {0, 6, 0, 8, 'a', 'b', 'c', 'd', ':', 'e', 'f', 'g'});
    wire.udp(i * 500.0, me, server(41'000), check);
  }
  wire.udp(60'000, me, endpoint("192.168.1.1", 5353), Buffer(30, 1));
  CHECK(wire.finish().attempts.empty());
}

namespace {

Buffer dns(std::string_view host, std::uint16_t id, bool reply, std::uint32_t address) {
  Buffer raw{static_cast<std::uint8_t>(id >> 8), static_cast<std::uint8_t>(id), static_cast<std::uint8_t>(reply ? 0x81 : 1), 0x80, 0, 1, 0, static_cast<std::uint8_t>(reply ? 1 : 0), 0, 0, 0, 0};
  while (!host.empty()) {
    const auto label = host.substr(0, host.find('.'));
    raw.push_back(static_cast<std::uint8_t>(label.size()));
    raw.insert(raw.end(), label.begin(), label.end());
    host.remove_prefix(std::min(host.size(), label.size() + 1));
  }
  raw.insert(raw.end(), {0, 0, 1, 0, 1});
  if (reply) {
    raw.insert(raw.end(), {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4});
    for (int shift = 24; shift >= 0; shift -= 8) raw.push_back(static_cast<std::uint8_t>(address >> shift));
  }
  return raw;
}

/// Ten look-ups of other names, 30 ms each from 55 hops' remainder; then Skype's with this limit and this delay.
Outcome judged(std::uint8_t hop_limit, double taken_ms, int others = 10, bool other_way_too = false) {
  Wire wire;
  const Endpoint resolver = endpoint("203.0.113.53", 53);
  for (int i = 0; i < others; ++i) {
    const auto id = static_cast<std::uint16_t>(i + 1);
    wire.udp(i * 100.0, me, resolver, dns("www.example.org", id, false, 0));
    wire.udp(i * 100.0 + 30, resolver, me, dns("www.example.org", id, true, 0xcb007107), static_cast<std::uint8_t>(other_way_too && i % 2 ? 49 : 55));
  }
  wire.udp(5000, me, resolver, dns("login.skype.com", 99, false, 0));
  wire.udp(5000 + taken_ms, resolver, me, dns("login.skype.com", 99, true, 0xcb007108), hop_limit);
  wire.udp(60'000, me, endpoint("192.168.1.1", 5353), Buffer(30, 1));
  const auto attempts = wire.finish().attempts;
  REQUIRE(attempts.size() == 1);
  CHECK(attempts[0].stage == Stage::dns);
  return attempts[0].outcome;
}

}  // namespace

TEST_CASE("an answer that is too quick and comes from another distance is forged; either alone is not", "[classify][attempts]") {
  CHECK(judged(61, 4) == Outcome::forged);
  CHECK(judged(55, 4) == Outcome::answered);        // a cache
  CHECK(judged(61, 31) == Outcome::answered);       // another route
  CHECK(judged(61, 20) == Outcome::answered);       // quicker, but not by half
  CHECK(judged(61, 4, 5) == Outcome::answered);     // too few to compare with
  CHECK(judged(61, 4, 12, true) == Outcome::answered);  // a resolver of several servers
}
