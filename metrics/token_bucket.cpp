#include "metrics/token_bucket.hpp"

#include "metrics/statistics.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace callwitness::metrics {
namespace {

constexpr std::size_t minimum_losses = 15;
constexpr double minimum_span = 8;                 ///< seconds from first to last loss
constexpr double interval_seconds = 1;             ///< between-loss intervals are at least this long
constexpr std::size_t minimum_intervals = 5;
constexpr double full_bucket = 2.5;                ///< packets of tokens at which a policer can't drop
constexpr double most_loss_when_full = 0.3;
constexpr double least_precision = 0.5;
constexpr double least_recall = 0.7;
constexpr double narrow_spread = 0.06;
constexpr double least_lift = 3;                   ///< precision over the overall loss ratio, where the spread is narrow
constexpr double least_lift_very_narrow = 2;
constexpr double very_narrow_spread = 0.03;
constexpr double least_local_rate_ratio = 1.02;
constexpr double pause_seconds = 0.1;              ///< a longer gap is the codec's silence, no sign of the rate within a run
constexpr double few_lost_when_full = 0.05;        ///< share of the losses: chance takes some on every path
constexpr double even_window = 2;                  ///< seconds
constexpr double largest_evenness_p = 1e-6;
constexpr double widest_spread = 0.2;
constexpr double widest_spread_when_sure = 0.4;    ///< pauses let the bucket overflow: some intervals then pass less
constexpr double sure_precision = 0.6, sure_recall = 0.9;
constexpr double step_ratio = 1.08;                ///< a smaller change of the rate is no step

struct Interval { double from, to, rate, offered; };

struct Bins {
  std::array<double, 4> seen{}, lost{};            // <1, 1-1.5, 1.5-2.5, ≥2.5 packets of tokens
  double log_likelihood() const {
    double sum = 0, all = 0, all_lost = 0;
    for (std::size_t i = 0; i < seen.size(); ++i) {
      sum += entropy(seen[i], lost[i]);
      all += seen[i];
      all_lost += lost[i];
    }
    return sum - entropy(all, all_lost);
  }
  static double entropy(double n, double k) {
    double value = 0;
    if (k > 0) value += k * std::log(k / n);
    if (n - k > 0) value += (n - k) * std::log((n - k) / n);
    return value;
  }
};

/// Tokens at each packet, re-synchronised at every loss (then the bucket held less than the packet).
Bins walk(std::span<const ArmPacket> packets, double rate_bps, double depth) {
  Bins bins;
  double tokens = 0, last = 0;
  bool known = false;
  for (const auto& packet : packets) {
    if (packet.after_silence) known = false;
    if (known) tokens = std::min(depth, tokens + (packet.time - last) * rate_bps / 8);
    last = packet.time;
    if (known) {
      const double share = tokens / packet.bytes;
      const std::size_t bin = share < 1 ? 0 : share < 1.5 ? 1 : share < full_bucket ? 2 : 3;
      bins.seen[bin] += 1;
      if (packet.lost) bins.lost[bin] += 1;
    }
    if (packet.lost) {
      // A first loss tells where the bucket stands: somewhere below the packet's size.
      tokens = known ? std::min(tokens, packet.bytes) : packet.bytes / 2;
      known = true;
    } else {
      tokens = std::max(0.0, tokens - packet.bytes);
    }
  }
  return bins;
}

std::vector<Interval> between_losses(std::span<const ArmPacket> packets) {
  std::vector<Interval> intervals;
  double from = 0, passed = 0, offered = 0;
  bool open = false;
  for (const auto& packet : packets) {
    if (packet.after_silence) open = false;
    if (packet.lost && open && packet.time - from >= interval_seconds) {
      const double length = packet.time - from;
      intervals.push_back({from, packet.time, passed * 8 / length, (offered + packet.bytes) * 8 / length});
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

/// Rate inside loss-free runs that touch a loss, over `rate`: a queue never lets packets out faster than its rate.
double local_rate_ratio(std::span<const ArmPacket> packets, double rate) {
  double bytes = 0, time = 0;
  constexpr std::size_t reach = 6;
  std::size_t since_loss = reach + 1;
  std::vector<bool> near(packets.size(), false);
  for (std::size_t i = 0; i < packets.size(); ++i) {
    since_loss = packets[i].lost ? 0 : since_loss + 1;
    near[i] = since_loss <= reach;
  }
  since_loss = reach + 1;
  for (std::size_t i = packets.size(); i-- > 0;) {
    since_loss = packets[i].lost ? 0 : since_loss + 1;
    if (since_loss <= reach) near[i] = true;
  }
  for (std::size_t i = 1; i < packets.size(); ++i) {
    if (packets[i].lost || packets[i - 1].lost || packets[i].after_silence || !near[i] || !near[i - 1]) continue;
    if (packets[i].time - packets[i - 1].time > pause_seconds) continue;
    bytes += packets[i].bytes;
    time += packets[i].time - packets[i - 1].time;
  }
  return time <= 0 ? 0 : bytes * 8 / time / rate;
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

constexpr std::array depths = {1500.0, 3000.0, 6000.0, 12000.0, 24000.0, 48000.0, 96000.0, 192000.0};

void judge_fit(PolicerFit& fit) {
  const bool never_when_full = fit.loss_when_full <= most_loss_when_full || fit.lost_when_full <= few_lost_when_full;
  const bool precise = fit.precision >= least_precision && fit.recall >= least_recall;
  const double lift = fit.loss_ratio > 0 ? fit.precision / fit.loss_ratio : 0;
  const bool narrow = fit.spread <= narrow_spread && fit.offered_spread > 2 * fit.spread && fit.recall >= least_recall &&
                      lift >= (fit.spread <= very_narrow_spread ? least_lift_very_narrow : least_lift);
  // Steady traffic loses its surplus and no more, window after window; chance scatters.
  const bool even = fit.evenness_p <= largest_evenness_p && fit.spread <= narrow_spread && fit.recall >= least_recall;
  const bool sure = fit.precision >= sure_precision && fit.recall >= sure_recall;
  fit.mechanism = never_when_full && (precise || narrow || even) && fit.spread <= (sure ? widest_spread_when_sure : widest_spread) &&
                  fit.local_rate_ratio >= least_local_rate_ratio;
}

std::optional<PolicerFit> fit_one(std::span<const ArmPacket> packets) {
  const auto first = std::find_if(packets.begin(), packets.end(), [](const ArmPacket& p) { return p.lost; });
  if (first == packets.end()) return std::nullopt;
  auto last = packets.end();
  while (!(last - 1)->lost) --last;
  packets = packets.subspan(static_cast<std::size_t>(first - packets.begin()), static_cast<std::size_t>(last - first));
  PolicerFit fit;
  fit.packets = packets.size();
  for (const auto& packet : packets) fit.losses += packet.lost ? 1 : 0;
  fit.start = packets.front().time;
  fit.end = packets.back().time;
  if (fit.losses < minimum_losses || fit.end - fit.start < minimum_span) return std::nullopt;
  fit.loss_ratio = static_cast<double>(fit.losses) / static_cast<double>(fit.packets);

  const auto intervals = between_losses(packets);
  if (intervals.size() < minimum_intervals) return std::nullopt;
  std::vector<double> rates, offered;
  for (const auto& interval : intervals) {
    rates.push_back(interval.rate);
    offered.push_back(interval.offered);
  }
  const double centre = median(rates);
  if (centre <= 0) return std::nullopt;
  fit.offered_spread = relative_spread(offered);

  // Packets beyond this many only repeat what the first ones say; the search stays linear and short.
  const auto sample = packets.first(std::min<std::size_t>(packets.size(), 40000));
  double best = -1, best_rate = centre, best_depth = depths[0];
  std::array<double, depths.size()> by_depth{};
  for (int step = -10; step <= 10; ++step) {
    const double rate = centre * (1 + 0.006 * step);
    for (std::size_t d = 0; d < depths.size(); ++d) {
      const double score = walk(sample, rate, depths[d]).log_likelihood() - 0.02 * std::abs(step);
      by_depth[d] = std::max(by_depth[d], score);
      if (score > best) best = score, best_rate = rate, best_depth = depths[d];
    }
  }
  const Bins bins = walk(packets, best_rate, best_depth);
  double lost = 0, seen = 0;
  for (std::size_t i = 0; i < 4; ++i) lost += bins.lost[i], seen += bins.seen[i];
  if (lost <= 0) return std::nullopt;
  fit.precision = bins.seen[0] > 0 ? bins.lost[0] / bins.seen[0] : 0;
  fit.recall = (bins.lost[0] + bins.lost[1]) / lost;
  const double full_ratio = bins.seen[3] > 0 ? bins.lost[3] / bins.seen[3] : 0;
  fit.loss_when_full = full_ratio / (lost / seen);
  fit.lost_when_full = bins.lost[3] / lost;
  fit.evenness_p = evenness_p(packets, fit.loss_ratio);

  // The cap: bytes over time of the intervals that agree with the fit; they begin and end with an empty bucket.
  double bytes = 0, time = 0;
  std::vector<double> agreeing;
  for (const auto& interval : intervals) {
    if (std::abs(interval.rate / best_rate - 1) > 0.05) continue;
    bytes += interval.rate * (interval.to - interval.from);
    time += interval.to - interval.from;
    agreeing.push_back(interval.rate);
  }
  if (agreeing.size() < minimum_intervals) return std::nullopt;
  fit.rate_bps = bytes / time;
  fit.spread = relative_spread(rates);
  const double half = std::max(0.004, 2.5 * standard_deviation(agreeing) / fit.rate_bps / std::sqrt(static_cast<double>(agreeing.size())));
  fit.rate_low = fit.rate_bps * (1 - half);
  fit.rate_high = fit.rate_bps * (1 + half);
  for (std::size_t d = 0; d < depths.size(); ++d) {
    if (by_depth[d] < best - 4) continue;
    if (fit.burst_low == 0) fit.burst_low = depths[d];
    fit.burst_high = depths[d];
  }
  fit.local_rate_ratio = local_rate_ratio(packets, fit.rate_bps);
  judge_fit(fit);
  return fit;
}

/// The time where the between-loss rate steps, if it does.
std::optional<double> find_step(std::span<const ArmPacket> packets) {
  const auto intervals = between_losses(packets);
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

void fit_into(std::span<const ArmPacket> packets, int depth, std::vector<PolicerFit>& fits) {
  const auto whole = fit_one(packets);
  if (whole && whole->mechanism && whole->spread <= narrow_spread) {
    fits.push_back(*whole);
    return;
  }
  const auto step = depth < 3 ? find_step(packets) : std::nullopt;
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
