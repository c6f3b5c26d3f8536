// Connections that go dead after the same amount of traffic: told; after the same time: a matter of time, told as such.
#include "../../../support/machine.hpp"

#include "metrics/events/event_weight.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace callwitness;
using metrics::Weight;
using tests::find, tests::has, tests::Machine, tests::peer, tests::Wire;

namespace {

metrics::Analysis analysis_of_scenario(const char* scenario, std::uint64_t seed) {
  std::vector<tests::CapturedFrame> frames;
  for (const auto& frame : montecarlo::simulate(scenario, seed, 60).frames) frames.push_back({frame.time, frame.bytes});
  return tests::analysis_of_frames(frames);
}

}  // namespace

TEST_CASE("calls of different bitrates that die after the same bytes are told, with those bytes", "[events]") {
  const auto analysis = analysis_of_scenario("freeze_at_bytes", 8001);
  const auto* died = find(analysis, "dies_after");
  REQUIRE(died != nullptr);
  CHECK(*died->count >= 4);
  CHECK(died->unit == "bytes");
  CHECK(died->strength->log10_likelihood_ratio >= 3);
  CHECK(died->number("hosts") >= 2);
  CHECK(metrics::weight_of_event(*died) == Weight::accuses);
}

TEST_CASE("calls that die at the same age, redialled when people please, are told by their age and accuse nobody", "[events]") {
  const auto analysis = analysis_of_scenario("cuts_after_uptime", 8002);
  const auto* periodic = find(analysis, "periodic_reset");
  REQUIRE(periodic != nullptr);
  CHECK(periodic->number("by_uptime") == 1);
  CHECK(metrics::weight_of_event(*periodic) == Weight::suspects);
}

TEST_CASE("calls killed during their first packets are told from three on, and accuse where two far ends suffer", "[events]") {
  for (const std::size_t hosts : {std::size_t{1}, std::size_t{2}}) {
    Machine machine;
    for (std::size_t k = 0; k < 10; ++k) {
      const double from = 2 + 20.0 * static_cast<double>(k);
      // Twelve packets each way pass; we speak on for nine seconds.
      machine.talk({peer + static_cast<std::uint32_t>(k % hosts), static_cast<std::uint16_t>(30000 + 2 * k), 23456, false}, from, from + 9, from + 0.239, 100u + static_cast<std::uint32_t>(2 * k));
    }
    machine.pages(230);
    const auto analysis = machine.analysis();
    const auto* died = find(analysis, "dies_after");
    INFO(hosts);
    REQUIRE(died != nullptr);
    CHECK(*died->count >= 9);
    const bool in_packets = died->unit == "packets";
    CHECK((in_packets || died->numbers.contains("or_packets")));
    if (in_packets) CHECK(*died->limit == Approx(died->way == "both" ? 24 : 12).margin(1));
    CHECK(metrics::weight_of_event(*died) == (hosts == 2 ? Weight::accuses : Weight::suspects));
    CHECK_FALSE(std::any_of(analysis.outcomes.begin(), analysis.outcomes.end(), [](const auto& outcome) { return metrics::may_be_clean(outcome); }));
  }
}

TEST_CASE("voice over TCP whose connections swallow everything after the same bytes is told", "[events]") {
  Machine machine;
  for (int k = 0; k < 5; ++k) {
    const double from = 2 + 40.0 * k + 7 * (k % 3);
    const Wire wire{peer + static_cast<std::uint32_t>(k % 2), static_cast<std::uint16_t>(41000 + k), 64738, true};
    const auto [ours, theirs] = tests::tcp_voice(machine, wire, from, 4);
    // Two segments that nobody acknowledges, again and again.
    for (const double again : {0.02, 0.3, 0.9, 2.1, 4.5, 9.3})
      for (const std::uint32_t segment : {0u, 1u}) machine.tcp(from + 4.1 + again + 0.001 * segment, wire, true, ours + 90 * segment, theirs, 24, 90);
  }
  machine.pages(240);
  const auto analysis = machine.analysis();
  const auto* died = find(analysis, "dies_after");
  REQUIRE(died != nullptr);
  CHECK(*died->count == 5);
  CHECK(metrics::weight_of_event(*died) == Weight::accuses);
}

TEST_CASE("two frozen flows are an outage, their cause open", "[events]") {
  Machine machine;
  for (int k = 0; k < 2; ++k) {
    const double from = 2 + 40.0 * k;
    machine.talk({peer, static_cast<std::uint16_t>(30000 + 2 * k), 23456, false}, from, from + 20, from + 8, 100u + static_cast<std::uint32_t>(2 * k));
  }
  machine.pages(100);
  const auto analysis = machine.analysis();
  CHECK_FALSE(has(analysis, "dies_after"));
  CHECK(has(analysis, "outage"));
}
