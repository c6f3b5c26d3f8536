// Whether packets wait behind one another at a constant rate: a mixture over what may tell each arrival. docs/methods/limits.md
#pragma once

#include "metrics/models/path.hpp"

#include <span>

namespace callwitness::metrics::models {

struct QueueFit {
  double rate = 0;                 ///< IP bytes a second; 0: not even a start was found
  double gain = 0;                 ///< nats over the mixture without the queue, less 1.5 ln n
  std::size_t packets = 0;         ///< weighed: those that came, with a sending time
  double delay_p95 = 0;            ///< seconds above the least
  double standing = 0;             ///< share of the packets that waited in it
  double spread = 1;               ///< interquartile range over median of its rate, second by second while it stood
  std::vector<Span> bound;         ///< in which it stood
  double gain_each() const { return packets == 0 ? 0 : gain / static_cast<double>(packets); }
};

inline constexpr double least_queue_gain = 100, least_gain_each = 0.4, least_queue_delay = 0.04, least_standing = 0.3, widest_spread = 0.1;
/// Where a bucket tells the losses, the queue's rate must be the bucket's, and that much speaks for it.
inline constexpr double alike_rate = 0.05, near_rate = 0.15, least_gain_each_at_rate = 0.1, least_delay_at_rate = 0.01;

/// `rate_hint`: of a bucket that tells the losses, bytes a second; 0: none.
QueueFit fit_queue(std::span<const PathPacket> packets, double rate_hint);

/// It stands at a constant rate. `bucket_rate`: bytes a second; 0: none is known to tell the losses.
bool is_queue(const QueueFit& fit, double bucket_rate);
/// The same where packets are known to wait: then the bucket's rate, which is none, needs only be near.
bool is_queue_by_waits(const QueueFit& fit, double bucket_rate);

}  // namespace callwitness::metrics::models
