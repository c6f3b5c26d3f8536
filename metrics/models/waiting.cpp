#include "metrics/models/waiting.hpp"

#include "metrics/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace callwitness::metrics::models {

Slope delay_by_fill(std::span<const PathPacket> packets, const Bucket& bucket) {
  constexpr double window_s = 5;
  constexpr std::size_t fewest = 100;
  const auto events = events_of(packets, Clock::sent);
  std::vector<double> missing(packets.size(), unknown_time);   // seconds of the rate, by packet
  double tokens = 0;
  walk(events, bucket, [&](std::size_t i, float z, bool) {
    if (z >= unknown_tokens || events.lost[i]) return;
    tokens = z / events.inverse[i];                            // left over once it is paid for
    missing[events.packet[i]] = (bucket.depth - std::max(0.0, tokens)) / bucket.rate;
  });
  double xx = 0, xy = 0, yy = 0;
  std::size_t used = 0;
  std::vector<std::pair<double, double>> window;
  double from = 0;
  const auto finish = [&] {
    double x = 0, y = 0;
    for (const auto& [a, b] : window) x += a, y += b;
    x /= static_cast<double>(window.size()), y /= static_cast<double>(window.size());
    for (const auto& [a, b] : window) xx += (a - x) * (a - x), xy += (a - x) * (b - y), yy += (b - y) * (b - y);
    used += window.size();
    window.clear();
  };
  for (std::size_t i = 0; i < packets.size(); ++i) {
    if (std::isnan(missing[i]) || !packets[i].is_sent_known()) continue;
    if (!window.empty() && packets[i].arrival - from > window_s) finish();
    if (window.empty()) from = packets[i].arrival;
    window.emplace_back(missing[i], packets[i].arrival - packets[i].sent);
  }
  if (!window.empty()) finish();
  if (used < fewest || xx <= 0) return {};
  const double slope = xy / xx, rest = std::max(0.0, yy - slope * xy) / static_cast<double>(used);
  return {slope, std::sqrt(rest / xx)};
}

Waiting waiting_before_losses(std::span<const PathPacket> packets) {
  Waiting waiting;
  std::vector<double> before_losses, others;
  double last = unknown_time;
  bool run = false;
  for (const auto& p : packets) {
    if (!std::isnan(last) && !(p.lost && run)) (p.lost ? before_losses : others).push_back(last);
    run = p.lost;
    if (!p.lost && p.is_sent_known()) last = p.arrival - p.sent;
  }
  waiting.losses = before_losses.size();
  if (before_losses.empty() || others.empty()) return waiting;
  std::sort(others.begin(), others.end());
  double rank = 0;
  for (const double value : before_losses) {
    const auto [low, high] = std::equal_range(others.begin(), others.end(), value);
    rank += static_cast<double>((low - others.begin()) + (high - others.begin())) / 2;
  }
  waiting.rank = rank / static_cast<double>(others.size()) / static_cast<double>(before_losses.size());
  const double least = others[others.size() / 50];
  waiting.at_losses = median(std::move(before_losses)) - least;
  waiting.usual = others[others.size() / 2] - least;
  return waiting;
}

bool waits(std::span<const PathPacket> packets, const Bucket& bucket) {
  constexpr double least_slope = 0.3, long_s = 0.05, longer_than_others = 0.6;
  const auto slope = delay_by_fill(packets, bucket);
  if (!std::isnan(slope.value) && slope.value - 3 * slope.error > least_slope) return true;
  const auto waiting = waiting_before_losses(packets);
  return waiting.at_losses >= long_s && waiting.rank >= longer_than_others;
}

}  // namespace callwitness::metrics::models
