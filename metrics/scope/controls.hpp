// What can be compared with a call: other traffic of the same local host in the same seconds, and how it fared.
#pragma once

#include "metrics/contrast.hpp"

#include <span>

namespace callwitness::metrics {

/// Packets that were due in some seconds, and those of them that were lost.
struct Tally { double seen = 0, lost = 0; double ratio() const { return seen > 0 ? lost / seen : 0; } };

/// How a call and the controls beside it fared, of one direction.
struct LossesBeside {
  Tally call, controls;              ///< in the seconds in which both were there
  Tally call_losing, controls_losing;///< of them, those in which the call lost something
  double peak_bps = 0;               ///< the best second of controls and call together, those left out too
};

/// `arm`'s losses beside those of numbered calls and TCP connections that are its controls, from `from` to `to` (seconds). Seconds in which the
/// controls received more than `most_bps` are left out.
LossesBeside losses_beside(const Observation& observation, std::span<const Arm> arms, const Arm& arm, double from, double to, double most_bps);

/// The controls lost so much less than the call that chance and size can't be why.
bool are_spared(const LossesBeside& beside);
/// They lost about as much.
bool suffer_alike(const LossesBeside& beside);

}  // namespace callwitness::metrics
