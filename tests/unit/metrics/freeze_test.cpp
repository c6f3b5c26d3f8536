// Connections that go dead after the same amount of traffic: told; after the same time: a matter of time, told as such.
#include "../../montecarlo/world.hpp"
#include "../../support/frames_analysis.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace callwitness;

namespace {

metrics::Analysis analysis_of_scenario(const char* scenario, std::uint64_t seed) {
  std::vector<tests::CapturedFrame> frames;
  for (const auto& frame : montecarlo::simulate(scenario, seed, 60).frames) frames.push_back({frame.time, frame.bytes});
  return tests::analysis_of_frames(frames);
}

const metrics::Finding* find(const metrics::Analysis& analysis, std::string_view kind) {
  const auto at = std::find_if(analysis.findings.begin(), analysis.findings.end(), [&](const auto& f) { return f.kind == kind; });
  return at == analysis.findings.end() ? nullptr : &*at;
}

}  // namespace

TEST_CASE("calls of different bitrates that die after the same bytes are frozen, at those bytes") {
  const auto analysis = analysis_of_scenario("freeze_at_bytes", 8001);
  const auto* freeze = find(analysis, "freeze");
  REQUIRE(freeze != nullptr);
  CHECK(*freeze->count >= 4);
  CHECK(freeze->numbers.at("deviation") < 0.05);
  CHECK(freeze->numbers.at("hosts") >= 2);
  CHECK(find(analysis, "periodic_reset") == nullptr);
  CHECK(analysis.verdict.key == "consistent_with_resets");
}

TEST_CASE("calls that die at the same age, redialled when people please, are cut by a timer") {
  const auto analysis = analysis_of_scenario("cuts_after_uptime", 8002);
  const auto* periodic = find(analysis, "periodic_reset");
  REQUIRE(periodic != nullptr);
  CHECK(periodic->numbers.at("by_uptime") == 1);
  CHECK(find(analysis, "freeze") == nullptr);
}
