// What closes a call in each period must leave others alone, to be a quota and not an absence of the line.
#include "metrics/paths/closed_spans.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <vector>

using namespace callwitness;
using metrics::Arm;
using metrics::Direction;

namespace {

constexpr std::size_t minute = 60;

/// A call of 50 packets a second that passes for the first 1.5 of every 2 seconds, and a download beside it.
struct Line {
  classify::Classification classification;
  metrics::Observation observation;
  std::vector<Arm> arms;

  Line() {
    observation.classification = &classification;
    observation.last_time = observation.first_time + std::chrono::seconds(minute);
    add_flow(0xcb007105);
    auto& call = arms.emplace_back();
    call.flow = classify::FlowId{0};
    call.source = metrics::LossSource::sequence;
    for (int i = 0; i < 50 * static_cast<int>(minute); ++i) call.packets.push_back({0.02 * i + 0.001, 100, 1, i % 100 >= 75, false});
  }
  metrics::FlowObservation& add_flow(std::uint32_t remote) {
    metrics::FlowObservation flow;
    flow.flow.id = classify::FlowId{static_cast<std::uint32_t>(observation.flows.size())};
    flow.flow.five_tuple = {{capture::IpAddress::v4(0x0a000001), 40000}, {capture::IpAddress::v4(remote), 443}, capture::protocol::tcp};
    flow.flow.last_time = observation.last_time;
    flow.bytes.start = observation.first_time;
    flow.bytes.received.assign(minute, 0);
    observation.flows.push_back(flow);
    return observation.flows.back();
  }
  /// A hundred segments a second; none arrive in the closed half-seconds where `outage`.
  void download(bool outage) {
    auto& flow = add_flow(0xc6336401);
    auto& record = flow.segments[static_cast<std::size_t>(Direction::received)];
    record.start = observation.first_time;
    for (std::uint32_t i = 0; i < 100 * minute; ++i) {
      if (outage && i % 200 >= 150) continue;
      record.segments.push_back({1000 * i, 1460 * i, i, 1460, 0});
      flow.bytes.received[i / 100] += 1500;
    }
  }
  bool others_went_on() const {
    std::vector<metrics::models::Span> closed;
    for (double second = 1.5; second < minute; second += 2) closed.push_back({second, second + 0.5});
    return metrics::others_went_on(observation, arms.front(), closed);
  }
};

}  // namespace

TEST_CASE("a download that goes on while the call is shut off tells a quota from an absence", "[quota]") {
  Line goes_on, outage, alone;
  goes_on.download(false);
  outage.download(true);
  CHECK(goes_on.others_went_on());
  CHECK_FALSE(outage.others_went_on());
  CHECK_FALSE(alone.others_went_on());
}
