// Stage 2: to whom. Who shared what a finding tells, from the other traffic of the same local host, over the same address and so
// the same interface, in the same seconds. Reads the findings of stage 1 and never changes what they say. docs/methods/scope.md
#pragma once

#include "metrics/finding.hpp"
#include "metrics/fits/arm.hpp"

#include <span>
#include <vector>

namespace callwitness::metrics {

/// Fills every finding's scope.
void tell_scopes(const Observation& observation, std::span<const Arm> arms, std::vector<Finding>& findings);

}  // namespace callwitness::metrics
