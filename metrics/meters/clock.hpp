// The media clock rate, inferred from how timestamps advance with arrival times.
#pragma once

#include "capture/time.hpp"

#include <cstdint>
#include <span>

namespace callwitness::metrics {

struct TimedPacket {
  capture::Time time;
  std::uint32_t media_time = 0;
  bool repeated = false;            ///< counts for jitter, not for the simulated jitter buffers
  bool restarted = false;           ///< the stream's counter began anew: the timestamp before is no base
  bool follows = false;             ///< by its number it comes straight after the packet before
};

/// Ticks a second that timestamps advanced by, Hz; 0: no time went by.
double pace_of_clock(std::span<const TimedPacket> packets);

/// 0: can't be told. `tolerance`: relative distance from a usual rate; `least_span_s`: shorter is no evidence.
std::uint32_t infer_clock_rate(std::span<const TimedPacket> packets, double tolerance, double least_span_s);

}  // namespace callwitness::metrics
