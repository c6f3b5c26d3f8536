#include "metrics/models/leaky_bucket.hpp"

#include <algorithm>

namespace callwitness::metrics::models {

BlockedArrivals::BlockedArrivals(std::span<const Arrival> arrivals, double block_seconds, double level) : level_(level) {
  times_.reserve(arrivals.size()), sizes_.reserve(arrivals.size()), sums_.reserve(arrivals.size());
  double sum = 0, block_end = arrivals.empty() ? 0 : arrivals.front().time + block_seconds;
  const double first = arrivals.empty() ? 0 : arrivals.front().time;
  for (const auto& arrival : arrivals) {
    if (arrival.time >= block_end) {
      ends_.push_back(times_.size());
      block_end = arrival.time + block_seconds;   // a silence begins a new one, however long it was
    }
    times_.push_back(arrival.time - first);
    sizes_.push_back(arrival.bytes);
    sums_.push_back(sum += arrival.bytes);
  }
  if (!times_.empty()) ends_.push_back(times_.size());
}

void BlockedArrivals::highest_levels(double rate, std::vector<double>& levels) const {
  levels.clear();
  double lowest = -level_;
  std::size_t at = 0;
  for (const std::size_t end : ends_) {
    double highest = 0;
    for (; at < end; ++at) {
      const double above = sums_[at] - rate * times_[at];
      lowest = std::min(lowest, above - sizes_[at]);
      highest = std::max(highest, above - lowest);
    }
    levels.push_back(highest);
  }
}

std::vector<double> levels_at(std::span<const Arrival> arrivals, double rate, double depth, double level) {
  std::vector<double> levels;
  levels.reserve(arrivals.size());
  double last = arrivals.empty() ? 0 : arrivals.front().time;
  for (const auto& arrival : arrivals) {
    level = std::max(0.0, std::min(level, depth) - rate * (arrival.time - last)) + arrival.bytes;
    last = arrival.time;
    levels.push_back(level);
  }
  return levels;
}

Touches touches_of(std::span<const Arrival> arrivals, double rate, double depth, double width, double pause, double level) {
  constexpr double longest_s = 5, together_s = 0.005, most_of_it = 0.6;
  Touches touches;
  double burst = 0, count = 0, at_once = 0, stops = 0;
  double last = arrivals.empty() ? 0 : arrivals.front().time, touch = 0, between = 0, linked = 0;
  bool touched = false, emptied = level <= 0, touched_last = false;
  for (const auto& arrival : arrivals) {
    level -= rate * (arrival.time - last);
    stops += touched_last && arrival.time - last > pause ? 1 : 0;
    touched_last = false;
    burst = arrival.time - last < together_s ? burst + arrival.bytes : arrival.bytes;
    last = arrival.time;
    if (level < 0) level = 0, emptied = true;
    level += arrival.bytes;
    if (level <= depth - width || level > depth) continue;
    if (touched && arrival.time - touch <= longest_s) {
      between += arrival.time - touch;
      linked += emptied ? 0 : arrival.time - touch;
    }
    touches.fills += emptied ? 1 : 0;
    count += 1, at_once += burst >= most_of_it * depth ? 1 : 0;
    touch = arrival.time;
    touched = touched_last = true, emptied = false;
  }
  touches.linked = between > 0 ? linked / between : 0;
  touches.stops = count > 0 ? stops / count : 0;
  touches.at_once = count > 0 ? at_once / count : 0;
  return touches;
}

std::vector<double> hull_rates(std::span<const Arrival> arrivals, double least_share, std::size_t most) {
  struct Point { double time, sum; };
  std::vector<Point> hull;
  double sum = 0;
  for (const auto& arrival : arrivals) {
    const Point next{arrival.time, sum += arrival.bytes};
    while (hull.size() >= 2) {
      const auto &a = hull[hull.size() - 2], &b = hull.back();
      if ((b.sum - a.sum) * (next.time - a.time) > (next.sum - a.sum) * (b.time - a.time)) break;
      hull.pop_back();
    }
    hull.push_back(next);
  }
  struct Edge { double seconds, rate; };
  std::vector<Edge> edges;
  const double whole = arrivals.empty() ? 0 : arrivals.back().time - arrivals.front().time;
  for (std::size_t i = 1; i < hull.size(); ++i) {
    const double seconds = hull[i].time - hull[i - 1].time;
    if (seconds > 0 && seconds >= least_share * whole) edges.push_back({seconds, (hull[i].sum - hull[i - 1].sum) / seconds});
  }
  std::stable_sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) { return a.seconds > b.seconds; });
  if (edges.size() > most) edges.resize(most);
  std::vector<double> rates;
  for (const auto& edge : edges) rates.push_back(edge.rate);
  return rates;
}

}  // namespace callwitness::metrics::models
