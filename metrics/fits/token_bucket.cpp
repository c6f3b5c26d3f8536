#include "metrics/fits/token_bucket.hpp"

#include "metrics/fits/bucket_search.hpp"
#include "metrics/fits/local_rate.hpp"
#include "metrics/fits/policer_rules.hpp"
#include "metrics/statistics.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <tuple>
#include <utility>

namespace callwitness::metrics {
namespace {

constexpr std::size_t minimum_losses = 15;
constexpr double minimum_span = 8;                 ///< seconds from first to last loss
constexpr double interval_seconds = 1;             ///< between-loss intervals are at least this long
constexpr double interval_packets = 40;            ///< and so many of the packets that get lost: one more or less must not matter
constexpr double longest_interval_needed = 3;      ///< seconds
constexpr double interval_in_spurt_seconds = 0.5;
constexpr std::size_t minimum_intervals = 5;
constexpr double pause_seconds = 0.1;              ///< a longer gap is the codec's silence, no sign of the rate within a run
constexpr double even_window = 2;                  ///< seconds
constexpr double unsure_rate = 1.01, unsure_depth = 1.5;   ///< of the fit, where what passed beyond it is counted
constexpr double half_width_by_bucket = 0.02;      ///< of the rate, where no intervals tell it
constexpr double step_ratio = 1.08;                ///< a smaller change of the rate is no step

struct Interval { double from, to, rate, offered, size; };   ///< size: bytes of the loss that ends it

/// Between two losses the bucket is empty at both ends: what passed, over the time, is the cap. A pause in between may
/// have let it overflow; `across_pauses` false leaves those out.
std::vector<Interval> between_losses(std::span<const ArmPacket> packets, double least_length, bool across_pauses) {
  std::vector<Interval> intervals;
  double from = 0, passed = 0, offered = 0, last = 0;
  bool open = false;
  for (const auto& packet : packets) {
    if (packet.after_silence || (!across_pauses && packet.time - last > pause_seconds)) open = false;
    last = packet.time;
    if (packet.lost && open && packet.time - from >= least_length) {
      const double length = packet.time - from;
      intervals.push_back({from, packet.time, passed * 8 / length, (offered + packet.bytes) * 8 / length, packet.bytes});
      open = false;
    }
    if (packet.lost && !open) {
      open = true;
      from = packet.time;
      passed = offered = 0;
      continue;
    }
    if (!packet.lost) passed += packet.bytes;
    offered += packet.bytes;
  }
  return intervals;
}

/// Of a talker who pauses, the intervals within talk spurts; else all of at least a second.
std::vector<Interval> telling_intervals(std::span<const ArmPacket> packets) {
  std::vector<double> sizes;
  double passed = 0;
  for (const auto& packet : packets) {
    if (packet.lost) sizes.push_back(packet.bytes);
    else passed += packet.bytes;
  }
  const double duration = packets.back().time - packets.front().time;
  const double least = passed <= 0 ? interval_seconds : std::clamp(interval_packets * median(std::move(sizes)) * duration / passed, interval_seconds, longest_interval_needed);
  auto all = between_losses(packets, least, true);
  auto whole = between_losses(packets, least, false);
  if (whole.size() < minimum_intervals || 2 * whole.size() < all.size()) {
    for (const double shorter : {interval_in_spurt_seconds, 0.5 * interval_in_spurt_seconds}) {
      auto within = between_losses(packets, shorter, false);
      if (within.size() >= minimum_intervals) return within;
    }
  }
  return whole.size() >= minimum_intervals ? whole : all;
}

double filled(std::span<const ArmPacket> packets, double rate) {
  double bytes = 0, silent = 0, last = packets.front().time;
  for (const auto& packet : packets) {
    if (packet.after_silence) silent += packet.time - last;
    if (packet.lost) continue;
    bytes += packet.bytes;
    last = packet.time;
  }
  const double time = packets.back().time - packets.front().time - silent;
  return time <= 0 ? 0 : bytes * 8 / time / rate;
}

/// Losses of each window of 2 s.
std::vector<std::size_t> losses_by_window(std::span<const ArmPacket> packets) {
  double from = packets.front().time;
  std::vector<std::size_t> windows{0};
  for (const auto& packet : packets) {
    while (packet.time >= from + even_window) {
      windows.push_back(0);
      from += even_window;
    }
    windows.back() += packet.lost ? 1 : 0;
  }
  return windows;
}

/// The most that passed on end beyond what the rate and a full bucket let pass, in seconds of the rate.
double passed_beyond(std::span<const ArmPacket> packets, double rate_bps, double depth) {
  double level = 0, lowest = 0, most = 0, last = packets.front().time;
  for (const auto& packet : packets) {
    level -= (packet.time - last) * rate_bps / 8;
    last = packet.time;
    lowest = std::min(lowest, level);
    if (!packet.lost) level += packet.bytes;
    most = std::max(most, level - lowest);
  }
  return std::max(0.0, most - depth) * 8 / rate_bps;
}

/// How likely chance alone spreads losses as evenly over windows: 1 where there are too few of them.
double evenness_p(std::span<const ArmPacket> packets, double ratio) {
  double from = packets.front().time, seen = 0, lost = 0, chi_squared = 0;
  std::size_t windows = 0;
  const auto close = [&] {
    if (seen * ratio >= 1) {
      chi_squared += (lost - seen * ratio) * (lost - seen * ratio) / (seen * ratio * (1 - ratio));
      ++windows;
    }
    seen = lost = 0;
  };
  for (const auto& packet : packets) {
    while (packet.time >= from + even_window) {
      close();
      from += even_window;
    }
    seen += 1;
    lost += packet.lost ? 1 : 0;
  }
  return windows < 8 || ratio >= 0.999 ? 1 : chi_squared_cdf(chi_squared, static_cast<double>(windows - 1));
}

/// From the first loss to the last; empty: nothing was lost.
std::span<const ArmPacket> between_first_and_last_loss(std::span<const ArmPacket> packets) {
  const auto first = std::find_if(packets.begin(), packets.end(), [](const ArmPacket& p) { return p.lost; });
  if (first == packets.end()) return {};
  auto last = packets.end();
  while (!(last - 1)->lost) --last;
  return packets.subspan(static_cast<std::size_t>(first - packets.begin()), static_cast<std::size_t>(last - first));
}

/// From which packet to which the bucket held: what passed with too few tokens speaks against it, what was lost for it.
std::pair<std::size_t, std::size_t> held_part(std::span<const ArmPacket> packets, const Bucket& bucket, const Threshold& threshold, double lost, double seen) {
  constexpr double rarest = 0.001, surest = 0.95;
  const double below = std::min(surest, threshold.lost_below / threshold.seen_below);
  const double above = std::max(rarest, (lost - threshold.lost_below) / std::max(1.0, seen - threshold.seen_below));
  const double for_it = std::log(below / above), against = std::log((1 - below) / (1 - above));
  const auto shares = tokens_found(packets, bucket.rate, bucket.depth);
  double sum = 0, best = 0;
  std::size_t from = 0;
  std::pair<std::size_t, std::size_t> part{0, packets.size()};
  for (std::size_t i = 0; i < packets.size(); ++i) {
    if (shares[i] == unknown_tokens || shares[i] >= threshold.share) continue;
    if (sum <= 0) sum = 0, from = i;
    sum += packets[i].lost ? for_it : against;
    if (sum > best) best = sum, part = {from, i + 1};
  }
  return part;
}

/// `packets` begin and end with a loss.
std::optional<PolicerFit> fit_one(std::span<const ArmPacket> packets) {
  if (packets.empty()) return std::nullopt;
  PolicerFit fit;
  fit.packets = packets.size();
  for (const auto& packet : packets) fit.losses += packet.lost ? 1 : 0;
  fit.start = packets.front().time;
  fit.end = packets.back().time;
  if (fit.losses < minimum_losses || fit.end - fit.start < minimum_span) return std::nullopt;
  fit.loss_ratio = static_cast<double>(fit.losses) / static_cast<double>(fit.packets);

  const auto intervals = telling_intervals(packets);
  if (intervals.size() < minimum_intervals) return std::nullopt;
  std::vector<double> rates, offered;
  for (const auto& interval : intervals) {
    rates.push_back(interval.rate);
    offered.push_back(interval.offered);
  }
  if (median(rates) <= 0) return std::nullopt;
  fit.offered_spread = relative_spread(offered);

  std::array<double, bucket_depths.size()> by_depth{};
  const Bucket bucket = find_bucket(packets, rates, by_depth);
  const Bins bins = walk(packets, bucket.rate, bucket.depth);
  const Threshold threshold = best_threshold(bins);
  double lost = 0, seen = 0, lost_full = 0, seen_full = 0;
  for (std::size_t i = 0; i < Bins::count; ++i) {
    lost += bins.lost[i], seen += bins.seen[i];
    if (static_cast<double>(i) * Bins::width >= full_bucket) lost_full += bins.lost[i], seen_full += bins.seen[i];
  }
  if (lost <= 0 || threshold.gain <= 0) return std::nullopt;
  fit.gain = threshold.gain;
  fit.precision = threshold.lost_below / threshold.seen_below;
  fit.recall = threshold.lost_below / lost;
  fit.loss_when_full = seen_full > 0 ? lost_full / seen_full / (lost / seen) : 0;
  fit.lost_when_full = lost_full / lost;
  std::tie(fit.held_from, fit.held_to) = held_part(packets, bucket, threshold, lost, seen);
  fit.evenness_p = evenness_p(packets, fit.loss_ratio);
  auto windows = losses_by_window(packets);
  std::sort(windows.rbegin(), windows.rend());
  constexpr std::size_t stray = 1;
  fit.windows_losing = static_cast<std::size_t>(std::find_if(windows.begin(), windows.end(), [](std::size_t n) { return n <= stray; }) - windows.begin());
  fit.lost_in_worst = static_cast<double>(windows[0] + (windows.size() > 1 ? windows[1] : 0)) / static_cast<double>(fit.losses);

  // The cap: bytes over time of the intervals that agree with the fit; they begin and end with an empty bucket.
  double bytes = 0, time = 0;
  std::vector<double> agreeing;
  for (const auto& interval : intervals) {
    // Either end may hold up to a packet's tokens.
    const double length = interval.to - interval.from, allowed = std::max(0.05 * bucket.rate * length, 8 * interval.size);
    if (std::abs(interval.rate - bucket.rate) * length > allowed) continue;
    bytes += interval.rate * (interval.to - interval.from);
    time += interval.to - interval.from;
    agreeing.push_back(interval.rate);
  }
  double half = half_width_by_bucket;
  if (agreeing.size() >= minimum_intervals) {
    fit.rate_bps = bytes / time;
    fit.spread = relative_spread(rates);
    half = std::max(0.004, 2.5 * standard_deviation(agreeing) / fit.rate_bps / std::sqrt(static_cast<double>(agreeing.size())));
  } else {
    // A talker's short spurts leave too few intervals; then the bucket alone must be sure.
    fit.rate_bps = bucket.rate;
    fit.spread = widest_spread_when_sure;
  }
  fit.rate_low = fit.rate_bps * (1 - half);
  // What is lost behind the bucket has been paid for: the cap is higher by that share.
  const double behind = std::min(0.05, fit.loss_when_full * fit.loss_ratio);
  fit.rate_high = fit.rate_bps * (1 + half + behind);
  const double deepest = *std::max_element(by_depth.begin(), by_depth.end());
  for (std::size_t d = 0; d < bucket_depths.size(); ++d) {
    if (by_depth[d] < deepest - 4) continue;
    if (fit.burst_low == 0) fit.burst_low = bucket_depths[d];
    fit.burst_high = bucket_depths[d];
  }
  // Where every second packet is lost there are no such runs, and nothing against a bucket.
  const LosslessRuns runs(packets);
  fit.local_rate_ratio = runs.rate() ? *runs.rate() / fit.rate_bps : least_local_rate_ratio;
  fit.in_bursts = runs.in_bursts(fit.rate_bps);
  fit.filled = filled(packets, fit.rate_bps);
  fit.beyond_s = passed_beyond(packets, std::max(fit.rate_high, unsure_rate * fit.rate_bps), unsure_depth * bucket.depth);
  judge(fit);
  return fit;
}

/// The part that loses: from where to where losses outweigh half their usual ratio. Stray losses before a cap began
/// (every path has some) would say that it let everything pass.
std::span<const ArmPacket> losing_part(std::span<const ArmPacket> packets) {
  const double lost = static_cast<double>(std::count_if(packets.begin(), packets.end(), [](const ArmPacket& p) { return p.lost; }));
  const double toll = 0.5 * lost / static_cast<double>(packets.size());
  double sum = 0, best = 0;
  std::size_t from = 0, best_from = 0, best_to = packets.size();
  for (std::size_t i = 0; i < packets.size(); ++i) {
    sum += (packets[i].lost ? 1 : 0) - toll;
    if (sum <= 0) sum = 0, from = i + 1;
    if (sum > best) best = sum, best_from = from, best_to = i + 1;
  }
  return packets.subspan(best_from, best_to - best_from);
}

constexpr int most_depth = 3;   ///< of parts within parts

/// The time where the between-loss rate steps, if it does.
std::optional<double> find_step(std::span<const ArmPacket> packets) {
  const auto intervals = telling_intervals(packets);
  constexpr std::size_t side = 6;
  if (intervals.size() < 2 * side) return std::nullopt;
  double best = 0;
  std::optional<double> at;
  std::vector<double> rates;
  for (const auto& interval : intervals) rates.push_back(interval.rate);
  const auto cost = [](std::span<const double> values) {
    const double centre = median({values.begin(), values.end()});
    double sum = 0;
    for (const double value : values) sum += std::abs(value - centre);
    return sum;
  };
  const std::size_t stride = std::max<std::size_t>(1, rates.size() / 200);
  const double whole = cost(rates);
  for (std::size_t cut = side; cut + side <= rates.size(); cut += stride) {
    const std::span all(rates);
    const double gain = whole - cost(all.first(cut)) - cost(all.subspan(cut));
    if (gain <= best) continue;
    const double left = median({rates.begin(), rates.begin() + static_cast<std::ptrdiff_t>(cut)});
    const double right = median({rates.begin() + static_cast<std::ptrdiff_t>(cut), rates.end()});
    if (std::max(left, right) < step_ratio * std::min(left, right)) continue;
    best = gain;
    at = (intervals[cut - 1].to + intervals[cut].from) / 2;
  }
  return best >= 0.3 * whole ? at : std::nullopt;
}

void fit_into(std::span<const ArmPacket> packets, int depth, std::vector<PolicerFit>& fits);

/// What a fit left of the packets around it: only what holds by itself is kept.
void fit_rest(std::span<const ArmPacket> packets, int depth, std::vector<PolicerFit>& fits) {
  if (depth == most_depth) return;
  std::vector<PolicerFit> parts;
  fit_into(packets, depth + 1, parts);
  std::copy_if(parts.begin(), parts.end(), std::back_inserter(fits), [](const PolicerFit& part) { return part.mechanism; });
}

void fit_into(std::span<const ArmPacket> packets, int depth, std::vector<PolicerFit>& fits) {
  const auto losing = between_first_and_last_loss(packets), most_losing = between_first_and_last_loss(losing_part(packets));
  auto whole = fit_one(losing);
  auto fitted = losing;
  const bool same = losing.data() == most_losing.data() && losing.size() == most_losing.size();
  if (!same && (!whole || !whole->mechanism)) {
    const auto trimmed = fit_one(most_losing);
    if (trimmed && (!whole || trimmed->mechanism)) whole = trimmed, fitted = most_losing;
  }
  // Stray losses before it began and after it ended are not its own, nor is what passed then; what came before a queue is no sign
  // against one.
  if (whole && (whole->mechanism || !lets_no_more(*whole))) {
    constexpr double longest_stray = 3;   // seconds: less is the bucket's own first and last loss
    const auto held = between_first_and_last_loss(fitted.subspan(whole->held_from, whole->held_to - whole->held_from));
    const double cut = held.empty() ? 0 : std::max(held.front().time - whole->start, whole->end - held.back().time);
    if (cut > (lets_no_more(*whole) ? longest_stray : 0))
      if (const auto exact = fit_one(held); exact && (exact->mechanism || !met_no_queue(*exact))) whole = exact, fitted = held;
  }
  if (whole && whole->mechanism && whole->spread <= narrow_spread) {
    // A milder cap before or after, that loses too little beside this one to count as its losing part.
    const auto from = static_cast<std::size_t>(fitted.data() - packets.data());
    fit_rest(packets.first(from), depth, fits);
    fits.push_back(*whole);
    fit_rest(packets.subspan(from + fitted.size()), depth, fits);
    return;
  }
  const auto step = depth < most_depth ? find_step(packets) : std::nullopt;
  if (step) {
    const auto cut = std::lower_bound(packets.begin(), packets.end(), *step, [](const ArmPacket& p, double t) { return p.time < t; });
    const auto left = static_cast<std::size_t>(cut - packets.begin());
    std::vector<PolicerFit> parts;
    fit_into(packets.first(left), depth + 1, parts);
    fit_into(packets.subspan(left), depth + 1, parts);
    const auto holding = std::count_if(parts.begin(), parts.end(), [](const PolicerFit& p) { return p.mechanism; });
    if (holding > (whole && whole->mechanism ? 1 : 0)) {
      fits.insert(fits.end(), parts.begin(), parts.end());
      return;
    }
  }
  if (whole) fits.push_back(*whole);
}

}  // namespace

bool may_lose(std::span<const ArmPacket> packets, double ratio) {
  constexpr double rounding = 1e-9;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < packets.size(); ++i)
    if (packets[i].lost) places.push_back(i);
  // A part with twice as many losses as a fit takes falls into two, one of which loses as much: none longer is looked at.
  for (std::size_t first = 0; first < places.size(); ++first)
    for (std::size_t last = first + minimum_losses - 1; last < std::min(places.size(), first + 2 * minimum_losses - 1); ++last)
      if (static_cast<double>(last - first + 1) >= ratio * (1 - rounding) * static_cast<double>(places[last] - places[first] + 1)) return true;
  return false;
}

std::vector<PolicerFit> fit_policers(std::span<const ArmPacket> packets) {
  std::vector<PolicerFit> fits;
  fit_into(packets, 0, fits);
  return fits;
}

double busiest_rate(std::span<const ArmPacket> packets, double window, double from, double to, double share) {
  std::vector<double> rates;
  double start = from, bytes = 0;
  for (const auto& packet : packets) {
    if (packet.lost || packet.time < from) continue;
    if (packet.time > to) break;
    while (packet.time >= start + window) {
      rates.push_back(bytes * 8 / window);
      bytes = 0;
      start += window;
    }
    bytes += packet.bytes;
  }
  return quantile(std::move(rates), share);
}

}  // namespace callwitness::metrics
