// A rate limit read from arrivals alone: at its rate the level of a leaky bucket piles up under a ceiling, its depth.
// Pure functions; deterministic. docs/methods/ceilings.md
#pragma once

#include "metrics/models/leaky_bucket.hpp"

#include <cstdint>
#include <optional>

namespace callwitness::metrics::models {

/// The sign test's likelihood ratio (Chernoff's bound, log10): of blocks whose highest level lies within `width` below the ceiling or
/// within as much below that or above it, an innocent tail has fewer in the upper part: it thins towards its maximum.
/// log10 LR = n [ln 2 + p ln p + (1 - p) ln (1 - p)] / ln 10 for p > 1/2, else 0.
struct Pile { double depth = 0, sign = 0; };
double sign_ratio(double within, double without);
/// The ceiling that piles up most, of those at least three widths high. `levels` is sorted in place.
Pile best_pile(std::vector<double>& levels, double width);

struct Ceiling {
  double rate = 0, rate_low = 0, rate_high = 0;   ///< IP bytes a second; the interval: where the pile is at most ten times less likely
  double depth = 0;                ///< bytes
  bool depth_told = true;          ///< false: it is reached all the time, and may have begun in mid-call with more passing before
  std::size_t fills = 0;           ///< times that it was reached from empty
  double width = 0;                ///< of the pile, bytes: 1 packet, or 2.5 where jitter behind the bucket moves levels
  double sign = 0;                 ///< log10 likelihood ratio of the pile
  double shuffled = 0;             ///< the largest that the same arrivals reach with their gaps shuffled
  double linked = 0;               ///< share of the time between touches without an empty bucket
  double from = 0, level = 0;      ///< where levels are counted from: seconds, and bytes there
  double at_once = 0;              ///< share of the touches that one burst makes
  double stops = 0;                ///< share of the touches after which nothing came for longer than a bucket needs for the next packet
  double begin = 0, end = 0;       ///< seconds: since when and until when it bound
  std::size_t touches = 0;         ///< blocks that reached it
  double distinct() const { return sign - shuffled; }
};

/// The pile of a window at its best rate, without a look at shuffled arrivals. `is_part`: what came before may have filled the bucket,
/// so that its depth can't be told unless it ran empty meanwhile.
std::optional<Ceiling> highest_pile(std::span<const Arrival> arrivals, bool is_part = false);
/// Groups of arrivals less than 5 ms apart, each with the gap after it, in another order.
std::vector<Arrival> shuffled(std::span<const Arrival> arrivals, std::uint64_t seed);
/// Since when and until when a ceiling held: the stretch of blocks with the largest sum, where those that reach it speak for it and
/// those that pass above it against it.
void find_span(std::span<const Arrival> arrivals, Ceiling& ceiling);
/// All ceilings, in order of time, that stand out from shuffled arrivals and whose touches are linked. Looks at the whole and at
/// parts of it; bounded: of long captures at some windows.
/// `is_part`: more passed before the first arrival.
std::vector<Ceiling> find_ceilings(std::span<const Arrival> arrivals, bool is_part = false);

/// When it was reached, in order: touches at most 1 s apart.
struct Held { double begin = 0, end = 0; };
std::vector<Held> held_by(std::span<const Arrival> arrivals, const Ceiling& ceiling);

/// How a limit lets go what it passes, where its ceiling is reached.
struct Release {
  double on_beat = 0;    ///< 0-1: how well arrivals keep the phase of the sender's beat, where that is known
  double at_level = 0;   ///< share of levels within a fifth of a packet of the highest around: a queue releases a packet as soon as it fits
  std::size_t packets = 0;
};
/// `beat`: seconds between the packets of the same codec at our end; 0: unknown.
Release release_of(std::span<const Arrival> arrivals, const Ceiling& ceiling, double beat = 0);

}  // namespace callwitness::metrics::models
