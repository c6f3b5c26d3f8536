#include "capture/clock_watch.hpp"

#include <catch2/catch.hpp>

using namespace callwitness::capture;
using namespace std::chrono_literals;

namespace {

/// Three clocks that a test moves.
struct Clocks {
  ClockReading now{Time(1'700'000'000s), 100s, 100s};
  const ClockReading& pass(Duration wall, Duration awake, Duration since_boot) {
    now.wall += wall;
    now.awake += awake;
    now.since_boot += since_boot;
    return now;
  }
};

}  // namespace

TEST_CASE("a clock that is set is told, one that is slewed isn't", "[capture]") {
  Clocks clocks;
  ClockWatch watch(clocks.now);
  for (int second = 0; second < 100; ++second) CHECK_FALSE(watch.look(clocks.pass(1s + 500us, 1s, 1s)));
  CHECK(watch.look(clocks.pass(1s + 1h, 1s, 1s)) == "the clock was set by +3600.000 s");
  CHECK_FALSE(watch.look(clocks.pass(1s, 1s, 1s)));
  CHECK(watch.look(clocks.pass(1s - 1h, 1s, 1s)) == "the clock was set by -3600.000 s");
  CHECK_FALSE(watch.look(clocks.pass(30s, 30s, 30s)));   // a look that comes late, on a busy machine
}

TEST_CASE("a machine that slept for a minute is told so", "[capture]") {
  Clocks clocks;
  ClockWatch watch(clocks.now);
  CHECK(watch.look(clocks.pass(61s, 1s, 61s)) == "the machine slept for 60.000 s");
  CHECK(watch.look(clocks.pass(63s, 1s, 61s)) == "the machine slept for 60.000 s, and the clock was set by +2.000 s");
  CHECK_FALSE(watch.look(clocks.pass(1s, 1s, 1s)));
}
