#include "metrics/models/bucket_search.hpp"

#include "metrics/statistics.hpp"

#include <cmath>

namespace callwitness::metrics::models {
namespace {

constexpr std::size_t coarse_packets = 3000;      ///< with the most losses: enough for the first steps
constexpr std::size_t rate_steps = 40, rate_quantiles = 15, best_kept = 3;
constexpr double lowest = 0.4, highest = 1.3;     ///< of the mean rate that passed
/// Largest packets. In less there is never anything left over, and the fill is but the time since the last packet: where losses
/// were put back would tell what was lost.
constexpr double least_depth = 1.25;
constexpr double least_span_s = 0.5;              ///< between losses, for a rate of it
constexpr std::size_t least_span_packets = 8;

double score_of(const Events& events, const Bucket& bucket) {
  return kt_score(count_classes(events, bucket)) - std::log(static_cast<double>(events.size()));
}

/// Of what passed from one loss to a later one.
std::vector<double> rates_between_losses(const Events& events) {
  std::vector<double> rates;
  double bytes = 0;
  std::size_t packets = 0, from = events.size();
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (!events.lost[i]) {
      bytes += events.bytes[i], ++packets;
      continue;
    }
    const bool begun = from < events.size();
    if (begun && packets < least_span_packets) continue;
    if (begun && events.time[i] - events.time[from] < least_span_s) continue;
    if (begun) rates.push_back(bytes / (events.time[i] - events.time[from]));
    from = i, bytes = 0, packets = 0;
  }
  return rates;
}

void add_sorted(std::vector<BucketFit>& best, const BucketFit& fit) {
  const auto place = std::find_if(best.begin(), best.end(), [&](const BucketFit& other) { return fit.score > other.score; });
  best.insert(place, fit);
  if (best.size() > best_kept) best.pop_back();
}

/// The window of so many packets that lost most.
Events densest(const Events& events, std::size_t count) {
  if (events.size() <= count) return events;
  std::size_t lost = 0, most = 0, first = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    lost += events.lost[i];
    if (i >= count) lost -= events.lost[i - count];
    if (i + 1 >= count && lost > most) most = lost, first = i + 1 - count;
  }
  return part_of(events, first, count);
}

}  // namespace

BucketFit refine(const Events& events, const Bucket& bucket) {
  BucketFit best{bucket, score_of(events, bucket)};
  constexpr int most_moves = 5;
  const auto better = [&](double rate, double depth) {
    if (depth < least_depth * events.largest || rate <= 0) return false;
    const double score = score_of(events, {rate, depth});
    if (score <= best.score) return false;
    best = {{rate, depth}, score};
    return true;
  };
  for (const double step : {0.01, 0.003, 0.001}) {
    for (int move = 0; move < most_moves; ++move) {
      const Bucket at = best.bucket;
      bool moved = false;
      for (const int k : {-2, -1, 1, 2}) moved = better(at.rate * (1 + step * k), at.depth) || moved;
      const double rate = best.bucket.rate, wide = 1 + 20 * step;
      for (const double by : {1 / (wide * wide), 1 / wide, wide, wide * wide}) moved = better(rate, at.depth * by) || moved;
      // Along the ridge: what a higher rate brings until the next loss, a shallower bucket takes away.
      for (const double seconds : {0.5, 2.0})
        for (const int k : {-1, 1}) moved = better(best.bucket.rate * (1 + step * k), best.bucket.depth - step * k * seconds * best.bucket.rate) || moved;
      if (!moved) break;
    }
  }
  return best;
}

BucketFit find_bucket(const Events& events, double least_score) {
  constexpr std::size_t least_losses = 3;
  constexpr double coarse_misses = 50;             // nats, by steps of some percent
  const Events sample = densest(events, coarse_packets);
  double passed = 0;
  std::size_t losses = 0;
  for (std::size_t i = 0; i < sample.size(); ++i) sample.lost[i] ? static_cast<double>(++losses) : passed += sample.bytes[i];
  if (losses < least_losses || passed <= 0) return {};
  const double duration = sample.time.back() - sample.time.front();
  if (!(duration > 0)) return {};
  std::vector<double> rates;
  for (std::size_t k = 0; k < rate_steps; ++k)
    rates.push_back(passed / duration * lowest * std::pow(highest / lowest, static_cast<double>(k) / (rate_steps - 1)));
  const auto between = rates_between_losses(sample);
  if (between.size() >= 3)
    for (std::size_t k = 0; k < rate_quantiles; ++k) rates.push_back(quantile(between, (static_cast<double>(k) + 0.5) / rate_quantiles));
  std::vector<BucketFit> best;
  for (const double rate : rates)
    for (const double depth : {1.3 * events.largest, 3.0 * events.largest, 0.15 * rate, 0.5 * rate, 1.5 * rate, 4 * rate})
      if (depth >= least_depth * events.largest) add_sorted(best, {{rate, depth}, score_of(sample, {rate, depth})});
  BucketFit found;
  if (best.empty() || best.front().score < least_score - coarse_misses) return found;
  for (const auto& start : best)
    if (const auto fit = refine(sample, start.bucket); fit.score > found.score) found = fit;
  return found ? refine(events, found.bucket) : found;
}

}  // namespace callwitness::metrics::models
