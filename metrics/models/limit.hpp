// The rate limits of a path: what kind, how much, since when and until when, and by how much likelier than anything innocent.
// docs/methods/limits.md
#pragma once

#include "metrics/models/loss_cause.hpp"
#include "metrics/models/queue.hpp"
#include "metrics/models/quota_model.hpp"

#include <optional>

namespace callwitness::metrics::models {

/// unsteady: what drops the packets lets others wait, but not at a constant rate: a shared or fading line's queue. No limit is told then.
enum class LimitKind : std::uint8_t { policer, queue, quota, unsteady };

struct Limit {
  LimitKind kind = LimitKind::policer;
  double rate = 0, rate_low = 0, rate_high = 0;      ///< IP bytes a second
  double depth_low = 0, depth_high = 0;              ///< bytes; 0 and 0: not told
  double period = 0, period_bytes = 0;               ///< of a quota: seconds, bytes
  bool or_absence = false;                           ///< of a quota: the same periods closed by time tell the losses nearly as well
  double start = 0, end = 0;                         ///< seconds: first and last loss, or wait, of it
  std::size_t losses = 0, packets = 0;               ///< numbered ones from start to end
  std::vector<Span> bound;                           ///< seconds in which the limit held back
  LossCause cause;                                   ///< of a policer's or a queue's losses
  QueueFit queue;
  QuotaModel quota;
  double nats = 0;                                   ///< log likelihood over the best innocent rival
};

/// In order of time. Empty: none, or too little was lost to tell.
std::vector<Limit> find_limits(const Path& path);

}  // namespace callwitness::metrics::models
