// Which tries came to nothing: what makes good, what doesn't.
#include "metrics/starts.hpp"

#include <catch2/catch.hpp>

using namespace callwitness;
using classify::Attempt;
using Outcome = Attempt::Outcome;
using Stage = Attempt::Stage;
using Step = Attempt::Step;

namespace {

const auto me = *capture::IpAddress::parse("192.168.1.2"), other = *capture::IpAddress::parse("192.168.1.9"), me6 = *capture::IpAddress::parse("2001:db8::2");

capture::Time at(double seconds) { return capture::Time(capture::from_seconds(1'700'000'000 + seconds)); }

Attempt attempt(std::string_view application, Stage stage, Step step, Outcome outcome, std::vector<double> times, capture::IpAddress source = me) {
  Attempt made;
  made.application = application;
  made.stage = stage;
  made.step = step;
  made.outcome = outcome;
  made.source = source;
  made.target = capture::Untrusted(stage == Stage::dns ? "api.viber.com" : "203.0.113.7:5242");
  for (const auto time : times) made.times.push_back(at(time));
  made.first_time = made.times.front();
  made.last_time = made.times.back();
  made.tries = static_cast<std::uint32_t>(times.size());
  made.asked = 3 * made.tries;
  made.is_media = step == Step::stun_check || step == Step::dtls_hello || step == Step::datagrams || step == Step::allocation || step == Step::stun_request;
  return made;
}

std::size_t unanswered(std::vector<Attempt> attempts, std::vector<classify::Call> calls = {}, std::vector<classify::Flow> flows = {}, classify::Vantage vantage = {}) {
  classify::Classification classification;
  classification.attempts = std::move(attempts);
  classification.calls = std::move(calls);
  classification.flows = std::move(flows);
  classification.vantage = std::move(vantage);
  return metrics::unanswered_starts(classification).size();
}

classify::Call call(std::string_view application, double from, double to) {
  classify::Call made;
  made.label = {application, 0.9, classify::Basis::format};
  made.start_time = at(from);
  made.end_time = at(to);
  made.flows = {classify::FlowId{1}};
  made.local = me;
  return made;
}

classify::Flow flow(std::uint8_t protocol, std::uint64_t back) {
  classify::Flow made;
  made.id = classify::FlowId{1};
  made.five_tuple = {{me, 50'000}, {*capture::IpAddress::parse("203.0.113.9"), 3478}, protocol};
  made.forward.packets = 1000;
  made.backward.packets = back;
  return made;
}

const auto silent = attempt("viber", Stage::tcp, Step::connection, Outcome::no_reply, {10, 20, 30});
const auto no_media = attempt("whatsapp", Stage::udp, Step::allocation, Outcome::no_reply, {10, 40, 80});

}  // namespace

TEST_CASE("a try that nobody answers is an unanswered start; success of another target within a minute makes it good") {
  CHECK(unanswered({silent}) == 1);
  CHECK(unanswered({silent, attempt("viber", Stage::tls, Step::client_hello, Outcome::answered, {31})}) == 0);
  CHECK(unanswered({silent, attempt("viber", Stage::tls, Step::client_hello, Outcome::answered, {300})}) == 1);
  CHECK(unanswered({silent, attempt("telegram", Stage::tls, Step::client_hello, Outcome::answered, {31})}) == 1);
  CHECK(unanswered({silent, attempt("viber", Stage::dns, Step::look_up, Outcome::answered, {9, 31})}) == 1);       // a name is no connection
  CHECK(unanswered({silent, attempt("viber", Stage::tls, Step::client_hello, Outcome::answered, {31}, other)}) == 1);   // another host's
  CHECK(unanswered({silent, attempt("viber", Stage::tls, Step::client_hello, Outcome::answered, {31}, me6)}) == 0);     // happy eyeballs: of the other family
}

TEST_CASE("of what began several times, what failed for good counts") {
  classify::Classification classification;
  classification.attempts = {attempt("viber", Stage::tcp, Step::connection, Outcome::no_reply, {10, 400, 800}), attempt("viber", Stage::tls, Step::client_hello, Outcome::answered, {20})};
  const auto starts = metrics::unanswered_starts(classification);
  REQUIRE(starts.size() == 1);
  CHECK(starts[0].tries == 2);
  CHECK(starts[0].worked_at_other_times);
}

TEST_CASE("a sign-in that works doesn't make good media that don't; a step before doesn't a step after") {
  const auto sign_in = attempt("whatsapp", Stage::tls, Step::client_hello, Outcome::answered, {9, 39, 79});
  CHECK(unanswered({no_media, sign_in}) == 1);
  CHECK(unanswered({no_media, attempt("whatsapp", Stage::udp, Step::allocation, Outcome::answered, {12, 41, 81})}) == 0);
  auto over_tcp = attempt("whatsapp", Stage::signalling, Step::allocation, Outcome::answered, {12, 41, 81});   // a relay asked over TCP
  over_tcp.is_media = true;
  CHECK(unanswered({no_media, over_tcp}) == 1);
  const auto hello = attempt("webrtc", Stage::tls, Step::dtls_hello, Outcome::no_reply, {10});
  CHECK(unanswered({hello, attempt("webrtc", Stage::udp, Step::stun_check, Outcome::answered, {9})}) == 1);
}

TEST_CASE("losers among ICE's pairs are no failures, nor what strangers send us, nor tunnels, nor what the service itself refuses") {
  auto loser = attempt("webrtc", Stage::udp, Step::stun_check, Outcome::no_reply, {10});
  CHECK(unanswered({loser}) == 1);
  loser.superseded = 1;
  CHECK(unanswered({loser}) == 0);
  auto stranger = attempt("sip", Stage::signalling, Step::request, Outcome::no_reply, {10}, *capture::IpAddress::parse("198.51.100.66"));
  stranger.target = capture::Untrusted("192.168.1.2:5060");
  classify::Vantage vantage;
  vantage.local = {me};
  CHECK(unanswered({stranger}, {}, {}, vantage) == 0);
  CHECK(unanswered({attempt("ipsec", Stage::udp, Step::datagrams, Outcome::no_reply, {10})}) == 0);
  auto refused = attempt("sip", Stage::signalling, Step::request, Outcome::refused, {10});
  refused.by_service = true;
  CHECK(unanswered({refused}) == 0);
}

TEST_CASE("a call that begins soon after makes good; over TCP it doesn't make good media over UDP") {
  const auto udp = flow(capture::protocol::udp, 1000), tcp = flow(capture::protocol::tcp, 1000);
  CHECK(unanswered({no_media}, {call("whatsapp", 0, 200)}, {udp}) == 0);
  CHECK(unanswered({no_media}, {call("viber", 0, 200)}, {udp}) == 1);
  CHECK(unanswered({no_media}, {call("webrtc", 0, 200)}, {udp}) == 1);            // somebody else's, as far as can be told
  CHECK(unanswered({no_media}, {call("whatsapp", 0, 200)}, {tcp}) == 1);
  CHECK(unanswered({silent}, {call("viber", 35, 200)}, {tcp}) == 0);
  CHECK(unanswered({no_media}, {call("whatsapp", 0, 200)}, {flow(capture::protocol::udp, 0)}) == 1);   // our own packets alone are no call
  const auto check = attempt("webrtc", Stage::udp, Step::stun_check, Outcome::no_reply, {100});
  CHECK(unanswered({check}, {call("webrtc", 110, 200)}, {udp}) == 0);             // a retry
  CHECK(unanswered({check}, {call("webrtc", 5, 200)}, {udp}) == 1);               // another call, that had long begun
}

TEST_CASE("one question to a resolver may be lost") {
  auto question = attempt("viber", Stage::dns, Step::look_up, Outcome::no_reply, {10});
  question.asked = 1;
  CHECK(unanswered({question}) == 0);
  question.asked = 3;
  CHECK(unanswered({question}) == 1);
}
