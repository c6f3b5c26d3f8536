// What the detectors share when they write a finding down.
#pragma once

#include "metrics/contrast.hpp"
#include "metrics/detector.hpp"

namespace callwitness::metrics {

/// A finding about an arm from `start` to `end` (seconds): names, calls, streams, flows and times filled in.
Finding finding_of(const DetectorInput& input, const Arm& arm, FindingKind kind, Mechanism mechanism, double start, double end);

/// What a rate limit leaves open by itself; whether it is the plan's or the line's tells its scope. `not_radio`: why it is no Wi-Fi.
std::vector<Alternative> alternatives_of_cap(bool queue_excluded, bool capture_whole = true, std::string_view not_radio = "losses_follow_a_fixed_rate");

Time time_at(const Observation& observation, double seconds);
/// The application of a call, or of the flow where it belongs to none; empty: unknown.
std::string_view application_of(const Observation& observation, const FlowObservation& flow);
/// Puts `finding` into `findings`, or widens the one of the same kind, application, direction and rate (within 5 %).
void merge_cap(std::vector<Finding>& findings, Finding finding);
/// The direction of an arm as far as it is known: where our end isn't, the way that loses while the other loses nothing
/// is the received one, for what is sent is captured before the network can drop it.
std::optional<Direction> direction_of(const Observation& observation, const Arm& arm);
/// Our end's packets have passed a router before the capture, as their time to live tells: what is missing of them may be lost on
/// the way to it.
bool captured_behind_a_router(const FlowObservation& flow);
/// True when what an arm shows can be the network's: losses of our own sent packets are the capture's, if it was made there.
bool can_show_losses(const Observation& observation, const Arm& arm);

/// Packets of the arm's streams overtook one another: they came by two ways at once, and no one queue or bucket limits them.
bool came_by_two_ways(const Observation& observation, const Arm& arm);

/// 95th percentile of the audio delay of the arm's streams, ms; 0: unknown.
double delay_of(const Observation& observation, const Arm& arm);

/// The capture itself missed packets of the order of `loss_ratio`: then losses accuse nobody.
bool capture_may_explain(std::span<const Finding> earlier, double loss_ratio);

}  // namespace callwitness::metrics
