// A byte quota per fixed period read from arrivals alone: windows of the period at the right phase hold the same bytes, and
// arrivals stop before a window's edge and go on after it. Pure functions. docs/methods/ceilings.md
#pragma once

#include "metrics/models/leaky_bucket.hpp"

#include <algorithm>
#include <optional>

namespace callwitness::metrics::models {

struct ArrivalQuota {
  double period = 0, phase = 0;    ///< seconds; windows begin at phase + k × period
  double bytes = 0;                ///< the quota, IP
  double half_width = 0;           ///< of it: half a packet, or what the mean of the used-up windows leaves open
  double sign = 0, other_phases = 0;   ///< log10 likelihood ratio of the pile (ceiling.hpp) at this phase, and its median over all
  double edges = 0;                ///< log10 likelihood ratio of gaps that hold an edge
  double begin = 0, end = 0;       ///< seconds: edges of the first and the last window that was used up
  std::size_t windows = 0, used_up = 0;
  double closed_share = 0;         ///< of the time between, in gaps that end at an edge
  bool by_edges_only = false;      ///< windows at other phases are as alike: constant voice, which a radio that leaves at fixed times makes too
  struct Closed { double begin = 0, end = 0; };
  std::vector<Closed> closed;      ///< from the last arrival to the edge, in order
  double distinct() const { return sign - other_phases; }
  double strength() const { return std::max(0.0, distinct()) + std::max(0.0, edges); }
};

std::optional<ArrivalQuota> find_arrival_quota(std::span<const Arrival> arrivals);

}  // namespace callwitness::metrics::models
