// The capturing machine's clock set forward is no delay; one way's delay is.
#include "metrics/meters/clock_steps.hpp"
#include "metrics/stream_meter.hpp"

#include <catch2/catch.hpp>

using namespace callwitness;
using namespace callwitness::metrics;

namespace {

capture::Time at_ms(double ms) { return capture::Time(capture::from_seconds(ms / 1e3)); }

TransitJump jump(std::uint32_t stream, double before_ms, double after_ms, double seconds, bool sent) {
  TransitJump made;
  made.stream = classify::StreamId{stream};
  made.source = *capture::IpAddress::parse(sent ? "192.0.2.1" : "198.51.100.2");
  made.destination = *capture::IpAddress::parse(sent ? "198.51.100.2" : "192.0.2.1");
  made.before = at_ms(before_ms);
  made.after = at_ms(after_ms);
  made.seconds = seconds;
  return made;
}

}  // namespace

TEST_CASE("both ways jump at once by the same: the clock; a third stream is believed, too") {
  ClockSteps steps;
  CHECK(steps.add(jump(0, 1'000, 6'020, 5.0, true)).empty());
  CHECK(steps.add(jump(1, 1'010, 6'015, 4.995, false)).size() == 2);
  CHECK(steps.add(jump(2, 1'005, 6'030, 5.0, false)).size() == 1);
  REQUIRE(steps.steps().size() == 1);
  CHECK(steps.steps()[0].seconds == Approx(4.995));
}

TEST_CASE("one way alone, another moment or another size is no clock") {
  ClockSteps steps;
  CHECK(steps.add(jump(0, 1'000, 6'020, 5.0, false)).empty());
  CHECK(steps.add(jump(1, 1'000, 6'020, 5.0, false)).empty());     // the same way: a queue that both wait in
  CHECK(steps.add(jump(2, 7'000, 12'020, 5.0, true)).empty());
  CHECK(steps.add(jump(3, 1'000, 6'020, 4.8, true)).empty());
  CHECK(steps.add(jump(4, 20'000, 20'390, 0.375, true)).empty());   // a machine that both ends run on stood still
  CHECK(steps.add(jump(5, 20'000, 20'400, 0.390, false)).empty());
  CHECK(steps.steps().empty());
}

TEST_CASE("a flood of jumps is bounded") {
  ClockSteps steps;
  for (std::uint32_t i = 0; i < 10'000; ++i) steps.add(jump(i, i * 1'000.0, i * 1'000.0 + 200, 0.18, false));
  CHECK(steps.steps().empty());
}
