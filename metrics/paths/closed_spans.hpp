// What other traffic did while a path was closed: a radio that is absent stops everything, a quota on a flow doesn't.
#pragma once

#include "metrics/fits/arm.hpp"
#include "metrics/models/path.hpp"

#include <span>

namespace callwitness::metrics {

/// Others' packets kept coming in the closed spans as in as much time before them: enough of them to say so.
bool others_went_on(const Observation& observation, const Arm& arm, std::span<const models::Span> closed);

}  // namespace callwitness::metrics
