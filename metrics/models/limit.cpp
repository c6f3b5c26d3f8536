#include "metrics/models/limit.hpp"

#include "metrics/models/bucket_rate.hpp"
#include "metrics/models/loss_chain.hpp"
#include "metrics/models/stretch.hpp"
#include "metrics/models/waiting.hpp"

#include <algorithm>
#include <cmath>

namespace callwitness::metrics::models {
namespace {

constexpr std::size_t most_weighed = 8000;         ///< packets: those that lost most
constexpr std::size_t least_losses = 15;
constexpr double least_loss = 0.01;                ///< of those
constexpr double least_quota_gain = 25, quota_gain_each = 3.5, quota_to_innocents = -60, quota_over_time = 10;   ///< nats
constexpr double least_open_spread = 3;            ///< packets: less, and bytes are time
constexpr double rest_gain = 15, rest_share = 0.25;   ///< of a second stretch, beside a first that is sure
constexpr double shortest_stretch_s = 5, shortest_queue_s = 12;   ///< a fading line stands at some rate for that long
constexpr double well_told = 0.7;                  ///< share of the deviance, beyond which no second limit is looked for

using Packets = std::span<const PathPacket>;

/// The part of so many packets that lost most.
Packets densest(Packets packets, std::size_t count) {
  if (packets.size() <= count) return packets;
  std::size_t lost = 0, most = 0, first = 0;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    lost += packets[i].lost;
    if (i >= count) lost -= packets[i - count].lost;
    if (i + 1 >= count && lost > most) most = lost, first = i + 1 - count;
  }
  return packets.subspan(first, count);
}

std::size_t losses_of(Packets packets) {
  return static_cast<std::size_t>(std::count_if(packets.begin(), packets.end(), [](const PathPacket& p) { return p.numbered && p.lost; }));
}

void count_packets(Packets packets, Limit& limit) {
  for (const auto& p : packets) {
    if (!p.numbered || p.arrival < limit.start || p.arrival > limit.end) continue;
    ++limit.packets;
    limit.losses += p.lost;
  }
}

/// A limit whose bucket is known: policer or queue, its rate, and when. `packets`: those that it may hold.
Limit described(Packets packets, const LossCause& cause) {
  Limit limit;
  limit.cause = cause;
  limit.nats = std::min(cause.margin, cause.gain);
  const auto events = events_of(packets, cause.clock);
  const auto measured = measure(events, cause.bucket.bucket);
  limit.queue = fit_queue(densest(packets, most_weighed), cause.bucket.bucket.rate);
  // The search's rate is uncertain by some percent where a queue, not a bucket, drops.
  const bool at_rate = is_queue(limit.queue, cause.bucket.bucket.rate) || (measured.between_losses > 0 && is_queue(limit.queue, measured.between_losses));
  const bool waiting = !at_rate && waits(packets, cause.bucket.bucket);
  if (waiting && !is_queue_by_waits(limit.queue, cause.bucket.bucket.rate)) {
    limit.kind = LimitKind::unsteady;
  } else if (at_rate || waiting) {
    constexpr double error = 0.003;
    limit.kind = LimitKind::queue;
    limit.rate = limit.queue.rate, limit.rate_low = limit.rate * (1 - error), limit.rate_high = limit.rate * (1 + error);
    limit.bound = limit.queue.bound;
  } else {
    limit.rate = measured.rate, limit.rate_low = measured.low, limit.rate_high = measured.high;
    limit.depth_low = measured.depth_low, limit.depth_high = measured.depth_high;
    limit.bound = measured.bound;
  }
  const auto first = std::find_if(packets.begin(), packets.end(), [](const PathPacket& p) { return p.lost; });
  const auto last = std::find_if(packets.rbegin(), packets.rend(), [](const PathPacket& p) { return p.lost; });
  if (first != packets.end()) limit.start = first->arrival, limit.end = last->arrival;
  count_packets(packets, limit);
  return limit;
}

/// Where in the path a bucket holds that was found in its densest part.
Packets extent(Packets packets, const LossCause& cause) {
  const auto events = events_of(packets, cause.clock);
  double likelihood = 0;
  const auto chain = forecast_losses(events, fit_chain(events), likelihood);
  const auto held = held_by(events, cause.bucket, chain);
  if (held.gain <= 0) return packets;
  const double from = events.time[held.first], to = events.time[held.last];
  const auto time = [&](const PathPacket& p) { return cause.clock == Clock::sent && p.is_sent_known() ? p.sent : p.arrival; };
  const auto first = std::find_if(packets.begin(), packets.end(), [&](const PathPacket& p) { return time(p) >= from; });
  const auto last = std::find_if(packets.rbegin(), packets.rend(), [&](const PathPacket& p) { return time(p) <= to; });
  const auto begin = static_cast<std::size_t>(first - packets.begin()), end = packets.size() - static_cast<std::size_t>(last - packets.rbegin());
  return begin < end ? packets.subspan(begin, end - begin) : packets;
}

std::optional<Limit> quota_of(Packets packets, const LossCause& cause) {
  const auto events = events_of(packets, Clock::arrival);
  const auto quota = fit_quota(events);
  if (quota.period <= 0 || quota.closed.empty()) return std::nullopt;
  double chain = 0;
  forecast_losses(events, fit_chain(events), chain);
  const double rivals = std::max(chain, cause.bucket ? cause.bucket.score : -1e300);
  const double needed = std::max(least_quota_gain, quota_gain_each * static_cast<double>(quota.used_up));
  if (quota.score < rivals + needed || quota.score < cause.innocent + quota_to_innocents) return std::nullopt;
  Limit limit;
  limit.kind = LimitKind::quota;
  limit.cause = cause;
  limit.quota = quota;
  limit.period = quota.period, limit.period_bytes = quota.bytes;
  limit.rate = quota.bytes / quota.period;
  const double half = std::max(0.002, 2 * quota.rate_spread / std::sqrt(static_cast<double>(std::max<std::size_t>(1, quota.used_up)))) * limit.rate;
  limit.rate_low = limit.rate - half, limit.rate_high = limit.rate + half;
  limit.bound = quota.closed;
  limit.start = quota.closed.front().begin, limit.end = quota.closed.back().end;
  limit.or_absence = quota.score < quota.by_time + quota_over_time || quota.open_spread < least_open_spread;
  limit.nats = std::min(quota.score - rivals, quota.score - quota.by_time);
  count_packets(packets, limit);
  return limit;
}

std::optional<Limit> stretch_of(Packets packets, bool beside_another) {
  if (losses_of(packets) < least_losses) return std::nullopt;
  const bool timed = std::any_of(packets.begin(), packets.end(), [](const PathPacket& p) { return p.is_sent_known(); });
  const auto events = events_of(packets, timed ? Clock::sent : Clock::arrival);
  double likelihood = 0;
  const auto chain = forecast_losses(events, fit_chain(events), likelihood);
  const auto stretch = best_stretch(events, chain);
  if (stretch.gain <= 0) return std::nullopt;
  const double from = events.time[stretch.first], to = events.time[stretch.last];
  const auto time = [&](const PathPacket& p) { return timed && p.is_sent_known() ? p.sent : p.arrival; };
  const auto first = std::find_if(packets.begin(), packets.end(), [&](const PathPacket& p) { return time(p) >= from; });
  const auto last = std::find_if(packets.rbegin(), packets.rend(), [&](const PathPacket& p) { return time(p) <= to; });
  const auto begin = static_cast<std::size_t>(first - packets.begin()), end = packets.size() - static_cast<std::size_t>(last - packets.rbegin());
  if (begin >= end) return std::nullopt;
  if (to - from < shortest_stretch_s) return std::nullopt;
  const auto part = packets.subspan(begin, end - begin);
  const auto cause = weigh_losses(densest(part, most_weighed), &stretch.bucket);
  const bool sure = beside_another ? cause.margin >= least_margin && cause.gain >= rest_gain && cause.share >= rest_share : is_limited(cause);
  if (!sure) return std::nullopt;
  auto limit = described(part, cause);
  if (limit.kind != LimitKind::policer && to - from < shortest_queue_s) return std::nullopt;
  return limit;
}

/// Limits in parts of the path: the best, then what is left before and after it.
std::vector<Limit> stretches_of(Packets packets) {
  std::vector<Limit> limits;
  const auto first = stretch_of(packets, false);
  if (!first) return limits;
  limits.push_back(*first);
  const auto before = std::find_if(packets.begin(), packets.end(), [&](const PathPacket& p) { return p.arrival >= first->start; });
  const auto after = std::find_if(before, packets.end(), [&](const PathPacket& p) { return p.arrival > first->end; });
  const auto begin = static_cast<std::size_t>(before - packets.begin()), end = static_cast<std::size_t>(after - packets.begin());
  if (auto more = stretch_of(packets.first(begin), true)) limits.insert(limits.begin(), std::move(*more));
  if (auto more = stretch_of(packets.subspan(end), true)) limits.push_back(std::move(*more));
  return limits;
}

/// A queue that delay alone tells: it explains its losses as well as any bucket, or has none.
std::optional<Limit> queue_of(Packets packets) {
  Limit limit;
  limit.queue = fit_queue(packets, 0);
  if (!is_queue(limit.queue, 0) || limit.queue.bound.empty()) return std::nullopt;
  constexpr double error = 0.003;
  limit.kind = LimitKind::queue;
  limit.rate = limit.queue.rate, limit.rate_low = limit.rate * (1 - error), limit.rate_high = limit.rate * (1 + error);
  limit.bound = limit.queue.bound;
  limit.start = limit.bound.front().begin, limit.end = limit.bound.back().end;
  limit.nats = limit.queue.gain;
  count_packets(packets, limit);
  return limit;
}

std::vector<Limit> limits_by_losses(Packets all) {
  std::vector<Limit> limits;
  const auto part = densest(all, most_weighed);
  const std::size_t lost = losses_of(part);
  if (lost < least_losses || static_cast<double>(lost) < least_loss * static_cast<double>(part.size())) return limits;
  const auto cause = weigh_losses(part);
  if (auto quota = quota_of(part, cause)) return {std::move(*quota)};
  const bool whole = is_limited(cause);
  if (!whole || cause.share < well_told) limits = stretches_of(all);
  if (!whole) return limits;
  double in_parts = 0;
  for (const auto& limit : limits) in_parts += limit.cause.gain;
  if (in_parts > cause.gain) return limits;
  return {described(extent(all, cause), cause)};
}

}  // namespace

std::vector<Limit> find_limits(const Path& path) {
  std::vector<Limit> limits = limits_by_losses(path.packets);
  if (!limits.empty()) return limits;
  if (auto limit = queue_of(path.packets)) limits.push_back(std::move(*limit));
  return limits;
}

}  // namespace callwitness::metrics::models
