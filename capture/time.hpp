// The packet clock. Nothing offline reads any other clock.
#pragma once

#include <chrono>
#include <cstdint>

namespace callwitness::capture {

using Duration = std::chrono::nanoseconds;
/// UTC, nanoseconds since 1970.
using Time = std::chrono::sys_time<Duration>;
/// Packets' times lie between these (years 1824 and 2116, pcap's whole range): readers clamp others and count an
/// anomaly. So the difference of any two of them fits into a Duration.
inline constexpr Time earliest_time{Duration(-(std::int64_t{1} << 62))}, latest_time{Duration((std::int64_t{1} << 62) - 1)};

constexpr double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }
constexpr double milliseconds(Duration d) { return std::chrono::duration<double, std::milli>(d).count(); }
constexpr Duration from_seconds(double s) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(s));
}

}  // namespace callwitness::capture
