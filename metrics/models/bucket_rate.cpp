#include "metrics/models/bucket_rate.hpp"

#include "metrics/statistics.hpp"

#include <cmath>

namespace callwitness::metrics::models {
namespace {

constexpr double least_span_s = 1;
constexpr std::size_t least_span_packets = 20, least_spans = 3;

/// What passed between two losses that found the bucket empty.
struct Piece { double seconds, bytes; std::size_t packets; };

double score_of(const Events& events, const Bucket& bucket) { return kt_score(count_classes(events, bucket)); }

/// Depths that tell the losses nearly as well.
void measure_depth(const Events& events, const Bucket& bucket, BucketRate& to) {
  constexpr double nearly = 3, step = 1.12, most = 3;   // nats; of a step; of the range that is told
  constexpr int most_steps = 18;
  const double best = score_of(events, bucket);
  double low = bucket.depth, high = bucket.depth;
  for (int k = 0; k < most_steps && low / step >= events.largest && score_of(events, {bucket.rate, low / step}) > best - nearly; ++k) low /= step;
  for (int k = 0; k < most_steps && score_of(events, {bucket.rate, high * step}) > best - nearly; ++k) high *= step;
  if (high <= most * low) to.depth_low = low / std::sqrt(step), to.depth_high = high * std::sqrt(step);
}

}  // namespace

BucketRate measure(const Events& events, const Bucket& bucket) {
  BucketRate result;
  std::vector<Piece> pieces;              // of at least a second
  Piece piece{0, 0, 0}, all{0, 0, 0};
  double from = 0;
  bool begun = false, spoiled = false, run = false;
  walk(events, bucket, [&](std::size_t i, float z, bool full) {
    const bool first_of_run = events.lost[i] && !run;
    run = events.lost[i] != 0;
    spoiled = spoiled || (begun && full);
    if (!events.lost[i]) {
      piece.bytes += events.bytes[i], ++piece.packets;
      return;
    }
    if (z < short_of_tokens || !begun) ++result.losses;
    if (!first_of_run || (begun && z >= full_enough)) return;
    if (begun && !spoiled) {
      piece.seconds = events.time[i] - from;
      if (!result.bound.empty() && result.bound.back().end >= from) result.bound.back().end = events.time[i];
      else result.bound.push_back({from, events.time[i]});
      all.seconds += piece.seconds, all.bytes += piece.bytes, all.packets += piece.packets;
      if (piece.seconds < least_span_s || piece.packets < least_span_packets) {
        // Too short alone: it goes on to the next loss.
        if (!pieces.empty() && (pieces.back().seconds < least_span_s || pieces.back().packets < least_span_packets)) {
          pieces.back().seconds += piece.seconds, pieces.back().bytes += piece.bytes, pieces.back().packets += piece.packets;
        } else {
          pieces.push_back(piece);
        }
      } else {
        pieces.push_back(piece);
      }
    } else if (!pieces.empty() && (pieces.back().seconds < least_span_s || pieces.back().packets < least_span_packets)) {
      pieces.pop_back();
    }
    begun = true, spoiled = false, from = events.time[i], piece = {0, 0, 0};
  });
  std::vector<double> rates;
  for (const auto& p : pieces)
    if (p.seconds >= least_span_s && p.packets >= least_span_packets) rates.push_back(p.bytes / p.seconds);
  constexpr double agree = 0.02, certain = 0.001, search_error = 0.01;
  if (rates.size() >= least_spans) {
    result.rate = median(rates);
    const double spread = quantile(rates, 0.75) - quantile(rates, 0.25), error = 1.5 * spread / std::sqrt(static_cast<double>(rates.size()));
    // All of them together are known to a packet at their ends; the median stands against the few that hold something else.
    if (all.seconds > 0 && std::abs(all.bytes / all.seconds / result.rate - 1) < agree) result.rate = all.bytes / all.seconds;
    const double half = std::max(certain * result.rate, error);
    result.low = result.rate - half, result.high = result.rate + half;
  } else {
    result.rate = bucket.rate;
    result.low = bucket.rate * (1 - search_error), result.high = bucket.rate * (1 + search_error);
  }
  measure_depth(events, bucket, result);
  return result;
}

}  // namespace callwitness::metrics::models
