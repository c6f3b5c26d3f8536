// The policer's detector: what it asks besides the fit.
#include "metrics/detector.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <vector>

using namespace callwitness;
using metrics::Arm;
using metrics::Direction;

namespace callwitness::metrics {
std::vector<Finding> policer(const DetectorInput& input);
}

namespace {

/// 200-byte packets each 20 ms (80 kbit/s) through a bucket of 60 kbit/s, without numbers; nobody else on the line.
struct Call {
  classify::Classification classification;
  metrics::Observation observation;
  std::vector<Arm> arms;
  double passed = 0;

  Call() {
    observation.classification = &classification;
    observation.local_known = true;
    observation.last_time = observation.first_time + std::chrono::seconds(60);
    metrics::FlowObservation flow;
    flow.bytes.start = observation.first_time;
    observation.flows.push_back(flow);
    auto& arm = arms.emplace_back();
    arm.source = metrics::LossSource::cadence;
    double tokens = 3000;
    for (std::uint32_t i = 0; i < 3000; ++i) {
      tokens = std::min(3000.0, tokens + 150);
      const bool passes = tokens >= 200;
      if (passes) tokens -= 200, passed += 1;
      arm.packets.push_back({0.02 * i, 200, passes ? i + 1 : 0, !passes});
    }
  }
  void send(double packets) {
    auto& arm = arms.emplace_back();
    arm.direction = Direction::sent;
    for (double i = 0; i < packets; ++i) arm.packets.push_back({i * 60 / packets, 200, 1, false});
  }
  std::size_t found() const { return metrics::policer({observation, {}, arms, {}, {}}).size(); }
};

}  // namespace

TEST_CASE("where as many packets come as we send, none are missing", "[policer]") {
  Call alone, more, as_many;
  more.send(3000);
  as_many.send(as_many.passed);
  CHECK(alone.found() == 1);
  CHECK(more.found() == 1);
  CHECK(as_many.found() == 0);
}

TEST_CASE("no policer is told of packets that overtake one another", "[policer]") {
  Call call;
  call.arms.front().streams = {classify::StreamId{0}};
  call.observation.streams.resize(1);
  call.observation.streams[0].packets = 3000;
  CHECK(call.found() == 1);
  call.observation.streams[0].reordered = 30;
  CHECK(call.found() == 0);
}
