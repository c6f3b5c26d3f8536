#include "metrics/fits/bucket_search.hpp"

#include "metrics/statistics.hpp"

#include <cmath>

namespace callwitness::metrics {
namespace {

constexpr double highest_threshold = 1.5;          ///< packets of tokens: more leeway than jitter needs is no policer's
constexpr double coarse_step = 0.006;              ///< of the rate

double log_likelihood(double n, double k) {
  double value = 0;
  if (k > 0) value += k * std::log(k / n);
  if (n - k > 0) value += (n - k) * std::log((n - k) / n);
  return value;
}

/// Centres worth searching: the median, and higher ones, for an overflowing bucket only makes intervals pass less.
std::vector<double> centres_of(const std::vector<double>& rates) {
  std::vector<double> centres{median(rates)};
  for (const double share : {0.75, 0.9}) {
    const double rate = quantile(rates, share);
    if (rate > 1.1 * centres.back()) centres.push_back(rate);
  }
  return centres;
}

}  // namespace

Threshold best_threshold(const Bins& bins) {
  double all = 0, all_lost = 0;
  for (std::size_t i = 0; i < Bins::count; ++i) all += bins.seen[i], all_lost += bins.lost[i];
  const double chance = log_likelihood(all, all_lost);
  Threshold best;
  double seen = 0, lost = 0;
  for (std::size_t i = 0; static_cast<double>(i + 1) * Bins::width <= highest_threshold; ++i) {
    seen += bins.seen[i];
    lost += bins.lost[i];
    if (seen <= 0 || lost * all <= all_lost * seen) continue;
    const double gain = log_likelihood(seen, lost) + log_likelihood(all - seen, all_lost - lost) - chance;
    if (gain > best.gain) best = {gain, seen, lost, static_cast<double>(i + 1) * Bins::width};
  }
  return best;
}

namespace {

double mean_size(std::span<const ArmPacket> packets) {
  double bytes = 0;
  for (const auto& packet : packets) bytes += packet.bytes;
  return packets.empty() ? 0 : bytes / static_cast<double>(packets.size());
}

/// As `walk`, for buckets of one rate and several depths side by side: each step of a walk waits for the one before, several
/// walks don't wait for each other.
template <std::size_t lanes>
std::array<Bins, lanes> walk_side_by_side(std::span<const ArmPacket> packets, double rate_bps, const std::array<double, lanes>& depths) {
  std::array<Bins, lanes> bins;
  std::array<std::array<std::uint32_t, Bins::count>, lanes> seen{};
  std::array<double, lanes> tokens{};
  const double usual = mean_size(packets);
  double last = 0;
  bool in_run = false, known = false;   // of all alike: it is time and losses that make it so, not the depth
  for (const auto& packet : packets) {
    if (packet.after_silence) known = false;
    if (known) {
      const double added = (packet.time - last) * rate_bps / 8;
      const double unit = 1 / std::max(packet.bytes, usual);
      for (std::size_t lane = 0; lane < lanes; ++lane) {
        tokens[lane] = std::min(depths[lane], tokens[lane] + added);
        const auto bin = Bins::of(std::max(0.0, 1 + (tokens[lane] - packet.bytes) * unit));
        ++seen[lane][bin];
        if (packet.lost) bins[lane].lost[bin] += 1;
      }
    }
    last = packet.time;
    for (double& held : tokens) {
      if (!packet.lost) held = std::max(0.0, held - packet.bytes);
      // A loss with that many tokens is none of the bucket's: it tells nothing of what the bucket holds.
      else if (known && held - packet.bytes > (full_bucket - 1) * std::max(packet.bytes, usual)) continue;
      // A first loss tells where the bucket stands: somewhere below the packet's size. In a run of losses tokens only add up.
      else if (!known || !in_run) held = known ? std::min(held, packet.bytes) : packet.bytes / 2;
    }
    in_run = packet.lost;
    known = known || packet.lost;
  }
  for (std::size_t lane = 0; lane < lanes; ++lane)
    for (std::size_t i = 0; i < Bins::count; ++i) bins[lane].seen[i] += seen[lane][i];
  return bins;
}

}  // namespace

std::vector<double> tokens_found(std::span<const ArmPacket> packets, double rate_bps, double depth) {
  std::vector<double> shares;
  shares.reserve(packets.size());
  const double usual = mean_size(packets);
  double held = 0, last = 0;
  bool in_run = false, known = false;
  for (const auto& packet : packets) {
    if (packet.after_silence) known = false;
    if (known) held = std::min(depth, held + (packet.time - last) * rate_bps / 8);
    const double share = 1 + (held - packet.bytes) / std::max(packet.bytes, usual);
    shares.push_back(known ? std::max(0.0, share) : unknown_tokens);
    last = packet.time;
    if (!packet.lost) held = std::max(0.0, held - packet.bytes);
    // A loss with that many tokens is none of the bucket's: it tells nothing of what the bucket holds.
    else if (known && share > full_bucket) continue;
    // A first loss tells where the bucket stands: somewhere below the packet's size.
    else if (!known || !in_run) held = known ? std::min(held, packet.bytes) : packet.bytes / 2;
    in_run = packet.lost;
    known = known || packet.lost;
  }
  return shares;
}

Bins walk(std::span<const ArmPacket> packets, double rate_bps, double depth) {
  Bins bins;
  const auto shares = tokens_found(packets, rate_bps, depth);
  for (std::size_t i = 0; i < packets.size(); ++i)
    if (shares[i] != unknown_tokens) bins.add(shares[i], packets[i].lost);
  return bins;
}

Bucket find_bucket(std::span<const ArmPacket> packets, const std::vector<double>& rates, std::array<double, bucket_depths.size()>& by_depth) {
  // Steady traffic has its losses explained as well by rates that its own intervals exclude: not tried.
  const int most_steps = static_cast<int>(std::lround(std::clamp(3 * relative_spread(rates), 0.018, 0.06) / coarse_step));
  // Packets beyond this many only repeat what the first ones say; the search stays linear and short.
  const auto coarse = packets.first(std::min<std::size_t>(packets.size(), 12000));
  const auto fine = packets.first(std::min<std::size_t>(packets.size(), 40000));
  Bucket best;
  for (const double centre : centres_of(rates))
    for (int step = -most_steps; step <= most_steps; ++step) {
      const double rate = centre * (1 + coarse_step * step);
      const auto walked = walk_side_by_side(coarse, rate, bucket_depths);
      for (std::size_t d = 0; d < bucket_depths.size(); ++d) {
        // Steady traffic separates as well at neighbouring rates: what passed between the losses then decides.
        const double gain = best_threshold(walked[d]).gain * (1 - 0.005 * std::abs(step));
        by_depth[d] = std::max(by_depth[d], gain);
        if (gain > best.gain) best = {rate, bucket_depths[d], gain};
      }
    }
  best.gain = best_threshold(walk(fine, best.rate, best.depth)).gain;
  for (const auto& [rate_step, depth_step] : {std::pair{0.003, 1.4}, {0.0015, 1.2}, {0.0007, 1.1}, {0.0003, 1.05}}) {
    const Bucket around = best;
    for (const double factor : {1 - 2 * rate_step, 1 - rate_step, 1.0, 1 + rate_step, 1 + 2 * rate_step}) {
      const std::array depths = {around.depth * (1 / depth_step), around.depth, around.depth * depth_step};
      const auto walked = walk_side_by_side(fine, around.rate * factor, depths);
      for (std::size_t d = 0; d < depths.size(); ++d) {
        const Bucket tried{around.rate * factor, depths[d], best_threshold(walked[d]).gain};
        if (tried.gain > best.gain) best = tried;
      }
    }
  }
  return best;
}

}  // namespace callwitness::metrics
