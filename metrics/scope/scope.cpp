#include "metrics/scope/scope.hpp"

#include "metrics/contrast_bounds.hpp"
#include "metrics/finding_support.hpp"
#include "metrics/scope/controls.hpp"

#include <algorithm>
#include <limits>

namespace callwitness::metrics {
namespace {

/// The arm that a finding speaks of: of its first flow, of its streams alone where it names a part.
const Arm* arm_of(std::span<const Arm> arms, const Finding& finding) {
  const Arm* found = nullptr;
  for (const auto& arm : arms) {
    if (finding.flows.empty() || arm.flow != finding.flows.front()) continue;
    if (finding.direction && arm.direction != *finding.direction) continue;
    if (found == nullptr || (!arm.whole_flow && arm.streams == finding.streams)) found = &arm;
  }
  return found;
}

/// The narrowest group that the finding's streams make up, where others are spared.
ScopeClass narrow_scope(const Observation& observation, std::span<const Arm> arms, const Finding& finding) {
  const Arm* arm = arm_of(arms, finding);
  if (arm != nullptr && !arm->whole_flow) return ScopeClass::stream;
  std::size_t calls = 0;
  for (const auto& call : observation.classification->calls) calls += call.label.application == finding.application ? 1 : 0;
  return finding.calls.size() > 1 && finding.calls.size() >= calls ? ScopeClass::application : ScopeClass::call;
}

/// From when to when, seconds.
Stretch span_of(const Observation& observation, const Finding& finding) {
  return {capture::seconds(finding.start_time - observation.first_time), capture::seconds(finding.end_time - observation.first_time)};
}

/// Others were there, but over another address of ours: another interface, whose plan and line say nothing of this one's.
bool others_go_another_way(const Observation& observation, const Arm& arm, const Stretch& span) {
  const auto* own = find_flow(observation, arm.flow);
  const auto& local = observation.classification->vantage.local;
  return own != nullptr && std::any_of(observation.flows.begin(), observation.flows.end(), [&](const FlowObservation& flow) {
    const auto& address = local_address(flow);
    if (same_party(flow, *own) || address == local_address(*own) || std::find(local.begin(), local.end(), address) == local.end()) return false;
    const double from = capture::seconds(flow.flow.first_time - observation.first_time), to = capture::seconds(flow.flow.last_time - observation.first_time);
    return from < span.end && to > span.begin && flow.flow.backward.packets > 2;
  });
}

/// A limit of a rate: whether others ran faster while it held, or lost nothing where it dropped.
Scope scope_of_limit(const Observation& observation, std::span<const Arm> arms, const Finding& finding) {
  const Arm* arm = arm_of(arms, finding);
  if (arm == nullptr || !finding.rate_bps) return {};
  const auto span = span_of(observation, finding);
  Contrast contrast;
  if (finding.mechanism == Mechanism::quota && !finding.limited.empty()) contrast = contrast_of_quota(observation, *arm, *finding.rate_bps, finding.limited);
  else contrast = contrast_of(observation, *arm, *finding.rate_bps, span.begin, span.end);
  if (!contrast.exceeds && finding.mechanism == Mechanism::shaper && !finding.limited.empty()) {
    const auto in_queue = contrast_in(observation, *arm, *finding.rate_bps, finding.limited);
    if (in_queue.exceeds) contrast = in_queue;
  }
  if (contrast.exceeds) return {narrow_scope(observation, arms, finding), "control_exceeded_the_cap"};
  // A fair queue spares whoever asks for less than the call: so only others that ask for little while the line plainly can do more.
  const auto quiet = losses_beside(observation, arms, *arm, span.begin, span.end, *finding.rate_bps);
  // (Of a quota only what passed while it was used up tells: a radio that is away for moments spares whoever comes between.)
  if (finding.mechanism == Mechanism::policer && quiet.peak_bps >= clear_excess * *finding.rate_bps && are_spared(quiet))
    return {narrow_scope(observation, arms, finding), "others_lost_nothing_then"};
  const auto beside = losses_beside(observation, arms, *arm, span.begin, span.end, std::numeric_limits<double>::infinity());
  if (contrast.suffers || suffer_alike(beside)) return {ScopeClass::host, "others_suffered_too"};
  if (contrast.present && !contrast.shares_nothing) return {ScopeClass::host, "others_share_the_limit"};
  if (!contrast.present && others_go_another_way(observation, *arm, span)) return {ScopeClass::unknown, "others_go_another_way"};
  return {ScopeClass::unknown, contrast.present ? "control_below_the_cap" : "no_control_traffic"};
}

Scope scope_of_losses(const Observation& observation, std::span<const Arm> arms, const Finding& finding) {
  const Arm* arm = arm_of(arms, finding);
  if (arm == nullptr || arm->source != LossSource::sequence) return {};
  const auto span = span_of(observation, finding);
  const auto beside = losses_beside(observation, arms, *arm, span.begin, span.end, std::numeric_limits<double>::infinity());
  if (are_spared(beside)) return {narrow_scope(observation, arms, finding), "others_lost_nothing_then"};
  if (suffer_alike(beside)) return {ScopeClass::host, "others_suffered_too"};
  return {ScopeClass::unknown, beside.controls.seen > 0 ? "others_tell_little" : "no_control_traffic"};
}

/// Deaths and silences: whether others lived through them.
Scope scope_of_deaths(const Observation& observation, std::span<const Arm> arms, const Finding& finding) {
  if (finding.number("others_dead") > 0) return {ScopeClass::everything, "others_died_too"};
  if (finding.number("others_alive") > 0) return {narrow_scope(observation, arms, finding), "others_stayed_alive"};
  return {ScopeClass::unknown, "no_control_traffic"};
}

Scope scope_of(const Observation& observation, std::span<const Arm> arms, const Finding& finding) {
  switch (finding.kind) {
    case FindingKind::rate_cap: return scope_of_limit(observation, arms, finding);
    case FindingKind::loss: case FindingKind::selective_loss: case FindingKind::differential: return scope_of_losses(observation, arms, finding);
    case FindingKind::dies_after: case FindingKind::one_way: case FindingKind::periodic_reset: case FindingKind::outage: case FindingKind::freeze:
      return scope_of_deaths(observation, arms, finding);
    case FindingKind::blocking:
      if (finding.mechanism == Mechanism::closed_network) return {ScopeClass::host, "network_answers_nothing"};
      if (finding.number("other_flows_answered") > 0) return {ScopeClass::application, "others_were_answered"};
      return {ScopeClass::unknown, "no_control_traffic"};
    case FindingKind::injected_reset: return {ScopeClass::call, "named_by_its_packets"};
    case FindingKind::delay_step:
      if (finding.number("control_flat") > 0) return {ScopeClass::call, "others_stayed_flat"};
      return {ScopeClass::unknown, "no_control_traffic"};
    case FindingKind::jitter: case FindingKind::benign_timer: case FindingKind::capture_loss: return {};
  }
  return {};
}

void set_alternative(Finding& finding, std::string_view key, AlternativeStatus status, std::string_view reason) {
  const auto found = std::find_if(finding.alternatives.begin(), finding.alternatives.end(), [&](const Alternative& other) { return other.key == key; });
  if (found == finding.alternatives.end()) finding.alternatives.push_back({key, status, reason, {}});
  else found->status = status, found->reason = reason;
}

/// What the scope says of the innocent explanations that take from everybody: the plan's own limit, the line.
void tell_alternatives(Finding& finding) {
  using enum AlternativeStatus;
  const bool limits = finding.kind == FindingKind::rate_cap;
  if (!limits && finding.kind != FindingKind::selective_loss) return;
  const bool unknown = finding.scope.scope_class == ScopeClass::unknown, shared = finding.scope.scope_class >= ScopeClass::host;
  const auto status = shared ? not_ruled_out : !unknown ? ruled_out : finding.scope.reason == "no_control_traffic" ? untestable : not_ruled_out;
  if (limits) set_alternative(finding, "plan_cap", status, finding.scope.reason);
  set_alternative(finding, "congestion", status, finding.scope.reason);
}

}  // namespace

void tell_scopes(const Observation& observation, std::span<const Arm> arms, std::vector<Finding>& findings) {
  for (auto& finding : findings) {
    if (finding.scope.scope_class == ScopeClass::unknown && finding.scope.reason.empty()) finding.scope = scope_of(observation, arms, finding);
    if (!finding.scope.reason.empty()) tell_alternatives(finding);
  }
}

}  // namespace callwitness::metrics
