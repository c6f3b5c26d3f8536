// A call beside the other traffic of its minutes: the values are worked out by hand or printed in the paper they come from.
#include "metrics/control.hpp"

#include <catch2/catch.hpp>

using namespace callwitness;
using metrics::Direction;
using metrics::FlowObservation;

namespace {

const capture::Time start{std::chrono::seconds(1'700'000'000)};
constexpr auto received = static_cast<std::size_t>(Direction::received);

/// One call of a minute, of one flow and one stream each way, and nothing beside it.
struct Line {
  classify::Classification classification;
  metrics::Observation observation;

  Line() {
    classify::Call call;
    call.start_time = start + std::chrono::seconds(10);
    call.end_time = start + std::chrono::seconds(70);
    classification.calls.push_back(call);
    for (std::uint32_t i = 0; i < 2; ++i) {
      classify::Stream identity;
      identity.id = classify::StreamId{i};
      identity.call = call.id;
      classification.streams.push_back(identity);
      metrics::StreamObservation stream;
      stream.id = identity.id;
      stream.direction = i == 0 ? Direction::sent : Direction::received;
      observation.streams.push_back(stream);
    }
    observation.classification = &classification;
    observation.first_time = start;
    observation.last_time = start + std::chrono::seconds(100);
    auto& flow = add_flow(0xc6336401, "sip");
    flow.call = call.id;
  }

  /// A flow with host `remote`, over the whole capture.
  FlowObservation& add_flow(std::uint32_t remote, std::string_view application = "") {
    FlowObservation flow;
    flow.flow.id = classify::FlowId{static_cast<std::uint32_t>(observation.flows.size())};
    flow.flow.five_tuple = {{capture::IpAddress::v4(0x0a000001), 40000}, {capture::IpAddress::v4(remote), 443}, capture::protocol::tcp};
    flow.flow.label.application = application;
    flow.flow.first_time = start;
    flow.flow.last_time = observation.last_time;
    flow.bytes.start = start;
    observation.flows.push_back(flow);
    return observation.flows.back();
  }
  FlowObservation& add_transfer(std::uint32_t remote, std::uint64_t segments, std::uint64_t again, std::string_view application = "") {
    auto& flow = add_flow(remote, application);
    flow.tcp.emplace();
    flow.tcp->segments[received] = segments;
    flow.tcp->retransmissions[received] = again;
    return flow;
  }
  void lose(std::uint64_t lost, std::uint64_t expected) {
    observation.streams[1].lost = lost;
    observation.streams[1].expected = expected;
  }
  std::optional<metrics::ControlMeasure> measured(std::string_view metric) const {
    for (const auto& measure : metrics::measure_control(observation))
      if (measure.metric == metric && measure.direction == Direction::received) return measure;
    return std::nullopt;
  }
};

}  // namespace

TEST_CASE("the difference of two loss ratios has Newcombe's interval", "[control]") {
  // Newcombe 1998, Statistics in Medicine 17:873-890, table II, contrast (a), method 10: 56/70 - 48/80.
  Line line;
  line.lose(56, 70);
  line.add_transfer(0xcb007101, 80, 48);
  const auto measure = line.measured("loss_ratio");
  REQUIRE(measure.has_value());
  CHECK(*measure->call_value == Approx(0.8));
  CHECK(*measure->control_value == Approx(0.6));
  CHECK(*measure->effect == Approx(0.2));
  CHECK(*measure->effect_low == Approx(0.0524).margin(0.00005));
  CHECK(*measure->effect_high == Approx(0.3339).margin(0.00005));
  CHECK(measure->n_call == 70);
  CHECK(measure->n_control == 80);
}

TEST_CASE("nothing lost on either side is no difference, within what the counts can tell", "[control]") {
  // Wilson's upper end for 0 of n is z²/(n + z²): 3.8415/103.8415 = 0.036994, 3.8415/203.8415 = 0.018846.
  Line line;
  line.lose(0, 100);
  line.add_transfer(0xcb007101, 200, 0);
  const auto measure = line.measured("loss_ratio");
  REQUIRE(measure.has_value());
  CHECK(*measure->effect == 0);
  CHECK(*measure->effect_low == Approx(-0.018846).margin(1e-6));
  CHECK(*measure->effect_high == Approx(0.036994).margin(1e-6));
}

TEST_CASE("the others are neither the call's application nor its remote host, and few packets say nothing", "[control]") {
  Line line;
  line.lose(10, 100);
  line.add_transfer(0xcb007102, 1000, 500, "sip");      // another flow of the application
  line.add_transfer(0xc6336401, 1000, 500);             // another flow with the call's server
  CHECK_FALSE(line.measured("loss_ratio").has_value());
  line.add_transfer(0xcb007103, 49, 1);
  const auto few = line.measured("loss_ratio");
  REQUIRE(few.has_value());
  CHECK(few->n_control == 49);
  CHECK_FALSE(few->control_value.has_value());
  CHECK_FALSE(few->effect.has_value());
  line.add_transfer(0xcb007104, 51, 1);                 // together 100, of them 2 again
  const auto enough = line.measured("loss_ratio");
  REQUIRE(enough->control_value.has_value());
  CHECK(*enough->control_value == Approx(0.02));
  CHECK(*enough->effect == Approx(0.08));
  CHECK(*enough->effect_low > 0);
}

TEST_CASE("a call without readable numbers has no loss to compare", "[control]") {
  Line line;
  line.add_transfer(0xcb007101, 800, 8);
  const auto measure = line.measured("loss_ratio");
  REQUIRE(measure.has_value());
  CHECK_FALSE(measure->call_value.has_value());
  CHECK(*measure->control_value == Approx(0.01));
  CHECK_FALSE(measure->effect.has_value());
}

TEST_CASE("the fastest seconds are the 95th percentile of those in which something came, during the call", "[control]") {
  Line line;
  auto& own = line.observation.flows[0].bytes.received;
  own.assign(100, 0);
  for (std::uint32_t i = 0; i < 21; ++i) own[10 + 2 * i] = 100 * (i + 1);   // 21 busy seconds of 100 … 2100 bytes, silent ones between
  own[5] = own[90] = 1'000'000;                                             // outside the call
  auto& other = line.add_flow(0xcb007101).bytes.received;
  other.assign(100, 0);
  for (std::uint32_t i = 20; i < 32; ++i) other[i] = 5000;
  const auto measure = line.measured("bitrate_bps");
  REQUIRE(measure.has_value());
  CHECK(measure->n_call == 21);
  CHECK(measure->n_control == 12);
  CHECK(*measure->call_value == Approx(8 * 2000));       // place 0.95 × 20 = 19: the twentieth of 21
  CHECK(*measure->control_value == Approx(8 * 5000));
  CHECK(*measure->effect == Approx(2.5));
  CHECK(*measure->effect_low >= 5000.0 / 2100);          // no resample is faster than the fastest second
  CHECK(*measure->effect_low <= 2.5);
  CHECK(*measure->effect_high >= 2.5);
  CHECK(*measure->effect_high < 5);
}

TEST_CASE("seconds that don't differ leave no doubt about their ratio; nine are too few", "[control]") {
  Line line;
  line.observation.flows[0].bytes.received.assign(100, 10'000);
  auto& other = line.add_flow(0xcb007101);
  other.bytes.received.assign(100, 0);
  for (std::uint32_t i = 20; i < 29; ++i) other.bytes.received[i] = 40'000;
  CHECK_FALSE(line.measured("bitrate_bps")->effect.has_value());
  other.bytes.received[29] = 40'000;
  const auto measure = line.measured("bitrate_bps");
  CHECK(measure->n_call == 60);
  CHECK(*measure->effect == Approx(4));
  CHECK(*measure->effect_low == Approx(4));
  CHECK(*measure->effect_high == Approx(4));
}

TEST_CASE("traffic that ended before the call, and a call alone on the line, give no measure", "[control]") {
  Line line;
  CHECK(metrics::measure_control(line.observation).empty());
  auto& earlier = line.add_transfer(0xcb007101, 1000, 10);
  earlier.flow.last_time = start + std::chrono::seconds(9);
  CHECK(metrics::measure_control(line.observation).empty());
}
