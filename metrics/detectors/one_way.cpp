// Calls in which one end heard nothing, or no longer, while the other went on. docs/methods/one_way.md
#include "metrics/contrast.hpp"
#include "metrics/events/call_outcome.hpp"
#include "metrics/finding_support.hpp"

#include <algorithm>

namespace callwitness::metrics {
namespace {

Finding tell(const DetectorInput& input, const classify::Call& call, const CallOutcome& outcome) {
  Finding finding;
  finding.kind = FindingKind::one_way;
  finding.mechanism = outcome.by_reports ? Mechanism::no_reply : Mechanism::silence;
  finding.direction = outcome.missing;
  finding.application = call.label.application;
  finding.calls.push_back(call.id);
  finding.count = 1;
  for (const auto id : call.flows)
    if (const auto* flow = find_flow(input.observation, id); flow != nullptr && flow->call == call.id && flow->flow.role != classify::Role::signalling) finding.flows.push_back(id);
  finding.start_time = call.start_time + capture::from_seconds(outcome.after_s.value_or(0));
  finding.end_time = call.end_time;
  finding.confidence = 0.9;
  const auto sent = static_cast<std::size_t>(Direction::sent), received = static_cast<std::size_t>(Direction::received);
  finding.numbers = {{"after_s", outcome.after_s.value_or(0)}, {"silent_s", outcome.silent_s}, {"packets_received", static_cast<double>(outcome.packets[received])},
                     {"packets_sent", static_cast<double>(outcome.packets[sent])}};
  if (outcome.far_end_sent > 0) finding.numbers["far_end_sent_packets"] = static_cast<double>(outcome.far_end_sent);
  if (call.announced.both_ways) finding.numbers["announced_both_ways"] = 1;
  using enum AlternativeStatus;
  // From one end a far end that sends nothing (muted, its microphone gone, an address that leads nowhere) looks the same.
  finding.alternatives = {{"remote_end", not_ruled_out, call.announced.both_ways ? "announced_both_ways" : "one_end_captured", {}},
                          {"nat_timeout", not_ruled_out, "one_end_captured", {}}};
  return finding;
}

}  // namespace

std::vector<Finding> one_way(const DetectorInput& input) {
  std::vector<Finding> findings;
  for (const auto& outcome : input.outcomes) {
    if (outcome.kind != CallOutcome::Kind::one_way) continue;
    findings.push_back(tell(input, input.observation.classification->calls[static_cast<std::size_t>(outcome.call)], outcome));
  }
  return findings;
}

}  // namespace callwitness::metrics
