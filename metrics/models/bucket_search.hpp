// The token bucket that tells best which packets were lost. docs/methods/limits.md
#pragma once

#include "metrics/models/token_filter.hpp"

namespace callwitness::metrics::models {

struct BucketFit {
  Bucket bucket;
  double score = -1e300;           ///< nats, of kt_score, less ln n for the two parameters
  explicit operator bool() const { return bucket.rate > 0; }
};

/// Coarse over rates and depths, then in steps of 1, 0.3 and 0.1 %. Nothing where fewer than three packets were lost, or where
/// the coarse search stays far below `least_score`.
BucketFit find_bucket(const Events& events, double least_score = -1e300);

/// Steps from one that is known roughly, as where a stretch of a path is looked at.
BucketFit refine(const Events& events, const Bucket& bucket);

}  // namespace callwitness::metrics::models
