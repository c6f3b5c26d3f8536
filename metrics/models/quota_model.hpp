// So many bytes in every period, and nothing more until the next. docs/methods/limits.md
#pragma once

#include "metrics/models/events.hpp"

namespace callwitness::metrics::models {

struct QuotaModel {
  double period = 0;               ///< seconds; 0: none found
  double phase = 0;                ///< seconds: a period's beginning
  double bytes = 0;                ///< let through in a period
  double score = -1e300;           ///< nats, less 1.5 ln n + 2
  double by_time = -1e300;         ///< of the same periods closed by time instead of bytes, likewise
  std::size_t used_up = 0;         ///< periods
  double rate_spread = 0;          ///< of the bytes of used-up periods: coefficient of variation
  double open_spread = 0;          ///< packets: interquartile range of how long the period stayed open, over the usual gap
  std::vector<Span> closed;        ///< from the first loss that follows the last byte to the period's end
  std::size_t losses = 0;          ///< in them
};

/// The best period, phase and bytes. By arrival.
QuotaModel fit_quota(const Events& events);

}  // namespace callwitness::metrics::models
