#include "metrics/tcp/delivery.hpp"

#include "metrics/statistics.hpp"
#include "metrics/tcp/losses.hpp"

#include <algorithm>
#include <map>

namespace callwitness::metrics {
namespace {

constexpr double shortest_stall = 0.2;      ///< seconds: the least time after which TCP sends again by its clock; no jitter buffer bridges it
constexpr double at_once = 0.06;            ///< seconds: a voice packet's length, at most
constexpr double caught_up = 0.5;           ///< of what the talker makes in the time: a pause is followed by a packet or two
constexpr double tick = 1e-5;

struct Step { double time; double bytes; };

/// Where what the capture never shows ends, by where it begins: the application had it.
std::map<std::uint32_t, std::uint32_t> never_shown(const std::vector<Segment>& segments) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> shown;
  for (const auto& segment : segments) shown.emplace_back(segment.begin, segment.begin + segment.payload);
  std::sort(shown.begin(), shown.end());
  std::map<std::uint32_t, std::uint32_t> holes;
  std::uint32_t next = 0;
  for (const auto& [begin, end] : shown) {
    if (begin > next) holes[next] = begin;
    next = std::max(next, end);
  }
  return holes;
}

/// What came in order, and when the application could have it.
std::vector<Step> in_order(const std::vector<Segment>& segments) {
  const auto holes = never_shown(segments);
  std::map<std::uint32_t, std::uint32_t> waiting;   // behind a hole: begin → end
  std::uint32_t next = 0;
  std::vector<Step> steps;
  const auto over_hole = [&] {
    if (const auto hole = holes.find(next); hole != holes.end()) next = hole->second;
  };
  for (const auto& segment : segments) {
    const std::uint32_t end = segment.begin + segment.payload, before = next;
    if (segment.begin > next) {
      auto& held = waiting[segment.begin];
      held = std::max(held, end);
      continue;
    }
    next = std::max(next, end);
    over_hole();
    while (!waiting.empty() && waiting.begin()->first <= next) {
      next = std::max(next, waiting.begin()->second);
      waiting.erase(waiting.begin());
      over_hole();
    }
    if (next > before) steps.push_back({segment.time * tick, static_cast<double>(next - before)});
  }
  return steps;
}

/// Bytes a second of a talker who talks: of nine seconds in ten it is less.
double talking_rate(const std::vector<Step>& steps) {
  std::map<long, double> seconds;
  for (const auto& step : steps) seconds[static_cast<long>(step.time)] += step.bytes;
  std::vector<double> sums;
  for (const auto& [second, sum] : seconds) sums.push_back(sum);
  return quantile(sums, 0.9);
}

}  // namespace

TcpDelivery delivery_of(const SegmentRecord& record, std::optional<Duration> round_trip) {
  TcpDelivery delivery;
  const auto steps = in_order(record.segments);
  if (steps.size() < 2) return delivery;
  delivery.segments = record.segments.size();
  delivery.lost = transfer_of(record, record.start, round_trip).losses;
  delivery.seconds = steps.back().time - steps.front().time;
  const double rate = talking_rate(steps);
  for (std::size_t i = 1; i < steps.size(); ++i) {
    const double gap = steps[i].time - steps[i - 1].time;
    if (gap < shortest_stall) continue;
    double bytes = 0;
    for (std::size_t k = i; k < steps.size() && steps[k].time <= steps[i].time + at_once; ++k) bytes += steps[k].bytes;
    if (bytes < caught_up * rate * gap) continue;
    ++delivery.stalls;
    delivery.stalled += gap;
    delivery.longest = std::max(delivery.longest, gap);
  }
  return delivery;
}

}  // namespace callwitness::metrics
