// Which paths of a capture a rate limit holds: whole flows, one medium of a call, or several calls that share one bucket.
// docs/methods/limits.md
#pragma once

#include "metrics/fits/arm.hpp"
#include "metrics/models/limit.hpp"

#include <span>
#include <vector>

namespace callwitness::metrics {

struct LimitedPath {
  std::vector<const Arm*> arms;      ///< several: they share the limit
  models::Limit limit;
};

/// Of all arms whose losses their numbers tell; each limit once. In order of the arms.
std::vector<LimitedPath> limited_paths(const Observation& observation, std::span<const Arm> arms);

}  // namespace callwitness::metrics
