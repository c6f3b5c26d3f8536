#include "metrics/meters/delay.hpp"

#include <algorithm>
#include <cmath>

namespace callwitness::metrics {

namespace {
constexpr double greatest_skew = 2'500e-6, least_span_s = 10;
constexpr std::size_t least_points = 10;
}  // namespace

double clock_skew(std::span<const Transit> points) {
  if (points.size() < least_points || points.back().time_s - points.front().time_s < least_span_s) return 0;
  std::vector<Transit> hull;
  double sum = 0;
  for (const auto& point : points) {
    sum += point.time_s;
    if (!hull.empty() && point.time_s < hull.back().time_s) continue;   // merged captures may step back
    while (hull.size() >= 2) {
      const auto& a = hull[hull.size() - 2];
      const auto& b = hull.back();
      const double turn = (b.time_s - a.time_s) * (point.transit_s - a.transit_s) -
                          (b.transit_s - a.transit_s) * (point.time_s - a.time_s);
      if (turn > 0) break;
      hull.pop_back();
    }
    hull.push_back(point);
  }
  const double middle = sum / static_cast<double>(points.size());
  for (std::size_t i = 1; i < hull.size(); ++i) {
    if (hull[i].time_s < middle || hull[i].time_s <= hull[i - 1].time_s) continue;
    const double slope = (hull[i].transit_s - hull[i - 1].transit_s) / (hull[i].time_s - hull[i - 1].time_s);
    return std::abs(slope) <= greatest_skew ? slope : 0;
  }
  return 0;
}

std::vector<float> delays_ms(std::span<const Transit> points, double skew) {
  std::vector<float> delays;
  if (points.empty()) return delays;
  const double origin = points.front().time_s;
  const auto straight = [&](const Transit& point) { return point.transit_s - skew * (point.time_s - origin); };
  double least = straight(points.front());
  for (const auto& point : points) least = std::min(least, straight(point));
  delays.reserve(points.size());
  for (const auto& point : points) delays.push_back(static_cast<float>(1e3 * (straight(point) - least)));
  return delays;
}

}  // namespace callwitness::metrics
