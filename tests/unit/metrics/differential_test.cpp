// Calls that fare worse, or get slower, than what runs beside them; and what only looks like that.
#include "../../support/machine.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace callwitness;
using tests::accused, tests::find, tests::has, tests::Machine, tests::peer, tests::Wire;

namespace {

/// Takes the frames away that `chosen` picks.
template <class Chosen>
void lose(Machine& machine, Chosen&& chosen) {
  std::erase_if(machine.frames, chosen);
}

bool is_received_from(const tests::CapturedFrame& frame, std::uint32_t host) {
  std::uint32_t source = 0;
  for (std::size_t i = 26; i < 30; ++i) source = source << 8 | frame.bytes[i];
  return source == host;
}

/// A call of two minutes beside web pages.
Machine call_beside_pages() {
  Machine machine;
  machine.talk({peer, 30000, 23456, false}, 1, 121, 121, 100);
  machine.pages(121);
  return machine;
}

/// Echo requests of the call, each answered after `milliseconds(time)`.
template <class Delay>
void ping(Machine& machine, const Wire& wire, double until, Delay&& milliseconds) {
  for (int i = 0; 2 + 2.0 * i < until; ++i) {
    std::vector<std::uint8_t> stun = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)};
    const double at = 2 + 2.0 * i;
    machine.udp(at, wire, true, stun);
    stun[0] = 1;
    machine.udp(at + milliseconds(at) / 1000, wire, false, stun);
  }
}

}  // namespace

TEST_CASE("a call that loses at random while faster traffic loses nothing is treated differently, and nobody is accused", "[differential]") {
  auto machine = call_beside_pages();
  metrics::Random random(3);
  lose(machine, [&](const auto& frame) { return is_received_from(frame, peer) && random.chance(0.05); });
  const auto analysis = machine.analysis();
  const auto* different = find(analysis, "differential");
  REQUIRE(different != nullptr);
  CHECK(different->mechanism == metrics::Mechanism::control);
  CHECK(different->numbers.at("loss_ratio") == Approx(0.05).epsilon(0.2));
  CHECK(different->numbers.at("other_loss_ratio") < 0.005);
  CHECK(has(analysis, "selective_loss"));
  CHECK_FALSE(accused(analysis));
  CHECK(analysis.verdict.key == "unexplained_impairment");
}

TEST_CASE("a line that takes from the call and from the rest alike treats nobody differently", "[differential]") {
  auto machine = call_beside_pages();
  // TCP would send again what is lost: the pages' segments come a second time, 0.3 s later.
  metrics::Random random(3);
  std::vector<tests::CapturedFrame> again;
  for (auto& frame : machine.frames)
    if (is_received_from(frame, 0xc6336401) && frame.bytes.size() > 1000 && random.chance(0.05)) again.push_back({frame.time + 0.3, frame.bytes}), frame.time = -1;
  lose(machine, [&](const auto& frame) { return frame.time < 0 || (is_received_from(frame, peer) && random.chance(0.05)); });
  machine.frames.insert(machine.frames.end(), again.begin(), again.end());
  const auto analysis = machine.analysis();
  CHECK(has(analysis, "loss"));
  CHECK_FALSE(has(analysis, "differential"));
  CHECK_FALSE(has(analysis, "selective_loss"));
  CHECK(analysis.verdict.key == "general_network_problem");
}

TEST_CASE("losses in bursts are different treatment and yet no selective loss", "[differential]") {
  auto machine = call_beside_pages();
  lose(machine, [&](const auto& frame) { return is_received_from(frame, peer) && std::fmod(frame.time, 5.0) < 0.25; });
  const auto analysis = machine.analysis();
  CHECK_FALSE(has(analysis, "selective_loss"));
  CHECK_FALSE(accused(analysis));
}

TEST_CASE("a call whose round trips step up while the others' stay is slower alone", "[delay]") {
  const bool others_too = GENERATE(false, true);
  Machine machine;
  const Wire call{peer, 30000, 23456, false};
  machine.talk(call, 1, 121, 121, 100);
  ping(machine, call, 120, [](double at) { return at < 60 ? 40.0 : 190.0; });
  machine.pages(121);
  if (others_too) {
    // Everything that the web server sends comes 150 ms later, too.
    for (auto& frame : machine.frames)
      if (frame.time > 60 && is_received_from(frame, 0xc6336401)) frame.time += 0.15;
  }
  const auto analysis = machine.analysis();
  const auto* step = find(analysis, "delay_step");
  REQUIRE(step != nullptr);
  CHECK(step->numbers.at("round_trip_step_ms") == Approx(150).epsilon(0.1));
  CHECK(step->numbers.at("control_flat") == (others_too ? 0 : 1));
  CHECK_FALSE(accused(analysis));
  if (!others_too) CHECK(analysis.verdict.key == "suspected_throttling");
}

TEST_CASE("a round trip that rises now and then makes no step", "[delay]") {
  Machine machine;
  const Wire call{peer, 30000, 23456, false};
  machine.talk(call, 1, 121, 121, 100);
  ping(machine, call, 120, [](double at) { return std::fmod(at, 20.0) < 8 ? 240.0 : 40.0; });
  machine.pages(121);
  CHECK_FALSE(has(machine.analysis(), "delay_step"));
}
