// How long the packets just before losses had waited, against all others: a full queue drops, a bucket doesn't know of queues.
#pragma once

#include "metrics/models/token_filter.hpp"

namespace callwitness::metrics::models {

struct Waiting {
  double rank = 0.5;               ///< P(a packet before a loss waited longer than any other): 0.5 by chance (Mann and Whitney)
  double at_losses = 0;            ///< seconds above the least, median
  double usual = 0;                ///< likewise of the others
  std::size_t losses = 0;          ///< runs of them, after a packet with a sending time
};

/// How much later packets come for each second by which the bucket is short of full, as a queue of that rate would hold them up:
/// 1 of a queue, 0 of a bucket. Within windows of some seconds, so that clocks may drift. `value` NaN: it can't be told.
struct Slope { double value = unknown_time, error = 0; };
Slope delay_by_fill(std::span<const PathPacket> packets, const Bucket& bucket);

Waiting waiting_before_losses(std::span<const PathPacket> packets);

/// Packets wait where the bucket is short, or long before losses: whatever drops them lets others wait, so it is no policer.
bool waits(std::span<const PathPacket> packets, const Bucket& bucket);

}  // namespace callwitness::metrics::models
