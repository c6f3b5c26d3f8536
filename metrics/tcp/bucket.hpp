// Fit of a policer's token bucket to TCP: the rate between losses, where the bucket is empty at both ends, and the depth
// at which it stops filling while a sender pauses. Pure functions. Rules and reasons: docs/methods/tcp_policer.md
#pragma once

#include "metrics/tcp/losses.hpp"

#include <optional>
#include <span>
#include <vector>

namespace callwitness::metrics {

struct TcpBucket {
  double rate = 0, rate_low = 0, rate_high = 0;   ///< IP bytes a second
  double depth = 0;                ///< bytes
  bool depth_told = false;         ///< some intervals filled it; else it is only at least this deep
  double tolerance = 0;            ///< bytes that timing between the capture and the bucket may shift
  std::size_t first = 0, last = 0; ///< the packets of the first and the last loss
  std::size_t intervals = 0;       ///< between losses
  std::size_t steady = 0;          ///< of them, those that end with an empty bucket that never was full
  std::size_t filled = 0;          ///< and those that end with an empty one that was
  double duration_spread = 0, rate_spread = 0;   ///< IQR/median over the steady ones
  double explained() const { return static_cast<double>(steady + filled) / static_cast<double>(intervals); }
};

/// Packets by time, of all connections that may share the bucket. Nothing where too little was lost to fit one.
/// `scale`: short intervals tell the rate more roughly, and are for transfers that hold few long ones.
enum class IntervalScale : std::uint8_t { long_ones, short_ones };
std::optional<TcpBucket> fit_tcp_bucket(std::span<const TcpPacket> packets, double packet_bytes, IntervalScale scale = IntervalScale::long_ones);

/// The packets once more, with the bucket as fitted; at each loss it is taken to be empty, so that errors don't add up.
struct BucketReplay {
  double losses = 0, packets = 0;
  double when_full = 0;            ///< loss ratio with tokens in the bucket over the whole's: a policer can't drop then
  double expected_when_full = 0;   ///< losses that chance would have put there
  double precision = 0;            ///< share lost of those that found less than their size
  std::optional<double> queue;     ///< how delay follows the fill: 0 not at all, 1 as a queue's; empty: can't be told
};
BucketReplay replay(const TcpBucket& bucket, std::span<const TcpPacket> packets, double packet_bytes);

/// True when the rules for a policer hold.
bool is_policer(const TcpBucket& bucket, const BucketReplay& replay, Viewpoint viewpoint);

}  // namespace callwitness::metrics
