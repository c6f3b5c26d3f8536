// What became of each call, and what keeps it from being called clean.
#include "../../../support/machine.hpp"

#include "metrics/events/call_outcome.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace callwitness;
using Kind = metrics::CallOutcome::Kind;
using tests::find, tests::has, tests::Machine, tests::peer, tests::sip, tests::Wire;

namespace {

/// A SIP call of `seconds` whose far end is heard until `heard`; BYE at `bye`, if any.
metrics::Analysis call(double seconds, double heard, double bye, double pages_until = 120) {
  Machine machine;
  const Wire media{peer, 30000, 23456, false};
  sip(machine, 1, "call", true, "INVITE", 1, media.local_port);
  machine.talk(media, 2, 2 + seconds, 2 + heard, 100);
  if (bye > 0) sip(machine, 2 + bye, "call", true, "BYE", 2, media.local_port);
  machine.pages(pages_until);
  return machine.analysis();
}

const metrics::CallOutcome& only(const metrics::Analysis& analysis) {
  REQUIRE(analysis.outcomes.size() == 1);
  return analysis.outcomes.front();
}

void stun(Machine& machine, const Wire& wire, double at) {
  for (const bool sent : {true, false}) {
    std::vector<std::uint8_t> message = {static_cast<std::uint8_t>(sent ? 0 : 1), 1, 0, 0, 0x21, 0x12, 0xa4, 0x42};
    for (int i = 0; i < 12; ++i) message.push_back(static_cast<std::uint8_t>(at * 7 + i));
    machine.udp(at + (sent ? 0 : 0.03), wire, sent, message);
  }
}

}  // namespace

TEST_CASE("a call that both hear until its BYE is completed", "[events]") {
  const auto analysis = call(60, 60, 60.1);
  CHECK(only(analysis).kind == Kind::completed);
  CHECK(metrics::may_be_clean(only(analysis)));
}

TEST_CASE("a hang-up ends a call when it comes with the silence, and undoes none seconds after", "[events]") {
  CHECK(only(call(61, 60, 60.5)).kind == Kind::completed);
  const auto analysis = call(65, 60, 64.9);
  const auto& outcome = only(analysis);
  CHECK(outcome.kind == Kind::died);
  REQUIRE(outcome.after_s);
  CHECK(*outcome.after_s == Approx(60).margin(0.1));
  CHECK(outcome.packets[1] == Approx(3000).margin(2));
  CHECK(outcome.bytes[1] == outcome.packets[1] * 200);
  REQUIRE(outcome.hung_up_after_s);
  CHECK(*outcome.hung_up_after_s == Approx(4.9).margin(0.1));
  CHECK_FALSE(metrics::may_be_clean(outcome));
  CHECK(has(analysis, "outage"));
}

TEST_CASE("a call whose far end is never heard is one way, whatever its signalling says", "[events]") {
  const auto analysis = call(60, 0, 62);
  CHECK(only(analysis).kind == Kind::one_way);
  CHECK(only(analysis).missing == metrics::Direction::received);
  CHECK(only(analysis).packets[0] == Approx(3000).margin(2));
  CHECK(only(analysis).packets[1] == 0);
  CHECK_FALSE(metrics::may_be_clean(only(analysis)));
  const auto* told = find(analysis, "one_way");
  REQUIRE(told != nullptr);
  CHECK(told->number("announced_both_ways") == 1);
  CHECK(told->direction == metrics::Direction::received);
}

TEST_CASE("media alone that stop while STUN is answered leave a call one way from then on", "[events]") {
  Machine machine;
  const Wire media{peer, 30000, 23456, false};
  machine.talk(media, 2, 80, 22, 100);
  for (double at = 2.2; at < 80; at += 2.5) stun(machine, media, at);
  machine.pages(90);
  const auto analysis = machine.analysis();
  const auto& outcome = only(analysis);
  CHECK(outcome.kind == Kind::one_way);
  CHECK(*outcome.after_s == Approx(20).margin(0.2));
  CHECK(outcome.silent_s == Approx(58).margin(1));
  CHECK(has(analysis, "one_way"));
}

TEST_CASE("a hold that was announced is no silence", "[events]") {
  for (const bool announced : {true, false}) {
    Machine machine;
    const Wire media{peer, 30000, 23456, false}, signalling{peer, 5060, 5060, false};
    sip(machine, 1, "call", true, "INVITE", 1, media.local_port);
    machine.talk(media, 2, 60, 40, 100);
    const std::string sdp = "v=0\r\no=- 1 2 IN IP4 203.0.113.5\r\ns=-\r\nc=IN IP4 203.0.113.5\r\nt=0 0\r\nm=audio 23456 RTP/AVP 0\r\na=inactive\r\n";
    if (announced)
      machine.text(39.9, signalling, false, "INVITE sip:b@e.net SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.5\r\nFrom: <sip:b@e.net>;tag=2\r\nTo: <sip:a@e.net>;tag=1\r\nCall-ID: call@a\r\nCSeq: 2 INVITE\r\n"
                   "Content-Type: application/sdp\r\nContent-Length: " + std::to_string(sdp.size()) + "\r\n\r\n" + sdp);
    machine.pages(90);
    const auto analysis = machine.analysis();
    INFO(announced);
    CHECK(metrics::may_be_clean(only(analysis)) == announced);
    CHECK(has(analysis, "outage") != announced);
  }
}

TEST_CASE("a call that both stop without a goodbye is completed, one that runs on when the capture ends is open", "[events]") {
  CHECK(only(call(60, 60, 0)).kind == Kind::completed);
  CHECK(only(call(60, 60, 0, 62)).kind == Kind::open);
}

TEST_CASE("sender reports that count on tell that what doesn't come was sent", "[events]") {
  for (const bool counts : {true, false}) {
    Machine machine;
    const Wire media{peer, 30000, 23456, false};
    machine.talk(media, 2, 60, 30, 100);
    // RTCP beside the voice in the same flow, every four seconds: of the far end's SSRC.
    for (double at = 3; at < 60; at += 4) {
      std::vector<std::uint8_t> report = {0x80, 200, 0, 6};
      montecarlo::put32(report, 101);
      montecarlo::put32(report, static_cast<std::uint32_t>(at));
      montecarlo::put32(report, 0);
      montecarlo::put32(report, static_cast<std::uint32_t>(at * 8000));
      montecarlo::put32(report, static_cast<std::uint32_t>((counts ? at : std::min(at, 30.0)) * 50));
      montecarlo::put32(report, 0);
      machine.udp(at + 0.005, media, false, report);
    }
    machine.pages(70);
    const auto analysis = machine.analysis();
    INFO(counts);
    // Reports go on either way; only a far end that says it sends is not merely silent.
    CHECK(metrics::may_be_clean(only(analysis)) != counts);
    if (!counts) continue;
    CHECK(only(analysis).kind == Kind::one_way);
    CHECK(only(analysis).far_end_sent >= 1000);
  }
}
