#include "metrics/models/ceiling.hpp"

#include "metrics/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace callwitness::metrics::models {
namespace {

constexpr std::size_t least_arrivals = 100, least_blocks = 12;
constexpr double tail = 0.08;                    ///< a ceiling is one of the highest blocks
constexpr double least_widths = 3;               ///< high: else all that passes lies in it
constexpr double filled_packets = 10;            ///< where a part begins: a bucket that stays full shows at any level but the lowest
constexpr double lowest = 0.95, highest = 1.05;  ///< of the rates seen over 5 s
constexpr double rate_window_s = 5;
constexpr double finest_step = 0.0015;           ///< of the logarithm
constexpr std::size_t fewest_rates = 200, most_rates = 700, finer_rates = 41, refined = 3;

/// Blocks of 1 s within a packet; of 3 s, for limits that are reached seldom; wider, for jitter behind the bucket; and within the usual
/// packet, where most are small (acknowledgements, voice beside video) and find what large ones leave.
struct Variant { std::size_t merged; double packets; bool usual; };
constexpr Variant variants[] = {{1, 1, false}, {3, 1, false}, {1, 2.5, false}, {3, 2.5, false}, {1, 2.5, true}, {3, 2.5, true}};
constexpr double nearly_as_high = 0.8;
constexpr double mostly_small = 0.3;             ///< usual packet over a large one

struct Tried { double rate = 0; Pile pile; double width = 0; };

/// `large`: nine of ten packets are no larger, or half of the bytes come in no larger ones, where most packets carry next to none.
struct Sizes { double large = 0, usual = 0; };

Sizes sizes_of(std::span<const Arrival> arrivals) {
  std::vector<double> sizes;
  sizes.reserve(arrivals.size());
  for (const auto& arrival : arrivals) sizes.push_back(arrival.bytes);
  Sizes result{quantile(sizes, 0.9), median(sizes)};
  std::sort(sizes.begin(), sizes.end());
  double left = std::accumulate(sizes.begin(), sizes.end(), 0.0) / 2;
  for (const double size : sizes) {
    if ((left -= size) > 0) continue;
    result.large = std::max(result.large, size);
    break;
  }
  return result;
}

/// Longer than a bucket needs for the next packet, and than packets are usually apart.
double pause_after(std::span<const Arrival> arrivals, double rate) {
  constexpr double least_s = 0.1, times_refill = 3, times_gap = 4;
  std::vector<double> gaps;
  for (std::size_t i = 1; i < arrivals.size(); ++i) gaps.push_back(arrivals[i].time - arrivals[i - 1].time);
  return std::max({least_s, times_refill * sizes_of(arrivals).large / rate, times_gap * median(std::move(gaps))});
}

struct Range { double low = 0, high = 0; };

Range rates_of(std::span<const Arrival> arrivals) {
  std::vector<double> rates;
  double sum = 0, window_end = arrivals.front().time + rate_window_s, all = 0;
  for (const auto& arrival : arrivals) {
    if (arrival.time >= window_end) {
      rates.push_back(sum / rate_window_s);
      sum = 0;
      window_end = std::max(window_end + rate_window_s, arrival.time);
    }
    sum += arrival.bytes, all += arrival.bytes;
  }
  if (rates.empty()) return {};
  const double mean = all / std::max(rate_window_s, arrivals.back().time - arrivals.front().time);
  return {lowest * std::min(mean, median(rates)), highest * *std::max_element(rates.begin(), rates.end())};
}

class Scan {
 public:
  Scan(std::span<const Arrival> arrivals, bool is_part)
      : arrivals_(arrivals), sizes_(sizes_of(arrivals)), blocked_(arrivals, 1, is_part ? filled_packets * sizes_.large : 0) {}
  std::size_t blocks() const { return blocked_.blocks(); }

  Tried at(double rate) {
    Tried best{rate, {}, sizes_.large}, narrow = best;
    blocked_.highest_levels(rate, levels_);
    for (const auto& variant : variants) {
      if (variant.usual && sizes_.usual > mostly_small * sizes_.large) continue;
      merged_.clear();
      for (std::size_t i = 0; i < levels_.size(); i += variant.merged)
        merged_.push_back(*std::max_element(levels_.begin() + static_cast<std::ptrdiff_t>(i), levels_.begin() + static_cast<std::ptrdiff_t>(std::min(levels_.size(), i + variant.merged))));
      const double width = variant.packets * (variant.usual ? sizes_.usual : sizes_.large);
      const auto pile = best_pile(merged_, width);
      if (pile.sign > best.pile.sign) best.pile = pile, best.width = width;
      if (!variant.usual && variant.packets <= 1 && pile.sign > narrow.pile.sign) narrow.pile = pile, narrow.width = width;
    }
    // The narrower pile tells the depth better.
    if (narrow.pile.sign >= nearly_as_high * best.pile.sign) best.pile.depth = narrow.pile.depth, best.width = narrow.width;
    return best;
  }

  std::vector<Tried> all() {
    const auto range = rates_of(arrivals_);
    if (range.low <= 0 || range.high <= range.low) return {};
    const double span = std::log(range.high / range.low);
    const auto count = static_cast<std::size_t>(std::clamp(span / finest_step, double{fewest_rates}, double{most_rates}));
    const double step = span / static_cast<double>(count);
    std::vector<Tried> tried;
    for (std::size_t i = 0; i <= count; ++i) tried.push_back(at(range.low * std::exp(step * static_cast<double>(i))));
    for (const double rate : hull_rates(arrivals_))
      if (rate >= range.low && rate <= range.high) tried.push_back(at(rate));
    refine(tried, step);
    refine(tried, step / 20);
    return tried;
  }

 private:
  void refine(std::vector<Tried>& tried, double step) {
    auto best = tried;
    std::partial_sort(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(std::min(refined, best.size())), best.end(),
                      [](const Tried& a, const Tried& b) { return a.pile.sign > b.pile.sign; });
    for (std::size_t i = 0; i < std::min(refined, best.size()) && best[i].pile.sign > 0; ++i)
      for (std::size_t k = 0; k < finer_rates; ++k)
        tried.push_back(at(best[i].rate * std::exp(step * (2 * static_cast<double>(k) / (finer_rates - 1) - 1))));
  }

  std::span<const Arrival> arrivals_;
  Sizes sizes_;
  BlockedArrivals blocked_;
  std::vector<double> levels_, merged_;
};

}  // namespace

double sign_ratio(double within, double without) {
  const double n = within + without;
  if (within <= without) return 0;
  const double p = within / n;
  const double entropy = p * std::log(p) + (p < 1 ? (1 - p) * std::log(1 - p) : 0);
  return n * (std::numbers::ln2 + entropy) / std::numbers::ln10;
}

Pile best_pile(std::vector<double>& levels, double width) {
  Pile best;
  if (levels.size() < least_blocks) return best;
  std::sort(levels.begin(), levels.end());
  const auto size = static_cast<double>(levels.size());
  const auto above = [&](double level) { return static_cast<double>(levels.end() - std::upper_bound(levels.begin(), levels.end(), level)); };
  for (std::size_t i = levels.size() - std::max<std::size_t>(1, static_cast<std::size_t>(tail * size)); i < levels.size(); ++i) {
    const double depth = levels[i];
    if (depth < least_widths * width) continue;
    const double over = above(depth), upper = above(depth - width) - over, lower = above(depth - 2 * width) - over - upper;
    const double sign = sign_ratio(upper, lower + over);
    if (sign > best.sign) best = {depth, sign};
  }
  return best;
}

std::optional<Ceiling> highest_pile(std::span<const Arrival> arrivals, bool is_part) {
  if (arrivals.size() < least_arrivals) return std::nullopt;
  Scan scan(arrivals, is_part);
  if (scan.blocks() < least_blocks) return std::nullopt;
  const auto tried = scan.all();
  const auto best = std::max_element(tried.begin(), tried.end(), [](const Tried& a, const Tried& b) { return a.pile.sign < b.pile.sign; });
  if (best == tried.end() || best->pile.sign <= 0) return std::nullopt;
  Ceiling ceiling;
  ceiling.rate = ceiling.rate_low = ceiling.rate_high = best->rate;
  for (const auto& other : tried) {
    if (other.pile.sign < best->pile.sign - 1) continue;
    ceiling.rate_low = std::min(ceiling.rate_low, other.rate);
    ceiling.rate_high = std::max(ceiling.rate_high, other.rate);
  }
  ceiling.depth = best->pile.depth;
  ceiling.width = best->width;
  ceiling.sign = best->pile.sign;
  ceiling.begin = arrivals.front().time;
  ceiling.end = arrivals.back().time;
  ceiling.from = arrivals.front().time;
  ceiling.level = is_part ? filled_packets * sizes_of(arrivals).large : 0;
  const auto touches = touches_of(arrivals, ceiling.rate, ceiling.depth, ceiling.width, pause_after(arrivals, ceiling.rate), ceiling.level);
  ceiling.linked = touches.linked;
  ceiling.fills = touches.fills;
  ceiling.at_once = touches.at_once;
  ceiling.stops = touches.stops;
  return ceiling;
}

std::vector<Arrival> shuffled(std::span<const Arrival> arrivals, std::uint64_t seed) {
  constexpr double together_s = 0.005;
  struct Group { std::size_t first, end; double gap; };
  std::vector<Group> groups;
  for (std::size_t i = 0; i < arrivals.size();) {
    std::size_t end = i + 1;
    while (end < arrivals.size() && arrivals[end].time - arrivals[end - 1].time < together_s) ++end;
    groups.push_back({i, end, end < arrivals.size() ? arrivals[end].time - arrivals[end - 1].time : 0});
    i = end;
  }
  Random random(seed);
  for (std::size_t i = groups.size(); i > 1; --i) std::swap(groups[i - 1], groups[random.index(i)]);
  std::vector<Arrival> result;
  result.reserve(arrivals.size());
  double time = arrivals.empty() ? 0 : arrivals.front().time;
  for (const auto& group : groups) {
    for (std::size_t i = group.first; i < group.end; ++i) result.push_back({time + arrivals[i].time - arrivals[group.first].time, arrivals[i].bytes});
    time = result.back().time + group.gap;
  }
  return result;
}

}  // namespace callwitness::metrics::models
