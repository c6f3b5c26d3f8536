// Whether a token bucket tells which packets were lost better than everything innocent together. docs/methods/limits.md
#pragma once

#include "metrics/models/bucket_search.hpp"
#include "metrics/models/innocent.hpp"

namespace callwitness::metrics::models {

struct LossCause {
  BucketFit bucket;
  Clock clock = Clock::arrival;    ///< by which the bucket tells them best
  std::size_t losses = 0, packets = 0;       ///< numbered ones that were weighed
  double margin = 0;               ///< M, nats: the bucket's likelihood over the innocents'
  double gain = 0;                 ///< D, nats: what the bucket adds to the innocents, less 3.5 ln n for its parameters
  double share = 0;                ///< of what the innocents leave unexplained, explained by adding the bucket
  double lost_if_short = 0;        ///< share lost of those that found less than nine tenths of their size
  double innocent = 0;             ///< log likelihood of the innocents alone, nats
};

inline constexpr double least_margin = 20, least_gain = 30, least_share = 0.1;

/// Where the bucket explains half of what nothing else does, few losses suffice.
inline constexpr double least_gain_if_half = 20, half_share = 0.5;

/// Who finds too few tokens is lost: else more passes than a bucket of that rate could let pass.
inline constexpr double least_lost_if_short = 0.4;

inline bool is_limited(const LossCause& cause) {
  if (cause.lost_if_short < least_lost_if_short) return false;
  if (cause.margin < least_margin || cause.share < least_share) return false;
  return cause.gain >= (cause.share >= half_share ? least_gain_if_half : least_gain);
}

/// `packets`: part of a path, thousands at most. `known`: a bucket to begin at, instead of a search.
LossCause weigh_losses(std::span<const PathPacket> packets, const BucketFit* known = nullptr);

}  // namespace callwitness::metrics::models
