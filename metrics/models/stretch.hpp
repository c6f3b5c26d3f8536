// The part of a path that one bucket holds, where it doesn't hold all of it: caps that begin, end, step, come and go.
// docs/methods/limits.md
#pragma once

#include "metrics/models/bucket_search.hpp"

namespace callwitness::metrics::models {

struct Stretch {
  std::size_t first = 0, last = 0;   ///< events, both losses that the bucket tells
  BucketFit bucket;
  double gain = 0;                   ///< nats over a two-state chain, in it
};

/// The stretch in which this bucket tells losses better than a chain does: the largest sum of a run of packets (Kadane).
Stretch held_by(const Events& events, const BucketFit& bucket, const std::vector<double>& chain);

/// The best of all that begin from windows of 10, 25 and 60 s. Gain 0: none.
Stretch best_stretch(const Events& events, const std::vector<double>& chain);

}  // namespace callwitness::metrics::models
