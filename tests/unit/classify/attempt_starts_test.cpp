// First datagrams of every service that nobody answers, through the whole classifier; beside each, its innocent twin.
#include "classify_support.hpp"

#include <algorithm>
#include <random>
#include <string>

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
Buffer zoom(std::uint8_t number) { return filled({5, 0, 1, number, 0, 0, 0, 0, 33, 0}, 60, number); }
Buffer iax2(std::uint8_t) { return Buffer{0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 6, 1, 11, 2, 0, 2}; }

struct Start {
  std::string_view application;
  std::uint16_t port;
  Buffer (*datagram)(std::uint8_t);
  int count;
};
const Start starts[] = {{"webrtc", 3478, stun, 5}, {"teamspeak", 9987, teamspeak, 5}, {"mumble", 64738, mumble, 5}, {"ventrilo", 3784, ventrilo, 5},
                        {"viber", 7985, viber, 6}, {"skype", 40'000, skype, 24}, {"whatsapp", 3478, whatsapp, 5}, {"discord", 50'004, discord, 5},
                        {"iax2", 4569, iax2, 5}, {"zoom", 8801, zoom, 5}};

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

namespace {

/// A check of the session whose user names are `ours` and `theirs` (four letters each), or its answer.
Buffer check(std::string_view theirs, std::string_view ours, std::uint8_t transaction, bool answer = false) {
  Buffer bytes = stun(transaction);
  if (answer) {
    bytes[0] = 1;
    return bytes;
  }
  bytes[3] = 16;
  bytes.insert(bytes.end(), {0, 6, 0, 9});
  for (const char c : std::string(theirs) + ':' + std::string(ours)) bytes.push_back(static_cast<std::uint8_t>(c));
  bytes.insert(bytes.end(), {0, 0, 0});
  return bytes;
}
/// A DTLS record with the handshake message `type`; `offset`: where in that message this fragment begins.
Buffer dtls(std::uint8_t type, std::uint8_t number, std::uint8_t offset = 0) {
  return filled({22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, number, 0, 60, type, 0, 0, 120, 0, 0, 0, 0, offset, 0, 0, 48}, 73, number);
}
const Attempt* find(const std::vector<Attempt>& attempts, Attempt::Step step, Outcome outcome) {
  const auto found = std::find_if(attempts.begin(), attempts.end(), [&](const Attempt& attempt) { return attempt.step == step && attempt.outcome == outcome; });
  return found == attempts.end() ? nullptr : &*found;
}

}  // namespace

TEST_CASE("checks between peers that nobody answers are listed, and those that lose to another pair say so", "[classify][attempts]") {
  for (const bool another_pair_works : {false, true}) {
    INFO(another_pair_works);
    Wire wire;
    const Endpoint relay = endpoint("203.0.113.9", 40'000), other_socket = endpoint("192.168.1.2", 50'002);
    for (std::uint8_t i = 0; i < 8; ++i) {
      wire.udp(i * 900.0, me, server(41'000), check("abcd", "efgh", i));
      wire.udp(i * 900.0 + 1, me, server(41'001), check("abcd", "efgh", static_cast<std::uint8_t>(40 + i)));
      if (!another_pair_works) continue;
      wire.udp(i * 900.0 + 2, other_socket, relay, check("abcd", "efgh", static_cast<std::uint8_t>(80 + i)));
      wire.udp(i * 900.0 + 30, relay, other_socket, check("", "", static_cast<std::uint8_t>(80 + i), true), 52);
    }
    wire.udp(60'000, me, endpoint("192.168.1.1", 5353), Buffer(30, 1));
    const auto attempts = wire.finish().attempts;
    REQUIRE(attempts.size() == (another_pair_works ? 3u : 2u));
    const auto* lost = find(attempts, Attempt::Step::stun_check, Outcome::no_reply);
    REQUIRE(lost);
    CHECK(lost->application == "webrtc");
    CHECK(lost->stage == Stage::udp);
    CHECK(lost->asked == 8);
    CHECK(lost->source == me.address);
    CHECK(lost->superseded == (another_pair_works ? 1u : 0u));
  }
}

TEST_CASE("a server that tells us our address is no path to the peer", "[classify][attempts]") {
  Wire wire;
  const Endpoint told_by = endpoint("203.0.113.9", 3478);
  for (std::uint8_t i = 0; i < 8; ++i) {
    wire.udp(i * 900.0, me, told_by, stun(i));
    wire.udp(i * 900.0 + 20, told_by, me, check("", "", i, true), 52);
    wire.udp(i * 900.0 + 40, me, endpoint("203.0.113.10", 3478), stun(static_cast<std::uint8_t>(30 + i)));
    wire.udp(i * 900.0 + 60, me, server(41'000), check("abcd", "efgh", static_cast<std::uint8_t>(60 + i)));
  }
  wire.udp(60'000, me, endpoint("192.168.1.1", 5353), Buffer(30, 1));
  const auto attempts = wire.finish().attempts;
  const auto* to_peer = find(attempts, Attempt::Step::stun_check, Outcome::no_reply);
  const auto* to_server = find(attempts, Attempt::Step::stun_request, Outcome::no_reply);
  REQUIRE(to_peer);
  REQUIRE(to_server);
  CHECK(to_peer->superseded == 0);
  CHECK(to_server->superseded == 1);   // another server has told
}

TEST_CASE("a path is found and the DTLS hello, in one datagram or two, is never answered", "[classify][attempts]") {
  for (const bool in_two : {false, true})
    for (const bool answered : {false, true}) {
      INFO(in_two << answered);
      Wire wire;
      const Endpoint peer = server(41'000);
      for (std::uint8_t i = 0; i < 20; ++i) {   // longer than the first datagrams that any flow is looked at
        wire.udp(i * 50.0, me, peer, check("abcd", "efgh", i));
        wire.udp(i * 50.0 + 30, peer, me, check("", "", i, true), 52);
      }
      for (std::uint8_t i = 0; i < 5; ++i) {
        wire.udp(1100 + 1500.0 * i, me, peer, dtls(1, i));
        if (in_two) wire.udp(1101 + 1500.0 * i, me, peer, dtls(1, static_cast<std::uint8_t>(10 + i), 48));
      }
      if (answered) wire.udp(7200, peer, me, dtls(2, 0), 52);
      wire.udp(60'000, me, endpoint("192.168.1.1", 5353), Buffer(30, 1));
      const auto attempts = wire.finish().attempts;
      CHECK(find(attempts, Attempt::Step::stun_check, Outcome::answered));
      const auto* hello = find(attempts, Attempt::Step::dtls_hello, answered ? Outcome::answered : Outcome::no_reply);
      REQUIRE(hello);
      CHECK(hello->stage == Stage::tls);
      CHECK(hello->asked == (in_two ? 10u : 5u));
      CHECK(hello->superseded == 0);
    }
}

TEST_CASE("DTLS of a program that makes no calls is nobody's start", "[classify][attempts]") {
  Wire wire;
  for (std::uint8_t i = 0; i < 6; ++i) wire.udp(i * 2000.0, me, server(4433), dtls(1, i));
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
