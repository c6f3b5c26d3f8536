#include "classify/attempts/attempts.hpp"

#include <catch2/catch.hpp>

using namespace callwitness;
using namespace callwitness::classify;
using Raw = std::vector<std::uint8_t>;
using Outcome = Attempt::Outcome;
using Stage = Attempt::Stage;

namespace {

const capture::IpAddress client = capture::IpAddress::v4(0xc0a80002), server = capture::IpAddress::v4(0xcb007105);

/// Feeds a tracker datagrams of flows, as the classifier would.
struct Scene {
  AttemptTracker tracker;
  NameTable names;
  std::uint32_t next_flow = 0;
  std::uint64_t ordinal = 0;

  Flow flow(std::uint8_t number, std::uint16_t from, std::uint16_t to) {
    Flow made;
    made.id = FlowId{next_flow};
    made.slot = next_flow++;
    made.five_tuple = {{client, from}, {server, to}, number};
    return made;
  }
  void send(Flow& flow, Way way, double at, const Raw& payload, std::optional<std::uint8_t> flags = {},
            std::uint8_t time_to_live = 57) {
    Datagram datagram;
    datagram.time_to_live = time_to_live;
    datagram.time = Time(capture::from_seconds(at));
    datagram.ordinal = ++ordinal;
    datagram.five_tuple = way == Way::forward ? flow.five_tuple : flow.five_tuple.reversed();
    datagram.payload = Bytes(payload);
    datagram.payload_length = static_cast<std::uint32_t>(payload.size());
    if (flags) {
      datagram.tcp = capture::TcpSegment{};
      datagram.tcp->flags = *flags;
    }
    if (auto name = names.on_datagram(datagram); !name.empty()) flow.server_name = name;
    ++(way == Way::forward ? flow.forward : flow.backward).packets;
    tracker.on_datagram(flow, way, datagram, names);
  }
  void complain(const Flow& about, double at, std::uint8_t code) {
    Datagram datagram;
    datagram.time = Time(capture::from_seconds(at));
    datagram.ordinal = ++ordinal;
    datagram.five_tuple = {{server, 0}, {client, 0}, capture::protocol::icmp};
    datagram.icmp = capture::IcmpMessage{3, code, about.five_tuple};
    Flow flow;
    flow.id = FlowId{next_flow};
    flow.slot = next_flow++;
    tracker.on_datagram(flow, Way::forward, datagram, names);
  }
  std::vector<Attempt> finish(double at = 60) { return tracker.finish(Time(capture::from_seconds(at))); }
};

constexpr std::uint8_t syn = 2, syn_ack = 18, ack = 16, rst = 4;

Raw dns(bool reply, std::uint8_t code, std::vector<std::uint32_t> addresses = {}) {
  Raw raw{0x12, 0x34, static_cast<std::uint8_t>(reply ? 0x81 : 1), static_cast<std::uint8_t>(0x80 | code), 0, 1, 0, static_cast<std::uint8_t>(addresses.size()), 0, 0, 0, 0,
          5, 'v', 'i', 'b', 'e', 'r', 3, 'c', 'o', 'm', 0, 0, 1, 0, 1};
  for (const auto address : addresses) {
    const Raw record{0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, static_cast<std::uint8_t>(address >> 24), static_cast<std::uint8_t>(address >> 16),
                     static_cast<std::uint8_t>(address >> 8), static_cast<std::uint8_t>(address)};
    raw.insert(raw.end(), record.begin(), record.end());
  }
  return raw;
}

void check(const std::vector<Attempt>& attempts, std::string_view application, Stage stage, Outcome outcome, std::uint32_t tries = 1) {
  REQUIRE(attempts.size() == 1);
  CHECK(attempts[0].application == application);
  CHECK(attempts[0].stage == stage);
  CHECK(attempts[0].outcome == outcome);
  CHECK(attempts[0].tries == tries);
}

}  // namespace

TEST_CASE("look-ups: answered, denied, forged, silent") {
  Scene scene;
  auto flow = scene.flow(capture::protocol::udp, 50000, 53);
  scene.send(flow, Way::forward, 1, dns(false, 0));
  SECTION("answered") {
    scene.send(flow, Way::backward, 1.1, dns(true, 0, {0xcb007107}));
    check(scene.finish(), "viber", Stage::dns, Outcome::answered);
  }
  SECTION("no such name") {
    scene.send(flow, Way::backward, 1.1, dns(true, 3));
    check(scene.finish(), "viber", Stage::dns, Outcome::nxdomain);
  }
  SECTION("a private address") {
    scene.send(flow, Way::backward, 1.1, dns(true, 0, {0x0a0a2224}));
    check(scene.finish(), "viber", Stage::dns, Outcome::forged);
  }
  SECTION("two answers that contradict each other") {
    scene.send(flow, Way::backward, 1.01, dns(true, 0, {0xcb007199}));
    scene.send(flow, Way::backward, 1.1, dns(true, 0, {0xcb007107}));
    check(scene.finish(), "viber", Stage::dns, Outcome::forged);
  }
  SECTION("the same answer twice is a duplicate") {
    scene.send(flow, Way::backward, 1.1, dns(true, 0, {0xcb007107}));
    scene.send(flow, Way::backward, 1.1, dns(true, 0, {0xcb007107}));
    check(scene.finish(), "viber", Stage::dns, Outcome::answered);
  }
  SECTION("no reply") { check(scene.finish(), "viber", Stage::dns, Outcome::no_reply); }
  SECTION("too early to say") { CHECK(scene.finish(3).empty()); }
}

TEST_CASE("connections: no reply, refused, prohibited, reset, answered") {
  Scene scene;
  auto look_up = scene.flow(capture::protocol::udp, 50000, 53);
  scene.send(look_up, Way::backward, 0, dns(true, 0, {0xcb007105}));
  auto flow = scene.flow(capture::protocol::tcp, 50001, 5242);
  scene.send(flow, Way::forward, 1, {}, syn);
  SECTION("no reply to the SYN or its repetitions") {
    scene.send(flow, Way::forward, 2, {}, syn);
    check(scene.finish(), "viber", Stage::tcp, Outcome::no_reply);
  }
  SECTION("refused") {
    scene.send(flow, Way::backward, 1.1, {}, rst | ack);
    check(scene.finish(), "viber", Stage::tcp, Outcome::refused);
  }
  SECTION("prohibited") {
    scene.complain(flow, 1.1, 13);
    check(scene.finish(), "viber", Stage::tcp, Outcome::prohibited);
  }
  SECTION("opened only") {
    scene.send(flow, Way::backward, 1.1, {}, syn_ack);
    check(scene.finish(), "viber", Stage::tcp, Outcome::answered);
  }
  SECTION("reset after the greeting") {
    scene.send(flow, Way::backward, 1.1, {}, syn_ack);
    scene.send(flow, Way::forward, 1.2, {0x16, 3, 1, 0, 10, 1, 0, 0, 6, 3, 3}, ack);
    scene.send(flow, Way::backward, 1.3, {}, rst);
    check(scene.finish(), "viber", Stage::tls, Outcome::reset);
  }
  SECTION("silence after the greeting") {
    scene.send(flow, Way::backward, 1.1, {}, syn_ack);
    scene.send(flow, Way::forward, 1.2, {0x16, 3, 1, 0, 10, 1, 0, 0, 6, 3, 3}, ack);
    check(scene.finish(), "viber", Stage::tls, Outcome::no_reply);
  }
  SECTION("greeting answered") {
    scene.send(flow, Way::backward, 1.1, {}, syn_ack);
    scene.send(flow, Way::forward, 1.2, {0x16, 3, 1, 0, 10, 1, 0, 0, 6, 3, 3}, ack);
    scene.send(flow, Way::backward, 1.3, {0x16, 3, 3, 0, 1, 2}, ack);
    check(scene.finish(), "viber", Stage::tls, Outcome::answered);
  }
}

TEST_CASE("starts of media over UDP") {
  Scene scene;
  auto flow = scene.flow(capture::protocol::udp, 50001, 9987);
  const Raw start{'T', 'S', '3', 'I', 'N', 'I', 'T', '1', 0, 0x65};
  scene.send(flow, Way::forward, 1, start);
  SECTION("answered") {
    scene.send(flow, Way::backward, 1.1, start);
    const auto attempts = scene.finish();
    check(attempts, "teamspeak", Stage::udp, Outcome::answered);
    CHECK(attempts[0].is_media);
  }
  SECTION("silence") {
    for (int i = 2; i < 5; ++i) scene.send(flow, Way::forward, i, start);
    check(scene.finish(), "teamspeak", Stage::udp, Outcome::no_reply);
  }
  SECTION("prohibited") {
    scene.complain(flow, 1.1, 10);
    check(scene.finish(), "teamspeak", Stage::udp, Outcome::prohibited);
  }
  SECTION("one datagram is too little") { CHECK(scene.finish().empty()); }
}

TEST_CASE("SIP requests: answered, refused, silent") {
  Scene scene;
  auto flow = scene.flow(capture::protocol::udp, 5060, 5060);
  const auto text = [](std::string_view first) {
    const std::string whole = std::string(first) + "\r\nCall-ID: a@b\r\nCSeq: 1 REGISTER\r\n\r\n";
    return Raw(whole.begin(), whole.end());
  };
  for (const double at : {1.0, 1.5, 2.5}) scene.send(flow, Way::forward, at, text("REGISTER sip:example.net SIP/2.0"));
  SECTION("answered by a challenge") {
    scene.send(flow, Way::backward, 3, text("SIP/2.0 401 Unauthorized"));
    check(scene.finish(), "sip", Stage::signalling, Outcome::answered);
  }
  SECTION("refused") {
    scene.send(flow, Way::backward, 3, text("SIP/2.0 403 Forbidden"));
    check(scene.finish(), "sip", Stage::signalling, Outcome::refused);
  }
  SECTION("silent") { check(scene.finish(), "sip", Stage::signalling, Outcome::no_reply); }
}

TEST_CASE("SIP refusals are the server's, unless somebody else answers first") {
  Scene scene;
  auto flow = scene.flow(capture::protocol::udp, 5060, 5060);
  const auto message = [](std::string_view first, int number, std::string_view method, std::string_view more = {}) {
    std::string whole = std::string(first) + "\r\nCall-ID: a@b\r\nCSeq: " + std::to_string(number) + ' ';
    whole.append(method).append("\r\n").append(more).append("\r\n");
    return Raw(whole.begin(), whole.end());
  };
  const std::string_view proof = "Authorization: Digest username=\"a\", response=\"0\"\r\n";
  const auto only = [&] {
    const auto attempts = scene.finish();
    REQUIRE(attempts.size() == 1);
    return attempts[0];
  };
  SECTION("a wrong password, three times over") {
    scene.send(flow, Way::forward, 1, message("REGISTER sip:e.net SIP/2.0", 1, "REGISTER"));
    scene.send(flow, Way::backward, 1.1, message("SIP/2.0 401 Unauthorized", 1, "REGISTER"));
    for (int i = 2; i < 5; ++i) {
      scene.send(flow, Way::forward, i, message("REGISTER sip:e.net SIP/2.0", i, "REGISTER", proof));
      scene.send(flow, Way::backward, i + 0.1, message("SIP/2.0 401 Unauthorized", i, "REGISTER"));
    }
    const auto attempts = scene.finish();
    REQUIRE(attempts.size() == 2);
    CHECK(attempts[0].outcome == Outcome::answered);
    CHECK(attempts[1].outcome == Outcome::refused);
    CHECK(attempts[1].tries == 3);
    CHECK(attempts[1].by_service);
  }
  SECTION("no codec in common") {
    for (int i = 1; i < 4; ++i) {
      scene.send(flow, Way::forward, i, message("INVITE sip:b@e.net SIP/2.0", i, "INVITE"));
      scene.send(flow, Way::backward, i + 0.1, message("SIP/2.0 100 Trying", i, "INVITE"));
      scene.send(flow, Way::backward, i + 0.2, message("SIP/2.0 488 Not Acceptable Here", i, "INVITE"));
    }
    const auto attempt = only();
    CHECK(attempt.outcome == Outcome::refused);
    CHECK(attempt.tries == 3);
    CHECK(attempt.by_service);
  }
  SECTION("users who are away, busy, unknown or unwilling refuse nothing") {
    for (const int code : {404, 480, 486, 487, 600, 603}) {
      scene.send(flow, Way::forward, code, message("INVITE sip:b@e.net SIP/2.0", code, "INVITE"));
      scene.send(flow, Way::backward, code + 0.1, message("SIP/2.0 " + std::to_string(code) + " No", code, "INVITE"));
    }
    const auto attempts = scene.finish(700);
    REQUIRE(attempts.size() == 1);
    CHECK(attempts[0].outcome == Outcome::answered);
  }
  SECTION("a proxy's challenge to a request without credentials is ordinary") {
    scene.send(flow, Way::forward, 1, message("INVITE sip:b@e.net SIP/2.0", 1, "INVITE"));
    scene.send(flow, Way::backward, 1.1, message("SIP/2.0 407 Proxy Authentication Required", 1, "INVITE"));
    CHECK(only().outcome == Outcome::answered);
  }
  SECTION("another answer from another distance: the first was forged") {
    scene.send(flow, Way::forward, 1, message("REGISTER sip:e.net SIP/2.0", 1, "REGISTER"));
    scene.send(flow, Way::backward, 1.01, message("SIP/2.0 403 Forbidden", 1, "REGISTER"), {}, 63);
    scene.send(flow, Way::backward, 1.10, message("SIP/2.0 401 Unauthorized", 1, "REGISTER"), {}, 49);
    const auto attempt = only();
    CHECK(attempt.outcome == Outcome::forged);
    CHECK_FALSE(attempt.by_service);
  }
  SECTION("the same refusal sent again is no forgery, nor is a second thought of the same host") {
    scene.send(flow, Way::forward, 1, message("REGISTER sip:e.net SIP/2.0", 1, "REGISTER"));
    scene.send(flow, Way::backward, 1.1, message("SIP/2.0 503 Service Unavailable", 1, "REGISTER"));
    scene.send(flow, Way::backward, 1.6, message("SIP/2.0 503 Service Unavailable", 1, "REGISTER"), {}, 56);
    scene.send(flow, Way::backward, 1.7, message("SIP/2.0 200 OK", 1, "REGISTER"));
    CHECK(only().outcome == Outcome::answered);
  }
}

TEST_CASE("a scan of ports is no try to call, and neither is a single knock") {
  Scene scene;
  for (std::uint16_t port = 1; port < 200; ++port) {
    auto flow = scene.flow(capture::protocol::tcp, 50000, port);
    scene.send(flow, Way::forward, 1, {}, syn);
  }
  for (const std::uint16_t port : {std::uint16_t{5242}, std::uint16_t{5243}, std::uint16_t{4244}}) {
    auto flow = scene.flow(capture::protocol::tcp, 50000, port);
    scene.send(flow, Way::forward, 1, {}, syn);
  }
  CHECK(scene.finish().empty());
  Scene other;
  auto flow = other.flow(capture::protocol::tcp, 50000, 5242);
  other.send(flow, Way::forward, 1, {}, syn);
  CHECK(other.finish().empty());
}

namespace {

/// A ClientHello that asks for `name`, and nothing else of note.
Raw client_hello(std::string_view name) {
  const auto size = static_cast<std::uint8_t>(name.size());
  Raw body(2 + 32, 3);
  body.insert(body.end(), {0, 0, 2, 0x13, 1, 1, 0, 0, static_cast<std::uint8_t>(size + 9), 0, 0, 0, static_cast<std::uint8_t>(size + 5), 0, static_cast<std::uint8_t>(size + 3), 0, 0, size});
  body.insert(body.end(), name.begin(), name.end());
  Raw record{0x16, 3, 1, 0, static_cast<std::uint8_t>(body.size() + 4), 1, 0, 0, static_cast<std::uint8_t>(body.size())};
  record.insert(record.end(), body.begin(), body.end());
  return record;
}

}  // namespace

TEST_CASE("a service's website counts, by the name in the greeting alone; somebody else's doesn't") {
  const auto after = [](std::string_view name, int what) {
    Scene scene;
    auto flow = scene.flow(capture::protocol::tcp, 50001, 443);
    scene.send(flow, Way::forward, 1, {}, syn);
    scene.send(flow, Way::backward, 1.1, {}, syn_ack);
    scene.send(flow, Way::forward, 1.2, client_hello(name), ack);
    if (what == 1) scene.send(flow, Way::backward, 1.3, {}, rst);
    if (what == 2) scene.send(flow, Way::backward, 1.3, {0x16, 3, 3, 0, 1, 2}, ack);
    return scene.finish();
  };
  check(after("www.teamspeak.com", 0), "teamspeak", Stage::tls, Outcome::no_reply);
  check(after("www.teamspeak.com", 1), "teamspeak", Stage::tls, Outcome::reset);
  check(after("www.teamspeak.com", 2), "teamspeak", Stage::tls, Outcome::answered);
  CHECK(std::string(after("www.teamspeak.com", 1).at(0).target.raw()).find("www.teamspeak.com") == 0);
  for (const int what : {0, 1, 2}) CHECK(after("www.example.org", what).empty());
}

TEST_CASE("SIP OPTIONS and INVITE without an answer; a provisional answer is one") {
  for (const std::string method : {"OPTIONS", "INVITE", "REGISTER"}) {
    for (const bool answered : {false, true}) {
      INFO(method << answered);
      Scene scene;
      auto flow = scene.flow(capture::protocol::udp, 5060, 5060);
      const auto message = [&](const std::string& first) {
        const std::string whole = first + "\r\nCall-ID: a@b\r\nCSeq: 1 " + method + "\r\n\r\n";
        return Raw(whole.begin(), whole.end());
      };
      for (const double at : {1.0, 1.5, 2.5, 4.5}) scene.send(flow, Way::forward, at, message(method + " sip:b@example.net SIP/2.0"));
      if (answered) scene.send(flow, Way::backward, 5, message("SIP/2.0 100 Trying"));
      check(scene.finish(), "sip", Stage::signalling, answered ? Outcome::answered : Outcome::no_reply);
    }
  }
}

TEST_CASE("IPv6's administrators forbid by codes of their own") {
  for (const auto& [code, outcome] : {std::pair<std::uint8_t, Outcome>{1, Outcome::prohibited}, {6, Outcome::prohibited}, {4, Outcome::refused}}) {
    Scene scene;
    auto flow = scene.flow(capture::protocol::udp, 50001, 9987);
    scene.send(flow, Way::forward, 1, {'T', 'S', '3', 'I', 'N', 'I', 'T', '1', 0, 0x65});
    Datagram datagram;
    datagram.time = Time(capture::from_seconds(1.1));
    datagram.five_tuple = {{server, 0}, {client, 0}, capture::protocol::icmpv6};
    datagram.icmp = capture::IcmpMessage{1, code, flow.five_tuple};
    Flow other;
    other.id = FlowId{99};
    other.slot = 99;
    scene.tracker.on_datagram(other, Way::forward, datagram, scene.names);
    check(scene.finish(), "teamspeak", Stage::udp, outcome);
  }
  // Code 5 blames the sender's own address, 0 and 3 say that there is no way: nobody forbids, and nothing is settled.
  for (const std::uint8_t code : std::initializer_list<std::uint8_t>{0, 3, 5}) {
    Scene scene;
    auto flow = scene.flow(capture::protocol::udp, 50001, 9987);
    for (const double at : {1.0, 2.0, 3.0}) scene.send(flow, Way::forward, at, {'T', 'S', '3', 'I', 'N', 'I', 'T', '1', 0, 0x65});
    Datagram datagram;
    datagram.time = Time(capture::from_seconds(1.1));
    datagram.five_tuple = {{server, 0}, {client, 0}, capture::protocol::icmpv6};
    datagram.icmp = capture::IcmpMessage{1, code, flow.five_tuple};
    Flow other;
    other.id = FlowId{99};
    other.slot = 99;
    scene.tracker.on_datagram(other, Way::forward, datagram, scene.names);
    const auto attempts = scene.finish();
    check(attempts, "teamspeak", Stage::udp, Outcome::no_reply);
    CHECK(attempts[0].unreachable == 1);
  }
}
