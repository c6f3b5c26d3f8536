// Plain facts of each call that make it impaired, where no other finding tells them already. docs/methods/loss.md
#include "metrics/detector.hpp"
#include "metrics/quality.hpp"
#include "metrics/verdict_thresholds.hpp"

#include <algorithm>

namespace callwitness::metrics {
namespace {

bool is_told(std::span<const Finding> findings, CallId call, FindingKind kind) {
  return std::any_of(findings.begin(), findings.end(), [&](const Finding& finding) {
    return (finding.kind == kind || finding.kind == FindingKind::rate_cap) && std::find(finding.calls.begin(), finding.calls.end(), call) != finding.calls.end();
  });
}

Finding finding_for(const classify::Call& call, FindingKind kind) {
  Finding finding;
  finding.kind = kind;
  finding.application = call.label.application;
  finding.direction = Direction::received;
  finding.calls = {call.id};
  finding.streams = call.streams;
  finding.flows = call.flows;
  finding.start_time = call.start_time;
  finding.end_time = call.end_time;
  finding.confidence = 0.9;
  return finding;
}

bool is_silence_told(std::span<const Finding> findings, CallId call) {
  return std::any_of(findings.begin(), findings.end(), [&](const Finding& finding) {
    using enum FindingKind;
    const bool tells = finding.kind == one_way || finding.kind == outage || finding.kind == dies_after || finding.kind == periodic_reset || finding.kind == freeze || finding.kind == blocking || finding.kind == injected_reset;
    return tells && std::find(finding.calls.begin(), finding.calls.end(), call) != finding.calls.end();
  });
}

/// Our end heard nothing, or no longer.
Finding unheard(const classify::Call& call, const CallOutcome& outcome) {
  auto finding = finding_for(call, FindingKind::outage);
  finding.mechanism = Mechanism::silence;
  finding.count = 1;
  finding.numbers = {{"longest_s", outcome.silent_s}};
  if (outcome.after_s) finding.numbers["after_s"] = *outcome.after_s;
  return finding;
}

}  // namespace

std::vector<Finding> impairment(const DetectorInput& input) {
  std::vector<Finding> findings;
  if (std::any_of(input.earlier.begin(), input.earlier.end(), [](const Finding& f) { return f.kind == FindingKind::capture_loss; })) return findings;
  for (const auto& call : input.observation.classification->calls) {
    const auto index = static_cast<std::size_t>(call.id);
    if (index < input.outcomes.size() && !may_be_clean(input.outcomes[index]) && !is_silence_told(input.earlier, call.id)) findings.push_back(unheard(call, input.outcomes[index]));
    const auto quality = quality_of(input.observation, input.measures, input.arms, call.id);
    if (!is_enough(quality)) continue;
    const bool losing = quality.worst_loss >= impairing_loss || quality.worst_window >= impairing_window_loss;
    if (losing && !is_told(input.earlier, call.id, FindingKind::loss)) {
      auto finding = finding_for(call, FindingKind::loss);
      finding.numbers = {{"loss_ratio", quality.worst_loss}, {"worst_window", quality.worst_window}};
      findings.push_back(std::move(finding));
    }
    if (quality.outage_s >= impairing_outage_s && !is_silence_told(input.earlier, call.id)) {
      auto finding = finding_for(call, FindingKind::outage);
      finding.mechanism = Mechanism::silence;
      finding.count = 1;
      finding.numbers = {{"longest_s", quality.outage_s}};
      findings.push_back(std::move(finding));
    }
    if (quality.delay_p95 >= impairing_delay_ms && !is_told(input.earlier, call.id, FindingKind::delay_step)) {
      auto finding = finding_for(call, FindingKind::jitter);
      finding.numbers = {{"delay_p95_ms", quality.delay_p95}, {"jitter_ms", quality.jitter}};
      findings.push_back(std::move(finding));
    }
  }
  return findings;
}

}  // namespace callwitness::metrics
