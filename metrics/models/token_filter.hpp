// Token bucket (RFC 2697's single rate): how many tokens each packet found, and how well that tells which were lost.
// docs/methods/limits.md
#pragma once

#include "metrics/models/events.hpp"

#include <algorithm>
#include <array>

namespace callwitness::metrics::models {

struct Bucket {
  double rate = 0;                 ///< IP bytes a second
  double depth = 0;                ///< bytes
};

/// Classes of z, the tokens left over a packet's size once it is paid for; the last: not known, before the first loss.
/// None lies lower: there z tells only how long ago the last packet was, and where losses were put back decides that.
inline constexpr std::array class_bounds = {-0.1F, 0.1F, 0.3F, 0.6F, 1.0F, 1.5F, 2.5F, 4.0F};
inline constexpr std::size_t known_classes = class_bounds.size() + 1, classes = known_classes + 1;
inline constexpr float short_of_tokens = 0.6F;   ///< a loss at less is the bucket's
inline constexpr float full_enough = 1.5F;       ///< a loss at more is not, or the rate is wrong
inline constexpr float unknown_tokens = 1e9F;

std::size_t class_of(float z);

struct ClassCounts { std::array<double, classes> seen{}, lost{}; };

/// Krichevsky and Trofimov's sequential forecasts of lost or not within each class: log likelihood, nats. Unknown ones count not.
double kt_score(const ClassCounts& counts);
/// The same of one class: `lost` of `seen`.
double kt_score(double lost, double seen);

/// Tokens as a filter: losses say what it held. `use(i, z, overflowed)` for each packet, `overflowed`: full since the last loss.
template <class Use>
void walk(const Events& events, const Bucket& bucket, Use use) {
  const float rate = static_cast<float>(bucket.rate), depth = static_cast<float>(bucket.depth);
  constexpr float drift = 0.3F;    // of an excess at a loss that can't be the bucket's: a rate a little too high must not run away
  float tokens = depth;
  bool known = false, run = false, full = true;
  const std::size_t n = events.size();
  for (std::size_t i = 0; i < n; ++i) {
    const float bytes = events.bytes[i];
    tokens += rate * events.gap[i];
    if (tokens >= depth) tokens = depth, full = true;
    const float z = (tokens - bytes) * events.inverse[i];
    use(i, known ? z : unknown_tokens, full);
    if (events.lost[i]) {
      if (!run) {
        if (!known || z < full_enough) tokens = std::min(tokens, bytes), full = false;
        else tokens -= drift * std::max(0.0F, tokens - bytes);
      }
      known = run = true;
    } else {
      run = false;
      tokens = std::max(0.0F, tokens - bytes);
    }
  }
}

ClassCounts count_classes(const Events& events, const Bucket& bucket);

}  // namespace callwitness::metrics::models
