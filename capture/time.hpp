// The packet clock. Nothing offline reads any other clock.
#pragma once

#include <chrono>

namespace callwitness::capture {

using Duration = std::chrono::nanoseconds;
/// UTC, nanoseconds since 1970. Readers clamp what does not fit (years 1678-2262) and count an anomaly.
using Time = std::chrono::sys_time<Duration>;

constexpr double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }
constexpr double milliseconds(Duration d) { return std::chrono::duration<double, std::milli>(d).count(); }
constexpr Duration from_seconds(double s) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(s));
}

}  // namespace callwitness::capture
