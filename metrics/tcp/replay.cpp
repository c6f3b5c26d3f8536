// What the packets say of a bucket once it is fitted, and the rules by which it is a policer's.
#include "metrics/statistics.hpp"
#include "metrics/tcp/bucket.hpp"

#include <algorithm>
#include <cmath>

namespace callwitness::metrics {
namespace {

constexpr double plenty_packets = 2.5, plenty_seconds = 0.02;   // tokens with which nothing may be dropped
constexpr std::size_t least_delays = 60;
constexpr double least_span = 0.005;        // seconds that a queue of this depth would have swung

constexpr double least_explained = 0.65, nearly_all_explained = 0.9;
constexpr std::size_t many_steady = 20, many_filled = 8;
constexpr std::size_t least_steady = 3;     // without them rate and depth can be traded for each other
constexpr double least_depth = 4, least_depth_if_exact = 1.5;   // tolerances
constexpr double most_when_full = 0.06;
constexpr double least_expected = 4;
constexpr double least_precision = 0.4, high_precision = 0.7;
constexpr std::size_t telling_filled = 3;
constexpr double most_queue = 0.12;
constexpr double least_variety = 0.1;       // of the intervals' lengths, or a sender's own rhythm would do
constexpr double least_depth_behind = 0.06; // seconds of the rate: what radio links hand over at once

/// Delay of those that found little in the bucket less that of those that found much, over the time between the two fills.
std::optional<double> queue_of(std::vector<std::pair<double, double>> delays) {
  if (delays.size() < least_delays) return std::nullopt;
  std::sort(delays.begin(), delays.end());
  const std::size_t third = delays.size() / 3;
  std::vector<double> low_fill, low_delay, high_fill, high_delay;
  for (std::size_t i = 0; i < third; ++i) {
    const auto &low = delays[i], &high = delays[delays.size() - 1 - i];
    low_fill.push_back(low.first);
    low_delay.push_back(low.second);
    high_fill.push_back(high.first);
    high_delay.push_back(high.second);
  }
  const double span = median(high_fill) - median(low_fill);
  if (span < least_span) return std::nullopt;
  return (median(low_delay) - median(high_delay)) / span;
}

}  // namespace

BucketReplay replay(const TcpBucket& bucket, std::span<const TcpPacket> packets, double packet_bytes) {
  BucketReplay result;
  const double plenty = std::max(plenty_packets * packet_bytes, plenty_seconds * bucket.rate);
  double tokens = 0, last = packets[bucket.first].time, full = 0, lost_full = 0, empty = 0, lost_empty = 0;
  std::vector<std::pair<double, double>> delays;
  for (std::size_t i = bucket.first; i <= bucket.last; ++i) {
    const auto& packet = packets[i];
    const double lost = packet.lost > 0 ? 1 : 0;
    tokens = std::min(bucket.depth, tokens + bucket.rate * (packet.time - last));
    last = packet.time;
    result.packets += 1;
    result.losses += lost;
    if (tokens >= plenty) {
      full += 1;
      lost_full += lost;
    } else if (tokens < packet_bytes) {
      empty += 1;
      lost_empty += lost;
    }
    if (packet.queueing >= 0) delays.emplace_back(tokens / bucket.rate, static_cast<double>(packet.queueing));
    if (lost > 0) tokens = std::min(tokens, packet_bytes);
    tokens = std::max(0.0, tokens - static_cast<double>(packet.bytes));
  }
  const double ratio = result.losses / result.packets;
  result.expected_when_full = full * ratio;
  result.when_full = full > 0 ? lost_full / full / ratio : 1;
  result.precision = empty > 0 ? lost_empty / empty : 0;
  result.queue = queue_of(std::move(delays));
  return result;
}

bool is_policer(const TcpBucket& bucket, const BucketReplay& replay, Viewpoint viewpoint) {
  const bool by_depth = bucket.filled >= many_filled && bucket.explained() >= nearly_all_explained && replay.precision >= high_precision;
  if (bucket.explained() < least_explained || (bucket.steady < least_steady && !by_depth)) return false;
  if (replay.expected_when_full < least_expected || replay.when_full > most_when_full || replay.precision < least_precision) return false;
  // Nearly all intervals explained at once are as exact: a shallow bucket lets little of a burst through, whatever its size.
  const bool exact = replay.precision >= high_precision || (bucket.explained() >= nearly_all_explained && bucket.steady >= many_steady);
  if (!exact && bucket.filled < telling_filled && bucket.duration_spread < least_variety) return false;
  // Before the bottleneck a queue shows by its delay. Behind it, by letting nothing through at once.
  if (viewpoint == Viewpoint::before_losses)
    return replay.queue && std::abs(*replay.queue) <= most_queue && bucket.depth >= (exact ? least_depth_if_exact : least_depth) * bucket.tolerance;
  return bucket.depth >= std::max(least_depth * bucket.tolerance, least_depth_behind * bucket.rate);
}

}  // namespace callwitness::metrics
