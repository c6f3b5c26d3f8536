// From arms to paths: both clocks of each packet, its stream, and whether its loss would show.
#pragma once

#include "metrics/fits/arm.hpp"
#include "metrics/models/path.hpp"

#include <span>

namespace callwitness::metrics {

/// The path of one arm, losses in silences included. Empty where its numbers don't tell losses.
models::Path path_of(const Observation& observation, const Arm& arm);

/// Several paths as one, as where they share a bucket. `streams` of different paths stay apart.
models::Path joined(std::span<const models::Path* const> paths);

}  // namespace callwitness::metrics
