// A policer's rate and depth, once a bucket is known to tell its losses: the search's own are a little low, and arbitrary at
// depths of a packet. docs/methods/limits.md
#pragma once

#include "metrics/models/token_filter.hpp"

namespace callwitness::metrics::models {

struct BucketRate {
  double rate = 0, low = 0, high = 0;        ///< IP bytes a second
  double between_losses = 0;                 ///< what passed between them, whether or not a bucket of that rate tells them; 0: too few
  double depth_low = 0, depth_high = 0;      ///< bytes; 0 and 0: not told, for it was never full
  std::vector<Span> bound;                   ///< from loss to loss, where it never filled up in between: what passed is the rate
  std::size_t losses = 0;                    ///< that found too few tokens
};

BucketRate measure(const Events& events, const Bucket& bucket);

}  // namespace callwitness::metrics::models
