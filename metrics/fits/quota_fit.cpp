#include "metrics/fits/quota_fit.hpp"

#include "metrics/statistics.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace callwitness::metrics {
namespace {

constexpr std::array periods = {0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0};
constexpr std::size_t least_run = 3;        ///< lost in a row: a token bucket of steady traffic loses singly
constexpr std::size_t candidates = 8;       ///< the longest closures, whose ends may be a period's
constexpr std::size_t least_used_up = 5;
constexpr double least_packets = 5;         ///< let through in a period: single ones slip through any outage
constexpr double least_share_used_up = 0.5; ///< of the periods in between
constexpr double closed_share = 0.8;        ///< lost of what comes while closed: small packets still fit where a large one doesn't
constexpr double most_outside = 0.3;        ///< of the losses may lie elsewhere, or one a period, as any line has some
constexpr double widest = 0.015, widest_in_packets = 0.6;  ///< of the bytes that pass: whichever is more

struct Closure { double from, to; };

/// Runs of losses, and silences (in which losses aren't placed one by one), the longest first.
std::vector<Closure> closures_of(std::span<const ArmPacket> packets) {
  std::vector<Closure> closures;
  for (std::size_t i = 0; i < packets.size();) {
    std::size_t end = i;
    while (end < packets.size() && packets[end].lost) ++end;
    if (end < packets.size() && (end - i >= least_run || (i > 0 && packets[end].after_silence))) {
      // The period began between the last that was lost and the first that passed; half-way, jitter moves neither across.
      const double to = end > i ? (packets[end - 1].time + packets[end].time) / 2 : packets[end].time;
      closures.push_back({i > 0 ? packets[i - 1].time : packets[i].time, to});
    }
    i = std::max(end, i + 1);
  }
  std::sort(closures.begin(), closures.end(), [](const Closure& a, const Closure& b) { return a.to - a.from > b.to - b.from; });
  return closures;
}

std::optional<QuotaFit> fit_at(std::span<const ArmPacket> packets, double period, double phase) {
  QuotaFit fit;
  fit.period = period;
  std::vector<double> passed;
  std::size_t outside = 0;
  std::int64_t first = 0, last = 0;
  for (std::size_t i = 0; i < packets.size();) {
    // The millisecond: what passes first in a period did so a little before the boundary that a later one suggests.
    const auto index = static_cast<std::int64_t>(std::floor((packets[i].time - phase + 0.001) / period));
    const double end = phase + static_cast<double>(index + 1) * period - 0.001;
    double bytes = 0, closed_from = -1;
    const std::size_t begin = i;
    // At least one, whatever the last digits say: a period that ends where it begins would never end.
    do bytes += packets[i].lost ? 0 : packets[i].bytes;
    while (++i < packets.size() && packets[i].time < end);
    // Backwards from the end: as far as nearly everything is lost.
    std::size_t lost = 0, inside = 0, losses = 0;
    for (std::size_t k = i; k-- > begin;) {
      if (!packets[k].lost) continue;
      ++lost;
      if (static_cast<double>(lost) >= closed_share * static_cast<double>(i - k)) closed_from = packets[k].time, inside = lost;
    }
    losses = lost;
    if (inside < least_run) closed_from = -1;
    const bool silent_until_next = i < packets.size() && i > 0 && packets[i].after_silence && packets[i - 1].time < end - silence_seconds / 2;
    if (closed_from < 0 && silent_until_next) closed_from = packets[i - 1].time;
    if (closed_from < 0) continue;
    if (passed.empty()) first = index, fit.start = closed_from;
    last = index;
    fit.end = end;
    fit.closed.push_back({closed_from, end, bytes});
    passed.push_back(bytes);
    fit.losses += inside;
    outside += losses - inside;
  }
  // The first period may have begun before the capture, the last may not have ended.
  if (passed.size() > 2) {
    passed.erase(passed.begin());
    passed.pop_back();
  }
  fit.used_up = passed.size();
  fit.periods = static_cast<std::size_t>(last - first + 1);
  if (fit.used_up < least_used_up || static_cast<double>(fit.used_up) < least_share_used_up * static_cast<double>(fit.periods)) return std::nullopt;
  if (static_cast<double>(outside) > std::max(most_outside * static_cast<double>(outside + fit.losses), static_cast<double>(fit.used_up))) return std::nullopt;
  // A period in which others held the line up passes more or less than it was allowed: the middle ones tell.
  fit.bytes = median(passed);
  fit.bytes_spread = (quantile(passed, 0.84) - quantile(passed, 0.16)) / 2 / fit.bytes;
  for (const auto& closed : fit.closed) fit.closed_s += (closed.to - closed.from) / static_cast<double>(fit.closed.size());
  const double packet = packets[packets.size() / 2].bytes;
  if (fit.bytes < least_packets * packet) return std::nullopt;
  fit.widest = std::max(widest * fit.bytes, widest_in_packets * packet);
  if (fit.bytes_spread * fit.bytes > fit.widest) return std::nullopt;
  fit.widest *= 2;   // of single ones, where that is the spread of most
  return fit;
}

}  // namespace

std::optional<QuotaFit> fit_quota(std::span<const ArmPacket> packets) {
  const auto closures = closures_of(packets);
  std::optional<QuotaFit> best;
  for (const double period : periods)
    for (std::size_t k = 0; k < std::min(candidates, closures.size()); ++k) {
      auto fit = fit_at(packets, period, closures[k].to);
      if (fit && (!best || fit->bytes_spread < best->bytes_spread)) best = std::move(fit);
    }
  return best;
}

}  // namespace callwitness::metrics
