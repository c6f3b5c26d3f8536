#include "capture/clock_watch.hpp"

#include <fmt/format.h>

namespace callwitness::capture {
namespace {

// adjtime and NTP slew by 500 ppm at most, half a millisecond a second; a thousand times that is a step.
constexpr Duration step = std::chrono::milliseconds(500);

bool is_step(Duration difference) { return difference > step || difference < -step; }

}  // namespace

std::optional<std::string> ClockWatch::look(const ClockReading& now) {
  const Duration slept = (now.since_boot - last_.since_boot) - (now.awake - last_.awake);
  const Duration set = (now.wall - last_.wall) - (now.since_boot - last_.since_boot);
  last_ = now;
  std::string text;
  if (is_step(slept)) text = fmt::format("the machine slept for {:.3f} s", seconds(slept));
  if (is_step(set)) text += fmt::format("{}the clock was set by {:+.3f} s", text.empty() ? "" : ", and ", seconds(set));
  return text.empty() ? std::nullopt : std::optional(text);
}

}  // namespace callwitness::capture
