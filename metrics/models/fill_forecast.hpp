// The bucket's fill as a distribution, carried on from packet to packet: with which probability the next one is lost.
// docs/methods/limits.md
#pragma once

#include "metrics/models/token_filter.hpp"

#include <vector>

namespace callwitness::metrics::models {

/// By event: P(lost), before it is known.
std::vector<double> forecast_losses(const Events& events, const Bucket& bucket);

}  // namespace callwitness::metrics::models
