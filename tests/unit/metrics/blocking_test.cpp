// Blocking, from packets to the verdict, and the innocents that look most like it: filters at home, dead relays, networks
// that bar UDP altogether.
#include "../../support/blocked_line.hpp"

#include <catch2/catch.hpp>

using namespace callwitness;
using namespace callwitness::test;

namespace {

/// Six look-ups of two names of Viber's, answered so, while others answer.
metrics::Analysis looked_up(const std::vector<Line::Answer>& answers, const std::string& at_resolver = resolver, int names = 2, std::uint8_t hops_left = 52) {
  Line line;
  line.hops_left = hops_left;
  for (int i = 0; i < 6; ++i) {
    line.look_up(i * 20.0, i % 2 < names - 1 ? "api.viber.com" : "secure.viber.com", answers, at_resolver);
    line.others(i * 20.0 + 1);
  }
  return line.take();
}

/// Viber signs in over TCP (answered), then starts media on UDP at `relays` at each of `tries`.
metrics::Analysis called(const std::vector<double>& tries, const std::vector<std::string>& relays, bool answered, bool others_over_udp, bool sign_in = true) {
  Line line;
  std::uint16_t port = 30'000;
  line.look_up(0, "secure.viber.com", {{0, {"203.0.113.20"}, 300}});
  for (const double at : tries) {
    ++port;
    line.send(at, me, port, "203.0.113.20", 5242, {}, std::uint8_t{2});
    if (sign_in) {
      line.send(at + 0.04, "203.0.113.20", 5242, me, port, {}, std::uint8_t{18});
      line.send(at + 0.05, me, port, "203.0.113.20", 5242, Raw(60, 7), std::uint8_t{24});
      line.send(at + 0.09, "203.0.113.20", 5242, me, port, Raw(60, 8), std::uint8_t{24});
    }
    for (const auto& relay : relays) {
      ++port;
      for (int i = 0; i < 6; ++i) {
        line.send(at + 1 + i * 0.5, me, port, relay, 7985, Raw{static_cast<std::uint8_t>(i), 1, 7, 0, 5, 5, 5, 5, 5, 5, 5, 5});
        if (answered) line.send(at + 1.04 + i * 0.5, relay, 7985, me, port, Raw{static_cast<std::uint8_t>(i), 1, 7, 0, 6, 6, 6, 6, 6, 6, 6, 6});
      }
    }
    line.others(at + 2, others_over_udp);
  }
  line.others(tries.back() + 20, others_over_udp);
  return line.take();
}

}  // namespace

TEST_CASE("a filter at home is told as one, and nobody is accused") {
  for (const auto& address : {"0.0.0.0", "127.0.0.1", "192.168.1.5"}) {   // Pi-hole and AdGuard Home, a hosts file, a router's own page
    INFO(address);
    const auto analysis = looked_up({{0, {address}, 2}});
    const auto* finding = blocking_of(analysis);
    REQUIRE(finding);
    CHECK_FALSE(accused(analysis));
    CHECK(finding->confidence < 0.9);
    CHECK(finding->numbers.at("as_filters_do") == finding->numbers.at("tries"));
    CHECK(status_of(*finding, "own_filter") == metrics::AlternativeStatus::not_ruled_out);
  }
}

TEST_CASE("an address that no filter at home gives, at several names, is blocking; a filter in the network isn't ruled out") {
  const auto analysis = looked_up({{0, {"10.10.34.34"}, 0}}, far_resolver);
  const auto* finding = blocking_of(analysis);
  REQUIRE(finding);
  CHECK(accused(analysis));
  CHECK(finding->mechanism == metrics::Mechanism::dns);
  CHECK(status_of(*finding, "own_filter") == metrics::AlternativeStatus::not_ruled_out);
  CHECK(finding->numbers.at("odd_lifetime") == 6);
}

TEST_CASE("a denial by a resolver that may be the user's own accuses nobody, whatever its words") {
  const std::vector<Line::Answer> denials[] = {{{3, {}}}, {{5, {}}}, {{2, {}}}, {}, {{0, {"192.168.9.9"}, 300}}};   // no such name, refused, failed, silence, a page of the house's
  for (const auto& denial : denials)
    for (const auto at : {"192.168.1.1", "10.0.0.53", "169.254.1.1", "100.100.100.100", "127.0.0.53", "185.228.168.168", "208.67.222.123"}) {
      INFO(at << ", denial " << (&denial - denials));
      const auto analysis = looked_up(denial, at);
      const auto* finding = blocking_of(analysis);
      REQUIRE(finding);
      CHECK_FALSE(accused(analysis));
      CHECK(finding->confidence < 0.9);
      CHECK(finding->numbers.at("by_own_resolver") == finding->numbers.at("tries"));
      CHECK(finding->numbers.at("targets") == 0);
      CHECK(status_of(*finding, "own_filter") == metrics::AlternativeStatus::not_ruled_out);
    }
}

TEST_CASE("a public resolver's denial of several names accuses, unless a box at home answered in its stead") {
  CHECK(accused(looked_up({{3, {}}}, far_resolver)));
  for (const int near : {64, 63, 128, 127, 255, 254}) CHECK_FALSE(accused(looked_up({{3, {}}}, far_resolver, 2, static_cast<std::uint8_t>(near))));   // routers pass port 53 to a filter of theirs
  for (const int far : {62, 126, 253, 65}) CHECK(accused(looked_up({{3, {}}}, far_resolver, 2, static_cast<std::uint8_t>(far))));
}

TEST_CASE("what no resolver at home can have done accuses as before") {
  CHECK(accused(looked_up({{0, {"10.10.34.34"}, 300}})));                                    // an address of nobody's home here
  CHECK_FALSE(accused(looked_up({{0, {"10.10.34.34"}, 300}}, "10.0.0.53")));                 // it may be a company's page
  const auto two_answers = looked_up({{0, {"0.0.0.0"}, 300}, {0, {"203.0.113.7"}, 300}});    // a filter would let no other out
  CHECK(accused(two_answers));
  CHECK_FALSE(blocking_of(two_answers)->numbers.contains("as_filters_do"));
  Line both;   // the resolver at home denies, and so does the public one that is asked next
  for (int i = 0; i < 4; ++i) {
    both.look_up(i * 20.0, i % 2 ? "api.viber.com" : "secure.viber.com", {{3, {}}});
    both.look_up(i * 20.0 + 2, i % 2 ? "api.viber.com" : "secure.viber.com", {{3, {}}}, far_resolver);
    both.others(i * 20.0 + 3);
  }
  CHECK(accused(both.take()));
  Line next;   // denied at home, and the servers whose addresses the application knows are silent, too
  for (int i = 0; i < 4; ++i) {
    next.look_up(i * 20.0, "secure.viber.com", {{3, {}}});
    for (const double again : {0.0, 1.0, 3.0})
      for (const auto server : {"203.0.113.20", "203.0.113.21"}) next.send(i * 20.0 + 1 + again, me, static_cast<std::uint16_t>(45'000 + i), server, 5242, {}, std::uint8_t{2});
    next.others(i * 20.0 + 3);
  }
  CHECK(accused(next.take()));
}

TEST_CASE("resets and refusals sent by the router at home are told as such and accuse nobody; those from further off do") {
  const auto reset = [](std::uint8_t opened, std::uint8_t hops_left) {
    Line line;
    line.look_up(0, "secure.viber.com", {{0, {"203.0.113.20"}, 300}});
    for (int i = 0; i < 5; ++i) {
      const double at = 5 + i * 15;
      const auto port = static_cast<std::uint16_t>(46'000 + i);
      line.send(at, me, port, "203.0.113.20", 443, {}, std::uint8_t{2});
      line.hops_left = opened;
      line.send(at + 0.04, "203.0.113.20", 443, me, port, {}, std::uint8_t{18});
      line.send(at + 0.05, me, port, "203.0.113.20", 443, Raw{0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0}, std::uint8_t{24});
      line.hops_left = hops_left;
      line.send(at + 0.052, "203.0.113.20", 443, me, port, {}, std::uint8_t{20});
      line.hops_left = 52;
      line.others(at + 1);
    }
    return line.take();
  };
  const auto at_home = reset(52, 64), further = reset(52, 60), all_near = reset(63, 64);
  REQUIRE(blocking_of(at_home));
  CHECK_FALSE(accused(at_home));
  CHECK(blocking_of(at_home)->numbers.at("from_nearby") == 5);
  CHECK(status_of(*blocking_of(at_home), "own_router") == metrics::AlternativeStatus::not_ruled_out);
  CHECK(accused(further));
  CHECK_FALSE(blocking_of(further)->numbers.contains("from_nearby"));
  CHECK_FALSE(accused(all_near));   // so is the server: its distance tells nothing, and one server may reset by itself

  const auto prohibited = [](const std::string& sender, std::uint8_t hops_left) {
    Line line;
    line.look_up(0, "secure.viber.com", {{0, {"203.0.113.20"}, 300}});
    for (int i = 0; i < 5; ++i) {
      const double at = 5 + i * 15;
      const auto port = static_cast<std::uint16_t>(46'000 + i);
      line.send(at, me, port, "203.0.113.20", 443, {}, std::uint8_t{2});
      line.hops_left = hops_left;
      line.prohibit(at + 0.002, sender, port, "203.0.113.20", 443);
      line.hops_left = 52;
      line.others(at + 1);
    }
    return line.take();
  };
  for (const auto& [sender, left, guilty] : {std::tuple{"192.168.1.1", 64, false}, {"192.168.1.1", 255, false}, {"10.0.0.1", 63, false}, {"10.0.0.1", 62, true},
                                            {"198.51.100.1", 254, true}}) {
    INFO(sender << " " << left);
    const auto analysis = prohibited(sender, static_cast<std::uint8_t>(left));
    REQUIRE(blocking_of(analysis));
    CHECK(accused(analysis) == guilty);
  }
}

TEST_CASE("two answers to one question: records whose times to live don't fit either weigh more") {
  const std::vector<Line::Answer> alike = {{0, {"203.0.113.99"}, 240}, {0, {"203.0.113.7"}, 300}}, apart = {{0, {"203.0.113.99"}, 5}, {0, {"203.0.113.7"}, 300}};
  const auto fitting = looked_up(alike, far_resolver, 1), odd = looked_up(apart, far_resolver, 1);
  REQUIRE(blocking_of(fitting));
  REQUIRE(blocking_of(odd));
  CHECK_FALSE(accused(fitting));
  CHECK(accused(odd));
  CHECK(blocking_of(odd)->numbers.at("contradicted") == 6);
  CHECK(status_of(*blocking_of(odd), "own_filter") == metrics::AlternativeStatus::ruled_out);
}

TEST_CASE("a content network's answers vary, and their times to live too: no forgery") {
  Line line;
  for (int i = 0; i < 12; ++i) {
    line.look_up(i * 10.0, "api.viber.com", {{0, {"203.0.113." + std::to_string(10 + i)}, i % 3 == 0 ? 0u : i % 3 == 1 ? 5u : 86'400u}}, i % 2 ? resolver : far_resolver);
    line.others(i * 10.0 + 1);
  }
  const auto analysis = line.take();
  CHECK(blocking_of(analysis) == nullptr);
  for (const auto& attempt : analysis.classification.attempts) CHECK(attempt.outcome == classify::Attempt::Outcome::answered);
}

TEST_CASE("Viber signs in and its media are never answered: blocked where it matters") {
  const auto analysis = called({10, 60, 110}, {"203.0.113.30", "203.0.113.31"}, false, true);
  const bool told = std::any_of(analysis.classification.attempts.begin(), analysis.classification.attempts.end(), [](const auto& attempt) {
    return attempt.application == "viber" && attempt.stage == classify::Attempt::Stage::udp && attempt.outcome == classify::Attempt::Outcome::no_reply;
  });
  CHECK(told);
  const auto* finding = blocking_of(analysis);
  REQUIRE(finding);
  CHECK(accused(analysis));
  CHECK(finding->application == "viber");
  CHECK(finding->mechanism == metrics::Mechanism::no_reply);
  CHECK(finding->numbers.at("sign_ins_answered") == 3);
  CHECK(status_of(*finding, "own_firewall") == metrics::AlternativeStatus::ruled_out);
}

TEST_CASE("media that aren't answered beside a sign-in that is, and the innocents") {
  CHECK(blocking_of(called({10, 60, 110}, {"203.0.113.30", "203.0.113.31"}, true, true)) == nullptr);        // answered
  CHECK(blocking_of(called({10}, {"203.0.113.30"}, false, true)) == nullptr);                                 // one try
  const auto dead_relay = called({10, 60, 110}, {"203.0.113.30"}, false, true);                               // one server, which may be down
  REQUIRE(blocking_of(dead_relay));
  CHECK_FALSE(accused(dead_relay));
  const auto at_once = called({10}, {"203.0.113.30", "203.0.113.31", "203.0.113.32"}, false, true);           // one moment
  REQUIRE(blocking_of(at_once));
  CHECK_FALSE(accused(at_once));
  const auto no_udp = called({10, 60, 110}, {"203.0.113.30", "203.0.113.31"}, false, false);                  // nobody's UDP is answered
  REQUIRE(blocking_of(no_udp));
  CHECK_FALSE(accused(no_udp));
  CHECK(status_of(*blocking_of(no_udp), "own_firewall") == metrics::AlternativeStatus::not_ruled_out);
}

TEST_CASE("a service that can't be signed in to doesn't lend its name to another's call, which would hide that it is blocked") {
  Line line;
  line.look_up(0, "api.tango.me", {{0, {"203.0.113.40"}, 300}});
  for (int i = 0; i < 4; ++i) {
    for (const double again : {0.0, 1.0, 3.0}) line.send(5 + i * 12 + again, me, static_cast<std::uint16_t>(45'000 + i), "203.0.113.40", 443, {}, std::uint8_t{2});
    line.others(6 + i * 12);
  }
  for (int i = 0; i < 1500; ++i) {   // somebody's voice, every 20 ms and without a format
    Raw voice(70);
    for (std::size_t at = 0; at < voice.size(); ++at) voice[at] = static_cast<std::uint8_t>((static_cast<std::size_t>(i) * 2654435761u + at * 40503u) >> 7);
    line.send(20 + i * 0.02, me, 33'000, "203.0.113.50", 33'044, voice);
    voice[3] ^= 0x55;
    line.send(20.007 + i * 0.02, "203.0.113.50", 33'044, me, 33'000, voice);
  }
  const auto analysis = line.take();
  REQUIRE(analysis.classification.calls.size() == 1);
  CHECK(analysis.classification.calls[0].label.application != "tango");
  const auto* finding = blocking_of(analysis);
  REQUIRE(finding);
  CHECK(finding->application == "tango");
}
