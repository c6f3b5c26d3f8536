// Sending times by media clocks, worked out by hand.
#include "metrics/fits/sending_times.hpp"

#include <catch2/catch.hpp>

using namespace callwitness;
using metrics::Direction;
using metrics::TracePacket;

namespace {

struct Trace {
  metrics::Observation observation;
  metrics::FlowObservation flow;

  Trace() { observation.streams.emplace_back().clock_rate_hz = 8000; }
  void arrive(double seconds, std::uint32_t media_time, Direction direction = Direction::received) {
    TracePacket packet;
    packet.time = observation.first_time + capture::from_seconds(seconds);
    packet.media_time = media_time;
    packet.stream = 0;
    packet.direction = direction;
    packet.has_media_time = true;
    flow.trace.push_back(packet);
  }
  std::vector<double> times() const { return metrics::sending_times(observation, flow, Direction::received); }
};

}  // namespace

TEST_CASE("what was held back and released at once was sent at the codec's pace", "[sending-times]") {
  Trace trace;
  // 20 ms of 8 kHz are 160 ticks; the clock wraps on the way. From the third on all wait for a radio until 0.25 s.
  for (std::uint32_t k = 0; k < 10; ++k) trace.arrive(k < 2 ? 0.1 + 0.02 * k : 0.25 + 0.001 * k, 0xffffff00u + 160 * k);
  const auto times = trace.times();
  REQUIRE(times.size() == 10);
  for (std::size_t k = 0; k < 10; ++k) CHECK(times[k] == Approx(times[0] + 0.02 * static_cast<double>(k)));
  // Delays, sorted: 79 ms (the last packet's), 98, 100, 100 … A tenth of the way, 0.9 of a step: 79 + 0.9 × 19.
  CHECK(times[0] == Approx(0.0961));
}

TEST_CASE("a clock that begins anew takes its arrival for its time", "[sending-times]") {
  Trace trace;
  for (std::uint32_t k = 0; k < 10; ++k) trace.arrive(0.02 * k, 160 * k);
  for (std::uint32_t k = 0; k < 10; ++k) trace.arrive(0.5 + 0.02 * k, 900'000 + 160 * k);
  const auto times = trace.times();
  REQUIRE(times.size() == 20);
  CHECK(times[9] == Approx(0.18));
  CHECK(times[10] == Approx(0.5));
}

TEST_CASE("packets of one frame keep their spacing, the other direction its arrivals", "[sending-times]") {
  Trace trace;
  trace.arrive(0, 0);
  trace.arrive(0.003, 0);
  trace.arrive(0.01, 12345, Direction::sent);
  trace.arrive(0.06, 320);   // 40 ms later by the clock, 20 ms late
  trace.arrive(0.063, 320);
  const auto times = trace.times();
  REQUIRE(times.size() == 5);
  CHECK(times[1] - times[0] == Approx(0.003));
  CHECK(times[2] == Approx(0.01));
  CHECK(times[3] - times[0] == Approx(0.04));
  CHECK(times[4] - times[3] == Approx(0.003));
}

TEST_CASE("without a clock there are no sending times", "[sending-times]") {
  Trace trace;
  trace.observation.streams[0].clock_rate_hz = 0;
  trace.arrive(0, 0);
  CHECK(trace.times().empty());
}
