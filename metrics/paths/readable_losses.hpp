// Whether what is missing of a stream would show at all. Where it wouldn't, a call is not clean but unread.
#pragma once

#include "metrics/fits/arm.hpp"

#include <span>

namespace callwitness::metrics {

enum class LossReading : std::uint8_t {
  unread,
  by_number,      ///< its packets are numbered
  by_beat,        ///< it keeps a beat without pauses: each empty place shows
  by_own_count    ///< it keeps none, but as many packets come as our end sends with the same codec: no more than a few can be missing
};

struct ReadableLosses {
  LossReading reading = LossReading::unread;
  double smallest = 1;            ///< share of the packets that would show; 1: none
};

/// `arms`: all of the capture; the other way of the same flow is looked up there.
ReadableLosses readable_losses(const Arm& arm, std::span<const Arm> arms);

}  // namespace callwitness::metrics
