#include "metrics/models/bucket_rate.hpp"

#include "metrics/statistics.hpp"

#include <cmath>

namespace callwitness::metrics::models {
namespace {

constexpr double least_piece_s = 1;
constexpr std::size_t least_piece_packets = 20, least_pieces = 3;
constexpr double leeway_packets = 1.5;           ///< a bucket is not quite empty at a loss: two ends
constexpr double leeway_share = 0.01;
constexpr double most_above = 1.03;              ///< the search's rate: it may be much too high where the depth is arbitrary, never much too low
constexpr double shallow_packets = 4, nearly_always = 0.7;
constexpr double own_share = 0.1;                ///< of the time at least, in which the search's rate held
constexpr double upper_share = 0.3;              ///< of the time at least, in which the rate held

/// From one loss of the bucket's to a later one, where it was empty both times. If it was never full in between, what passed is
/// the rate; if it was, less.
struct Piece {
  double from = 0, to = 0, bytes = 0;
  std::size_t packets = 0;
  double seconds() const { return to - from; }
};

struct Losses { std::vector<std::size_t> at; std::size_t all = 0; };

/// The first of each run of losses that found too few tokens.
Losses losses_of(const Events& events, const Bucket& bucket) {
  Losses losses;
  bool run = false;
  walk(events, bucket, [&](std::size_t i, float z, bool) {
    const bool first = events.lost[i] && !run;
    run = events.lost[i] != 0;
    const bool its = z < full_enough || z >= unknown_tokens;   // nothing is known of the very first
    if (run && its) ++losses.all;
    if (first && its) losses.at.push_back(i);
  });
  return losses;
}

/// `least_s`, `least_packets`: shorter ones go on to the next loss.
std::vector<Piece> pieces_of(const Events& events, const std::vector<std::size_t>& losses, double least_s, std::size_t least_packets) {
  std::vector<Piece> pieces;
  Piece piece;
  for (std::size_t k = 0; k + 1 < losses.size(); ++k) {
    if (piece.packets == 0 && piece.to == piece.from) piece.from = events.time[losses[k]];
    for (std::size_t i = losses[k]; i < losses[k + 1]; ++i)
      if (!events.lost[i]) piece.bytes += events.bytes[i], ++piece.packets;
    piece.to = events.time[losses[k + 1]];
    if (piece.seconds() < least_s || piece.packets < least_packets) continue;
    pieces.push_back(piece);
    piece = {};
    piece.from = piece.to = 0;
  }
  return pieces;
}

bool held(const Piece& piece, double rate, double packet) {
  return std::abs(piece.bytes - rate * piece.seconds()) <= std::max(leeway_packets * packet, leeway_share * rate * piece.seconds());
}

struct Held { double rate = 0, seconds = 0; };

/// The rate of the pieces near `rate`, all together: known to a packet at its ends.
Held settle(const std::vector<Piece>& pieces, double rate, double packet) {
  Held result{rate, 0};
  for (int again = 0; again < 4; ++again) {
    double bytes = 0, seconds = 0;
    for (const auto& piece : pieces)
      if (held(piece, result.rate, packet)) bytes += piece.bytes, seconds += piece.seconds();
    if (seconds <= 0) return {};
    result = {bytes / seconds, seconds};
  }
  return result;
}

/// The rate tells the losses about as well as the search's own, with some depth.
bool explains(const Events& events, const Bucket& bucket, double rate) {
  constexpr double nearly = 0.9;   // of the nats over chance
  const auto own = count_classes(events, bucket);
  double lost = 0, seen = 0, best = -1e300;
  for (std::size_t c = 0; c < known_classes; ++c) lost += own.lost[c], seen += own.seen[c];
  const double chance = kt_score(lost, seen);
  for (const double deeper : {1.0, 1.2, 1.5, 2.5, 5.0, 12.0}) best = std::max(best, kt_score(count_classes(events, {rate, deeper * bucket.depth})));
  return best - chance >= nearly * (kt_score(own) - chance);
}

/// What a burst took beyond the rate before the loss that ended it, after the bucket had filled up: its depth.
void measure_depth(const Events& events, const std::vector<std::size_t>& losses, double rate, BucketRate& to) {
  constexpr double least_packets = 2.5, alike = 0.85, waste_packets = 3;
  constexpr std::size_t least_bursts = 3;
  std::vector<double> bursts;
  for (std::size_t k = 0; k + 1 < losses.size(); ++k) {
    double level = 0, most = 0, passed = 0;
    for (std::size_t i = losses[k] + 1; i <= losses[k + 1]; ++i) {
      level = std::max(0.0, level - rate * events.gap[i]);
      most = std::max(most, level + events.bytes[i]);
      if (!events.lost[i]) level += events.bytes[i], passed += events.bytes[i];
    }
    const double wasted = rate * (events.time[losses[k + 1]] - events.time[losses[k]]) - passed;
    if (wasted >= waste_packets * events.largest) bursts.push_back(most);
  }
  if (bursts.size() < least_bursts) return;
  const double top = quantile(bursts, 0.9);
  if (top < least_packets * events.largest) return;
  std::erase_if(bursts, [&](double burst) { return burst < alike * top; });
  if (bursts.size() < least_bursts) return;
  to.depth_low = quantile(bursts, 0.1) - events.largest, to.depth_high = quantile(bursts, 0.9);
}

}  // namespace

BucketRate measure(const Events& events, const Bucket& bucket) {
  BucketRate result;
  const auto losses = losses_of(events, bucket);
  result.losses = losses.all;
  const auto pieces = pieces_of(events, losses.at, least_piece_s, least_piece_packets);
  const double packet = events.largest;
  constexpr double certain = 0.001, search_error = 0.01;
  result.rate = bucket.rate, result.low = bucket.rate * (1 - search_error), result.high = bucket.rate * (1 + search_error);
  if (pieces.size() >= least_pieces) {
    std::vector<double> rates;
    double all_s = 0;
    for (const auto& piece : pieces) rates.push_back(piece.bytes / piece.seconds()), all_s += piece.seconds();
    // What fills up passes less: of rates that hold for long the highest is the bucket's. The search's own, where some hold it.
    Held best = settle(pieces, bucket.rate, packet);
    if (best.seconds < own_share * all_s) best = {};
    for (const double share : {0.5, 0.75, 0.9})
      if (const auto next = settle(pieces, quantile(rates, share), packet); next.seconds >= upper_share * all_s && next.rate > best.rate && (next.rate <= most_above * bucket.rate || next.seconds >= nearly_always * all_s)) best = next;
    result.between_losses = best.rate;
    // In a shallow bucket, or one that hardly fills, what passes between losses is all there is to go by: the search's rate and
    // depth make up for each other.
    const bool shallow = bucket.depth < shallow_packets * packet || best.seconds >= nearly_always * all_s;
    if (best.rate > 0 && (shallow || explains(events, bucket, best.rate))) {
      result.rate = best.rate;
      const double half = std::max(certain * best.rate, packet / best.seconds + leeway_share * best.rate / std::sqrt(static_cast<double>(pieces.size())));
      result.low = best.rate - half, result.high = best.rate + half;
    }
  }
  // A bound span ends where the bucket filled up.
  for (const auto& piece : pieces_of(events, losses.at, 0, 0)) {
    if (piece.bytes < result.rate * piece.seconds() - std::max(leeway_packets * packet, 2 * leeway_share * result.rate * piece.seconds())) continue;
    if (!result.bound.empty() && result.bound.back().end >= piece.from) result.bound.back().end = piece.to;
    else result.bound.push_back({piece.from, piece.to});
  }
  measure_depth(events, losses.at, result.rate, result);
  return result;
}

}  // namespace callwitness::metrics::models
