// Two-state chain of Gilbert and Elliott in continuous time: losses that come in clumps, as of radios, handovers and outages.
#pragma once

#include "metrics/models/events.hpp"

#include <vector>

namespace callwitness::metrics::models {

struct LossChain {
  double bad_share = 0.1;          ///< of the time
  double memory_s = 1;             ///< time constant with which a state is forgotten
  double lost_good = 0.01, lost_bad = 0.9;
};

/// By event: P(lost), before it is known. `log_likelihood`: nats, of the counted ones.
std::vector<double> forecast_losses(const Events& events, const LossChain& chain, double& log_likelihood);

/// The likeliest chain: a grid, then a descent along its four parameters.
LossChain fit_chain(const Events& events);

}  // namespace callwitness::metrics::models
