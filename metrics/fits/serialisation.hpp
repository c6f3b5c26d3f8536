// Fit of a serialising queue (shaper, slow line) to an arm: gaps that grow with packets' sizes. Pure functions. docs/methods/shaper.md
#pragma once

#include "metrics/fits/arm.hpp"

#include <optional>
#include <span>

namespace callwitness::metrics {

struct ShaperFit {
  double rate_bps = 0, rate_low = 0, rate_high = 0;
  double start = 0, end = 0;
  std::size_t saturated = 0, windows = 0;  ///< of 2 s
  double plateau_cv = 0;
  double slope = 0, correlation = 0;       ///< of gaps over the serialisation time, within saturated windows
  double off_grid = 0;                     ///< distance of the usual gap from any codec's packet time, relative
  bool mechanism = false;
};

std::optional<ShaperFit> fit_shaper(std::span<const ArmPacket> packets, const PacketTimes& times);

}  // namespace callwitness::metrics
