// Deaths at the end of a lifetime that a server had told, on any port; and those that only come near one.
#include "metrics/events/lifetimes.hpp"

#include <catch2/catch.hpp>

using namespace callwitness;
using metrics::ToldLifetime;

namespace {

struct Told {
  classify::Classification classification;
  metrics::Observation observation;
  metrics::FlowObservation flow;
  Told() {
    observation.classification = &classification;
    flow.flow.five_tuple.destination.port = 34780;
  }
  capture::Time at(double seconds) const { return observation.first_time + capture::from_seconds(seconds); }
  std::optional<ToldLifetime> death(double seconds) const {
    metrics::Interruption cut;
    cut.start = seconds;
    return metrics::lifetime_that_ended(observation, flow, cut);
  }
};

}  // namespace

TEST_CASE("an allocation that nobody refreshed ends what ran over it, on any port", "[events]") {
  Told told;
  CHECK_FALSE(told.death(605).has_value());
  told.flow.flow.relay.lifetime_s = 600;
  told.flow.flow.relay.told = told.at(5);
  REQUIRE(told.death(605).has_value());
  CHECK(told.death(605)->kind == ToldLifetime::Kind::relay);
  CHECK(told.death(605)->seconds == 600);
  CHECK(told.death(607.5).has_value());
  CHECK_FALSE(told.death(590).has_value());
  CHECK_FALSE(told.death(1205).has_value());
}

TEST_CASE("a permission lives 300 s, a channel 600", "[events]") {
  Told told;
  told.flow.flow.relay.has_permissions = true;
  told.flow.flow.relay.permitted = told.at(10);
  CHECK(told.death(310.4).has_value());
  CHECK(told.death(610.4).has_value());
  CHECK_FALSE(told.death(400).has_value());
}

TEST_CASE("a session's time that ran out ends a SIP call", "[events]") {
  Told told;
  auto& call = told.classification.calls.emplace_back();
  call.start_time = told.at(20);
  told.flow.call = classify::CallId{0};
  CHECK_FALSE(told.death(1820).has_value());
  call.announced.session_expires_s = 1800;
  REQUIRE(told.death(1825).has_value());
  CHECK(told.death(1825)->kind == ToldLifetime::Kind::session_timer);
  CHECK_FALSE(told.death(1500).has_value());
}
