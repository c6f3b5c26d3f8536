// A leaky bucket over arrivals: what passed a token bucket (rate r, depth b) never lifts it above b, and lifts it to just
// below b wherever something was dropped. Pure functions.
// Source: the virtual scheduling view of RFC 2697/2698 meters and ITU-T I.371's generic cell rate algorithm, turned round.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace callwitness::metrics::models {

struct Arrival {
  double time = 0;    ///< seconds, ascending
  double bytes = 0;   ///< IP
};

/// Arrivals cut into blocks of time, for many rates.
class BlockedArrivals {
 public:
  /// Blocks of `block_seconds` with nothing in them don't exist. `level`: at the first arrival, bytes.
  BlockedArrivals(std::span<const Arrival> arrivals, double block_seconds, double level = 0);
  /// Level W_k = X_k - min over j ≤ k of (X_j - s_j), X_k = bytes up to and with k, less rate × time; its maximum in each block.
  void highest_levels(double rate, std::vector<double>& levels) const;
  std::size_t blocks() const { return ends_.size(); }
  double bytes() const { return sums_.empty() ? 0 : sums_.back(); }
  double seconds() const { return times_.empty() ? 0 : times_.back() - times_.front(); }

 private:
  double level_;
  std::vector<double> times_, sizes_, sums_;
  std::vector<std::size_t> ends_;   ///< of each block: past its last arrival
};

/// The level after each arrival, and at most `depth` before the next one: a bucket is no more than full.
/// `level`: before the first.
std::vector<double> levels_at(std::span<const Arrival> arrivals, double rate, double depth, double level = 0);

/// Of the time between touches of the ceiling (levels in (depth - width, depth]) at most `longest_s` apart, the share in which the
/// bucket never ran empty: there a bucket's rate, and no chance, leads from one to the next. 0 without two touches. `level`: at the
/// first arrival.
struct Touches {
  double linked = 0;
  std::size_t fills = 0;   ///< times that the bucket ran empty and reached the ceiling after
  double stops = 0;        ///< share of the touches after which nothing came for `pause` seconds
  double at_once = 0;      ///< share of the touches to whose level most came within one burst (less than 5 ms apart)
};
Touches touches_of(std::span<const Arrival> arrivals, double rate, double depth, double width, double pause, double level = 0);

/// Slopes of the longest edges of the concave hull over the sum of bytes, bytes per second: the rate of a limit that holds for long,
/// far more exactly than any grid. At most `most`, each of at least `least_share` of the time.
std::vector<double> hull_rates(std::span<const Arrival> arrivals, double least_share = 0.15, std::size_t most = 4);

}  // namespace callwitness::metrics::models
