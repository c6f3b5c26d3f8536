// A detector reads the observation and answers with findings; "inconclusive" is no finding and a reason.
// Adding one is a file in metrics/detectors/ that defines `std::vector<Finding> NAME(const DetectorInput&)` and a line
// DETECTOR(NAME) in metrics/detectors.def. Detectors never include each other; a later one sees earlier findings.
#pragma once

#include "metrics/analysis.hpp"
#include "metrics/fits/arm.hpp"
#include "metrics/events/call_outcome.hpp"
#include "metrics/events/interruptions.hpp"

#include <span>

namespace callwitness::metrics {

struct DetectorInput {
  const Observation& observation;
  std::span<const StreamMeasures> measures;    ///< by StreamId
  std::span<const Arm> arms;                   ///< packets with their losses, by flow and direction
  std::span<const Interruption> interruptions; ///< silences and resets of calls, by time
  std::span<const CallOutcome> outcomes;       ///< by CallId
  std::span<const Finding> earlier;            ///< of the detectors before this one in detectors.def
};

/// Runs all of detectors.def in order, gates first.
std::vector<Finding> detect(const Observation& observation, std::span<const StreamMeasures> measures, std::span<const Arm> arms,
                            std::span<const Interruption> interruptions, std::span<const CallOutcome> outcomes);

/// The only places where verdicts are made: of each call, in order, and of the capture. The findings know their scope.
std::vector<CallVerdict> judge_calls(const Observation& observation, std::span<const StreamMeasures> measures, std::span<const Arm> arms, std::span<const Finding> findings);
Verdict judge(const Observation& observation, std::span<const StreamMeasures> measures, std::span<const Arm> arms, std::span<const Finding> findings,
              std::span<const CallVerdict> calls);

}  // namespace callwitness::metrics
