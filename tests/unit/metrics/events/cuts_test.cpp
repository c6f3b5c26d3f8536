// Cuts that keep a beat: how few suffice, in what applications, and what is only mentioned.
#include "../../../support/machine.hpp"

#include "metrics/fits/keepalives.hpp"
#include "metrics/events/event_weight.hpp"
#include "metrics/events/interruptions.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

using namespace callwitness;
using metrics::Mechanism;
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

TEST_CASE("a recording that ends at the same age and is called again by people accuses nobody", "[cuts]") {
  const std::vector<double> exact{50, 104, 158, 212, 266};   // each call 45 s old
  for (const auto talk : {&rtp, &opaque}) {
    const auto analysis = cut_at(exact, talk, 1e9, person);
    const auto* cuts = find(analysis, "periodic_reset");
    REQUIRE(cuts != nullptr);
    CHECK(cuts->mechanism == Mechanism::silence);
    CHECK(cuts->numbers.contains("far_end_silent"));
    CHECK(metrics::weight_of_event(*cuts) == metrics::Weight::suspects);
    // A redial as steady as the calls leaves clock and age alike: however soon it comes, that accuses nobody.
    const auto soon = cut_at(exact, talk, 1e9, software);
    CHECK(find(soon, "periodic_reset")->mechanism == Mechanism::udp_blackhole);
    CHECK(metrics::weight_of_event(*find(soon, "periodic_reset")) == metrics::Weight::suspects);
    CHECK(find(cut_at(exact, talk, 1e9, hurried), "periodic_reset")->mechanism == Mechanism::udp_blackhole);
  }
}

TEST_CASE("cuts by the clock that software repairs at its own times accuse", "[cuts]") {
  Machine machine;
  double from = 2;
  const std::vector<double> times{60, 120.1, 180, 240.1, 299.9, 360};
  for (std::size_t k = 0; k < times.size(); ++k) {
    rtp(machine, static_cast<std::uint16_t>(30000 + 2 * k), from, times[k]);
    from = times[k] + 5 + (k % 3 == 0 ? 0.3 : k % 3 == 1 ? 2.5 : 1.2);
  }
  machine.pages(from + 40);
  const auto analysis = machine.analysis();
  const auto* cuts = find(analysis, "periodic_reset");
  REQUIRE(cuts != nullptr);
  CHECK(*cuts->period_s == Approx(60).epsilon(0.005));
  CHECK(cuts->number("by_uptime") == 0);
  CHECK(metrics::weight_of_event(*cuts) == metrics::Weight::accuses);
}

TEST_CASE("a far end that sends nothing for a while is no cut", "[cuts]") {
  const auto lost = silent_each_minute(true, false);
  REQUIRE(has(lost, "periodic_reset"));
  CHECK(metrics::weight_of_event(*find(lost, "periodic_reset")) == metrics::Weight::accuses);
  for (const bool checks : {true, false}) {
    const auto analysis = silent_each_minute(false, checks);
    CHECK_FALSE(has(analysis, "outage"));
    CHECK_FALSE(has(analysis, "periodic_reset"));
  }
  // STUN excuses no dead media; but numbers count what nobody hears, too: nothing is shown then.
  const auto with_checks = silent_each_minute(true, true);
  const auto* alone = find(with_checks, "periodic_reset");
  REQUIRE(alone != nullptr);
  CHECK(metrics::weight_of_event(*alone) == metrics::Weight::suspects);
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

TEST_CASE("three exact beats are told and suspected, readable or not", "[cuts]") {
  const std::vector<double> exact{120, 240.2, 360};
  for (const auto talk : {&rtp, &opaque}) {
    const auto analysis = cut_at(exact, talk);
    const auto* cuts = find(analysis, "periodic_reset");
    REQUIRE(cuts != nullptr);
    CHECK(*cuts->count == 3);
    CHECK(cuts->mechanism == Mechanism::udp_blackhole);
    CHECK(metrics::weight_of_event(*cuts) == metrics::Weight::suspects);
  }
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
