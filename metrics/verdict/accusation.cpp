#include "metrics/verdict/accusation.hpp"

#include "metrics/verdict/verdict_thresholds.hpp"

namespace callwitness::metrics {
namespace {

double number_of(const Finding& finding, const char* name) {
  const auto found = finding.numbers.find(name);
  return found == finding.numbers.end() ? 0.0 : found->second;
}

}  // namespace

bool accuses(const Finding& finding) {
  if (finding.kind == FindingKind::rate_cap) {
    if (finding.mechanism == Mechanism::shaper && finding.confidence < accusing_confidence) return false;   // a far end's uplink looks the same
    if (number_of(finding, "by_reports") > 0) return false;              // what the peer claims, and no control: not enough to accuse
    if (number_of(finding, "over_tcp") > 0) return !finding.calls.empty() && number_of(finding, "contrast") > 0;   // a download's policer is no call's
    return number_of(finding, "contrast") > 0 || finding.mechanism == Mechanism::policer;
  }
  if (finding.kind == FindingKind::periodic_reset || finding.kind == FindingKind::injected_reset) return finding.confidence >= accusing_confidence;
  if (finding.kind == FindingKind::blocking || finding.kind == FindingKind::freeze) return finding.confidence >= accusing_confidence_of_blocking;
  return false;
}

bool spares_others(const Finding& finding) {
  if (finding.kind == FindingKind::rate_cap) return number_of(finding, "contrast") > 0;
  if (finding.kind == FindingKind::periodic_reset || finding.kind == FindingKind::freeze) return number_of(finding, "others_alive") > 0 && number_of(finding, "others_dead") <= 0;
  return finding.kind == FindingKind::blocking && number_of(finding, "other_flows_answered") > 0;
}

}  // namespace callwitness::metrics
