// One-way delay above its minimum from arrival and media times, the clocks' skew removed by the lower hull.
#pragma once

#include <span>
#include <vector>

namespace callwitness::metrics {

struct Transit { double time_s; double transit_s; };

/// Slope of the line under all points that lies closest to them (the hull's edge over their mean time); 0 for fewer
/// than ten points or ten seconds, and where it is no clock's skew (beyond 2,500 ppm: crystals keep 100, clocks that NTP slews 500, emulated ones 2,000).
double clock_skew(std::span<const Transit> points);

/// Milliseconds above the skewed minimum, one a point.
std::vector<float> delays_ms(std::span<const Transit> points, double skew);

}  // namespace callwitness::metrics
