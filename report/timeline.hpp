// A call's measures over time, added up by direction: what the sparklines and the pictures draw.
#pragma once

#include "metrics/analysis.hpp"

#include <optional>
#include <vector>

namespace callwitness::report {

struct Timeline {
  using Values = std::vector<std::optional<double>>;
  capture::Time start;
  double seconds = 0;                 ///< whole length
  double step = 1;                    ///< seconds a bin
  Values bitrate[2], loss[2], delay[2];   ///< [Direction]: kbit/s, per cent (worst stream), ms (worst stream)
};

/// At most `bins` bins; bitrates of streams are added up and averaged over a bin, loss and delay show the worst.
Timeline timeline_of(const metrics::Analysis& analysis, const classify::Call& call, std::size_t bins);

}  // namespace callwitness::report
