// Cuts that keep a beat: how few suffice, in what applications, and what is only mentioned.
#include "../../support/machine.hpp"

#include "metrics/fits/keepalives.hpp"
#include "metrics/interruptions.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

using namespace callwitness;
using metrics::period_of;
using tests::accused, tests::find, tests::has, tests::Machine, tests::peer, tests::Wire;

namespace {

constexpr double software = 1, hurried = 4, person = 5.5;   ///< seconds until it calls again

/// Calls that go dead at `times` while we keep sending for five seconds, and are made again `redial` seconds after, the last one not.
template <class Talk>
metrics::Analysis cut_at(const std::vector<double>& times, Talk&& talk, double pages_until = 1e9, double redial = software) {
  Machine machine;
  double from = 2;
  for (std::size_t k = 0; k < times.size(); ++k) {
    talk(machine, static_cast<std::uint16_t>(30000 + 2 * k), from, times[k]);
    from = times[k] + 5 + redial;
  }
  machine.pages(std::min(pages_until, from + 40));
  return machine.analysis();
}

void rtp(Machine& machine, std::uint16_t port, double from, double cut) { machine.talk({peer, port, 23456, false}, from, cut + 5, cut, port); }

/// Bytes that nobody can read, every 20 ms each way.
void opaque(Machine& machine, std::uint16_t port, double from, double cut) {
  metrics::Random random(port);
  for (const bool sent : {true, false})
    for (double t = from; t < (sent ? cut + 5 : cut); t += 0.02) {
      std::vector<std::uint8_t> payload(60 + random.index(40));
      for (auto& byte : payload) byte = static_cast<std::uint8_t>(random.next() >> 24);
      machine.udp(t + (sent ? 0 : 0.007), {peer, port, 23456, false}, sent, payload);
    }
}

/// A STUN binding request of the far end, and our answer.
void stun(Machine& machine, std::uint16_t port, double at) {
  for (const bool sent : {false, true}) {
    std::vector<std::uint8_t> message = {static_cast<std::uint8_t>(sent ? 1 : 0), 1, 0, 0, 0x21, 0x12, 0xa4, 0x42};
    for (int i = 0; i < 12; ++i) message.push_back(static_cast<std::uint8_t>(at * 7 + i));
    machine.udp(at + (sent ? 0.001 : 0), {peer, port, 23456, false}, sent, message);
  }
}

/// One call in which the far end is silent for six seconds of every minute: `lost`, or as nothing was sent; `checks` come all through it.
metrics::Analysis silent_each_minute(bool lost, bool checks) {
  Machine machine;
  const Wire wire{peer, 30000, 23456, false};
  for (const bool sent : {true, false}) {
    std::uint32_t number = 0;
    for (int i = 0; i * 0.02 < 330; ++i) {
      const double t = 2 + i * 0.02;
      const bool silent = !sent && std::fmod(t, 60) > 54;
      if (!silent || lost) ++number;
      if (silent) continue;
      std::vector<std::uint8_t> rtp = {0x80, 0};
      montecarlo::put16(rtp, number & 0xffff);
      montecarlo::put32(rtp, static_cast<std::uint32_t>(i) * 160);
      montecarlo::put32(rtp, sent ? 7 : 8);
      rtp.resize(172, 0x55);
      machine.udp(t + (sent ? 0 : 0.007), wire, sent, rtp);
    }
  }
  if (checks)
    for (double t = 2.5; t < 330; t += 2.7) stun(machine, 30000, t);
  machine.pages(340);
  return machine.analysis();
}

/// Voice of changing size every 20 ms and, at 2.2 s and every ten seconds from there, a packet of 70 bytes; silent from 60 to 66 s,
/// `without` the one that was due at 62.2 s.
metrics::FlowObservation with_keepalives(bool without) {
  metrics::FlowObservation flow;
  const auto add = [&](double at, std::uint32_t bytes) {
    metrics::TracePacket packet;
    packet.time = callwitness::capture::Time{} + callwitness::capture::from_seconds(at);
    packet.ip_bytes = bytes;
    packet.direction = metrics::Direction::received;
    flow.trace.push_back(packet);
  };
  for (int i = 0; i < 6000; ++i) {
    const double at = i * 0.02;
    if (i % 500 == 110 && !(without && at > 60 && at < 66)) add(at + 0.005, 70);
    if (at < 60 || at > 66) add(at, 120 + static_cast<std::uint32_t>(i * 7919 % 41));
  }
  return flow;
}

}  // namespace

TEST_CASE("a period allows for as much jitter as chance does not, and for missed beats", "[cuts]") {
  CHECK_FALSE(period_of({100, 200}).has_value());
  REQUIRE(period_of({100, 700, 1301}).has_value());
  CHECK(period_of({100, 700, 1301})->strict);
  CHECK(period_of({100, 700, 1301})->firm);
  // Two intervals that differ by four per cent: mentioned, no more. By six: nothing.
  REQUIRE(period_of({497, 1084, 1694}).has_value());
  CHECK_FALSE(period_of({497, 1084, 1694})->strict);
  CHECK_FALSE(period_of({497, 1084, 1694})->firm);
  CHECK_FALSE(period_of({100, 680, 1320}).has_value());
  // 100, 200, (300), 400, 500, 600.
  const auto missed = period_of({100, 200, 400, 500, 600});
  REQUIRE(missed.has_value());
  CHECK(missed->period == Approx(100));
  CHECK(missed->missed == 1);
  CHECK_FALSE(period_of({100, 130, 210, 450, 520}).has_value());
}

TEST_CASE("a recording that ends at the same age and is called again by people accuses nobody", "[cuts]") {
  const std::vector<double> exact{50, 104, 158, 212, 266};   // each call 45 s old
  for (const auto talk : {&rtp, &opaque}) {
    const auto analysis = cut_at(exact, talk, 1e9, person);
    const auto* cuts = find(analysis, "periodic_reset");
    REQUIRE(cuts != nullptr);
    CHECK(cuts->mechanism == Mechanism::silence);
    CHECK(cuts->confidence < 0.9);
    CHECK_FALSE(accused(analysis));
    CHECK(analysis.verdict.verdict_class == metrics::VerdictClass::impaired);
    CHECK(analysis.verdict.key == "unexplained_impairment");
    CHECK(accused(cut_at(exact, talk, 1e9, software)));
    const auto soon = cut_at(exact, talk, 1e9, hurried);
    CHECK_FALSE(accused(soon));
    CHECK(find(soon, "periodic_reset")->mechanism == Mechanism::udp_blackhole);
  }
}

TEST_CASE("a far end that sends nothing for a while is no cut, nor one whose checks go on", "[cuts]") {
  CHECK(accused(silent_each_minute(true, false)));
  for (const bool checks : {true, false}) {
    const auto analysis = silent_each_minute(false, checks);
    CHECK_FALSE(has(analysis, "outage"));
    CHECK_FALSE(has(analysis, "periodic_reset"));
  }
  // Numbers count what nobody hears, too; the checks that came tell.
  CHECK_FALSE(has(silent_each_minute(true, true), "periodic_reset"));
}

TEST_CASE("a keep-alive that was due and never came tells a dead path", "[cuts]") {
  const auto at = [](double seconds) { return callwitness::capture::Time{} + callwitness::capture::from_seconds(seconds); };
  CHECK(metrics::keepalive_missed(with_keepalives(true), at(59.98), at(66.02)));
  CHECK_FALSE(metrics::keepalive_missed(with_keepalives(false), at(59.98), at(62.2)));
  CHECK_FALSE(metrics::keepalive_missed(with_keepalives(true), at(53), at(59)));
}

TEST_CASE("a counter of eight bits that jumps over a silence tells a dead path, one that goes on a silent far end", "[cuts]") {
  for (const bool jumps : {true, false}) {
    classify::Classification classification;
    classification.streams.resize(1);
    classification.streams[0].sequence_bits = 8;
    metrics::Observation observation;
    observation.classification = &classification;
    observation.last_time = observation.first_time + std::chrono::seconds(60);
    auto& flow = observation.flows.emplace_back();
    flow.flow.five_tuple.protocol = callwitness::capture::protocol::udp;
    std::int32_t number = 0;
    for (int i = 0; i < 3000; ++i) {
      metrics::TracePacket packet;
      packet.time = observation.first_time + std::chrono::milliseconds(20 * i);
      packet.ordinal = static_cast<std::uint32_t>(2 * i + 1);
      packet.ip_bytes = 120;
      flow.trace.push_back(packet);                                  // ours
      if (i >= 1500 && i < 1900) continue;
      packet.direction = metrics::Direction::received;
      packet.ordinal += 1;
      packet.stream = 0;
      packet.duplicate = jumps && i == 1900;                         // 401 ahead are 145, or 111 behind
      packet.extended_sequence = packet.duplicate ? number - 1 : number++;
      flow.trace.push_back(packet);
    }
    const auto found = metrics::interruptions_of(observation);
    REQUIRE(found.size() == (jumps ? 1 : 0));
    if (jumps) CHECK(found.front().lost);
  }
}

TEST_CASE("three exact beats suffice where everything else lives on, readable or not", "[cuts]") {
  const std::vector<double> exact{120, 240.2, 360};
  for (const auto talk : {&rtp, &opaque}) {
    const auto analysis = cut_at(exact, talk);
    const auto* cuts = find(analysis, "periodic_reset");
    REQUIRE(cuts != nullptr);
    CHECK(*cuts->count == 3);
    CHECK(*cuts->period_s == Approx(120).epsilon(0.01));
    CHECK(cuts->mechanism == Mechanism::udp_blackhole);
    CHECK(accused(analysis));
  }
}

TEST_CASE("three calls that never come back may have been hung up: half a per cent is not exact enough", "[cuts]") {
  const auto analysis = cut_at({120, 240.8, 360}, &rtp);
  const auto* cuts = find(analysis, "periodic_reset");
  REQUIRE(cuts != nullptr);
  CHECK_FALSE(accused(analysis));
}

TEST_CASE("three beats that are off by two per cent are mentioned and accuse nobody", "[cuts]") {
  const auto analysis = cut_at({120, 238, 360}, &rtp);
  const auto* cuts = find(analysis, "periodic_reset");
  REQUIRE(cuts != nullptr);
  CHECK(cuts->confidence < 0.9);
  CHECK_FALSE(accused(analysis));
  CHECK(analysis.verdict.verdict_class == metrics::VerdictClass::impaired);
}

TEST_CASE("three cuts at any time are outages", "[cuts]") {
  const auto analysis = cut_at({120, 230, 390}, &rtp);
  CHECK(has(analysis, "outage"));
  CHECK_FALSE(has(analysis, "periodic_reset"));
  CHECK_FALSE(accused(analysis));
}

TEST_CASE("other traffic rules out the line only where it lived through every cut", "[cuts]") {
  const auto wifi = [](const metrics::Analysis& analysis) {
    const auto* outage = find(analysis, "outage");
    REQUIRE(outage != nullptr);
    return *std::find_if(outage->alternatives.begin(), outage->alternatives.end(), [](const auto& alternative) { return alternative.key == "wifi"; });
  };
  const auto through_all = wifi(cut_at({120, 230, 390}, &rtp)), through_two = wifi(cut_at({120, 230, 390}, &rtp, 300));
  CHECK(through_all.status == metrics::AlternativeStatus::ruled_out);
  CHECK(through_all.reason == "others_stayed_alive");
  CHECK(through_two.status == metrics::AlternativeStatus::not_ruled_out);
  CHECK(through_two.reason == "others_alive_in_some");
}
