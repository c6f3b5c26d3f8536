// When packets were sent, by their media clocks, as far as one end can tell: the time of each stream's fastest packets is
// taken for no delay at all.
#pragma once

#include "metrics/observation.hpp"

#include <vector>

namespace callwitness::metrics {

/// Seconds since the observation's start, of each packet of `flow.trace`; of packets without media time (and of the other
/// direction) their arrival. Empty: no stream of the direction has a clock.
std::vector<double> sending_times(const Observation& observation, const FlowObservation& flow, Direction direction);

}  // namespace callwitness::metrics
