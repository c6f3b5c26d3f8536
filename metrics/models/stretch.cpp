#include "metrics/models/stretch.hpp"

#include <algorithm>
#include <cmath>

namespace callwitness::metrics::models {
namespace {

constexpr std::size_t windows_each = 4, least_losses = 8;
constexpr double fixed_cost = 15;          ///< nats, beside 3 ln n: for where it begins, where it ends, and its bucket

/// The windows of that length that lost most, none of which overlap.
std::vector<std::pair<std::size_t, std::size_t>> windows_of(const Events& events, double seconds) {
  struct Window { std::size_t first, count, lost; };
  std::vector<Window> windows;
  for (std::size_t i = 0; i < events.size();) {
    Window window{i, 0, 0};
    while (i < events.size() && events.time[i] - events.time[window.first] < seconds) window.lost += events.lost[i], ++i;
    window.count = i - window.first;
    if (window.lost >= least_losses) windows.push_back(window);
  }
  std::stable_sort(windows.begin(), windows.end(), [](const Window& a, const Window& b) { return a.lost > b.lost; });
  std::vector<std::pair<std::size_t, std::size_t>> best;
  // Those that lost most, and some from all over the rest: a harsher cap must not hide a milder one.
  const std::size_t count = std::min(windows.size(), windows_each);
  for (std::size_t k = 0; k < count; ++k) {
    const auto& window = windows[k * windows.size() / count];
    best.emplace_back(window.first, window.count);
  }
  return best;
}

}  // namespace

Stretch held_by(const Events& events, const BucketFit& bucket, const std::vector<double>& chain) {
  Stretch stretch;
  stretch.bucket = bucket;
  // How often each class loses is learnt where the bucket is thought to hold, and never that more tokens lose more.
  const auto counts = count_classes(events, bucket.bucket);
  std::array<double, classes> lost_share{};
  double least = 0.97;
  for (std::size_t c = 0; c < known_classes; ++c) {
    const bool short_class = c < 3;
    const double prior = short_class ? 0.8 : 0.02, share = (counts.lost[c] + 4 * prior) / (counts.seen[c] + 4);
    least = lost_share[c] = std::clamp(share, 0.002, least);
  }
  double sum = 0, best = 0;
  std::size_t from = 0, to = 0, begin = 0;
  walk(events, bucket.bucket, [&](std::size_t i, float z, bool) {
    if (!events.counted[i]) return;
    const double p = z >= unknown_tokens ? chain[i] : lost_share[class_of(z)];
    sum += events.lost[i] ? std::log(p / chain[i]) : std::log((1 - p) / (1 - chain[i]));
    if (sum <= 0) sum = 0, begin = i + 1;
    if (sum > best) best = sum, from = begin, to = i;
  });
  // A loss at either end.
  while (from < to && !events.lost[from]) ++from;
  while (to > from && !events.lost[to]) --to;
  stretch.first = from, stretch.last = to;
  stretch.gain = best - 3 * std::log(static_cast<double>(std::max<std::size_t>(2, events.size()))) - fixed_cost;
  return stretch;
}

Stretch best_stretch(const Events& events, const std::vector<double>& chain) {
  Stretch best;
  for (const double seconds : {10.0, 25.0, 60.0}) {
    if (events.size() == 0 || events.time.back() - events.time.front() < seconds) break;
    for (const auto& [first, count] : windows_of(events, seconds)) {
      double by_chain = 0;
      for (std::size_t i = first; i < first + count; ++i)
        if (events.counted[i]) by_chain += std::log(events.lost[i] ? chain[i] : 1 - chain[i]);
      const auto fit = find_bucket(part_of(events, first, count), by_chain);
      if (!fit || fit.score < by_chain) continue;
      auto stretch = held_by(events, fit, chain);
      for (int again = 0; again < 2 && stretch.last > stretch.first + 20; ++again) {
        const auto refitted = refine(part_of(events, stretch.first, stretch.last - stretch.first + 1), stretch.bucket.bucket);
        const auto next = held_by(events, refitted, chain);
        if (next.gain <= stretch.gain) break;
        stretch = next;
      }
      if (stretch.gain > best.gain) best = stretch;
    }
  }
  return best;
}

}  // namespace callwitness::metrics::models
