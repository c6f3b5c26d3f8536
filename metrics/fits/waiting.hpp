// What packets waited for on the way, by their sender's clock (at_sending_times) and their arrivals. Pure functions.
#pragma once

#include "metrics/fits/arm.hpp"

#include <span>

namespace callwitness::metrics {

/// Packets before a loss came later than others, by `least_s` and a good part of the time that a packet takes at that rate: a
/// queue is full when it drops. With `least_s` also where waits spread that far and half of those before losses are among the longest
/// quarter: a queue that hardly empties is at its fullest then.
bool waited_before_losses(std::span<const ArmPacket> arrived, std::span<const ArmPacket> sent, double rate_bps, double least_s = 0);

/// Packets that were sent apart come in batches, and losses stand between batches more often than chance puts them there: what keeps them until the radio wakes
/// has room for so many. What drops upstream knows nothing of the batches.
bool lost_between_batches(std::span<const ArmPacket> arrived, std::span<const ArmPacket> sent);

}  // namespace callwitness::metrics
