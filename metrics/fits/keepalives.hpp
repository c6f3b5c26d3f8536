// Packets that come like clockwork beside the voice: one that was due and never came tells a dead path from a silent far end.
#pragma once

#include "metrics/observation.hpp"

namespace callwitness::metrics {

/// True when a keep-alive of the far end was due between the two times, and the clock that sent those before and after ran on
/// without it. docs/methods/cuts.md
bool keepalive_missed(const FlowObservation& flow, Time from, Time to);

}  // namespace callwitness::metrics
