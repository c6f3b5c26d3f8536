// A queue that a sender fills only now and then, as one that adapts its rate does: while it stands, what leaves it leaves at
// its rate. Pure functions. The rules and why: docs/methods/shaper.md.
#pragma once

#include "metrics/fits/arm.hpp"

#include <optional>
#include <span>
#include <vector>

namespace callwitness::metrics {

/// A voice packet whose timestamp tells how long it was on its way.
struct ClockedPacket {
  double arrival = 0, media = 0;           ///< seconds; media: since the stream's first
  double delay_ms = 0;                     ///< above the least, the clocks' skew removed
  std::uint32_t ordinal = 0;
};

/// Those of the arm's busiest voice stream that has a clock, by arrival; empty: none has, or nothing is beside it, for a voice
/// alone doesn't adapt.
std::vector<ClockedPacket> clocked_packets(const Observation& observation, const FlowObservation& flow, const Arm& arm);

struct BusyFit {
  double rate_bps = 0, rate_low = 0, rate_high = 0;
  std::vector<Stretch> periods;            ///< in which the queue stood
  std::vector<Stretch> drained;            ///< the parts of them in which it drained at rate_bps
  double busy_s = 0;                       ///< all periods together
  double at_rate = 0;                      ///< share of busy_s in pieces that drain at rate_bps
  double drained_cv = 0, sent_cv = 0;      ///< variation of the pieces' rates as they came and as they were sent
  double longest_delay_ms = 0;
  double beyond = 0;                       ///< share of all windows of 2 s in which clearly more passed
  bool mechanism = false;
};

/// `packets`: all of the flow in that direction, in time order.
std::optional<BusyFit> fit_busy_periods(std::span<const ArmPacket> packets, std::span<const ClockedPacket> clocked);

}  // namespace callwitness::metrics
