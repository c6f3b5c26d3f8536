// The fit of a quota to an arm: so many bytes in every period, and nothing more until the next. docs/methods/quota.md
#pragma once

#include "metrics/fits/arm.hpp"

#include <optional>
#include <span>

namespace callwitness::metrics {

struct QuotaFit {
  double period = 0;                    ///< seconds
  double bytes = 0, bytes_spread = 0;   ///< let through in a used-up period: mean, coefficient of variation
  double closed_s = 0;                  ///< mean time that a used-up period stays closed
  std::size_t used_up = 0, periods = 0; ///< periods that lost, of all between the first and the last of them
  double start = 0, end = 0;            ///< seconds
  std::size_t losses = 0;               ///< placed, while closed
  struct Closed { double from, to, bytes; };
  std::vector<Closed> closed;           ///< from where nearly everything is lost to the period's end, and what it let through
  double widest = 0;                    ///< bytes by which a period's may differ from the usual
};

/// The period and phase in which what passes is the same each time and what follows the first loss hardly passes.
std::optional<QuotaFit> fit_quota(std::span<const ArmPacket> packets);

}  // namespace callwitness::metrics
