// Each call beside everything else that crossed the line in its minutes: descriptive, no judgement. The detectors'
// contrast asks whether a limit is the line's; this says how the call fared and how the others did.
#pragma once

#include "metrics/observation.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace callwitness::metrics {

/// One quantity of a call and of the other traffic of its minutes. Where a side has no n, nothing is known of it.
struct ControlMeasure {
  CallId call{};
  Direction direction = Direction::received;
  std::string_view metric;                    ///< loss_ratio: difference; bitrate_bps: the fastest seconds, ratio
  std::optional<double> call_value, control_value;
  std::uint64_t n_call = 0, n_control = 0;    ///< packets (loss), seconds (bitrate)
  std::optional<double> effect, effect_low, effect_high;   ///< call minus control, or control over call; 95 % interval
};

/// By call, direction, metric; only calls beside which other traffic was seen. Others: neither the call's own flows nor
/// its application nor its remote host.
std::vector<ControlMeasure> measure_control(const Observation& observation);

}  // namespace callwitness::metrics
