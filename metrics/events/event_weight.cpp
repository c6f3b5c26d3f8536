#include "metrics/events/event_weight.hpp"

#include "metrics/models/dead_after.hpp"
#include "metrics/models/regular_cuts.hpp"

namespace callwitness::metrics {
namespace {

std::size_t count_of(const Finding& finding, const char* name) { return static_cast<std::size_t>(finding.number(name)); }

Weight weight_of_beat(const Finding& finding) {
  models::BeatEvidence evidence;
  evidence.deaths = static_cast<std::size_t>(finding.count.value_or(0));
  evidence.others_alive = count_of(finding, "others_alive");
  evidence.others_dead = count_of(finding, "others_dead");
  evidence.strength = finding.strength ? finding.strength->log10_likelihood_ratio : 0;
  evidence.shown = finding.number("all_shown") > 0;
  evidence.by_age = finding.number("by_uptime") > 0 || finding.number("clock_or_age") > 0;
  evidence.told_by_server = finding.number("told_by_server") > 0;
  if (models::beat_accuses(evidence)) return Weight::accuses;
  // Where everything else died with it, it is the line that drops, however regularly.
  const bool line = evidence.others_dead > 0 && 2 * evidence.others_dead >= evidence.others_alive;
  return evidence.told_by_server || line || evidence.strength < models::least_strength_to_tell ? Weight::impairs : Weight::suspects;
}

Weight weight_of_amount(const Finding& finding) {
  models::DeadAfterEvidence evidence;
  evidence.flows = static_cast<std::size_t>(finding.count.value_or(0));
  evidence.far_ends = count_of(finding, "hosts");
  evidence.others_alive = count_of(finding, "others_alive");
  evidence.others_dead = count_of(finding, "others_dead");
  evidence.survivors = count_of(finding, "survivors");
  evidence.strength = finding.strength ? finding.strength->log10_likelihood_ratio : 0;
  evidence.told_by_server = finding.number("told_by_server") > 0;
  if (models::dead_after_accuses(evidence)) return Weight::accuses;
  const bool line = evidence.others_dead > 0 && 2 * evidence.others_dead >= evidence.others_alive;
  return evidence.told_by_server || line || evidence.strength < models::least_strength_to_tell ? Weight::impairs : Weight::suspects;
}

}  // namespace

Weight weight_of_event(const Finding& finding) {
  switch (finding.kind) {
    case FindingKind::periodic_reset: return weight_of_beat(finding);
    case FindingKind::dies_after: return weight_of_amount(finding);
    case FindingKind::one_way: case FindingKind::outage: case FindingKind::freeze: return Weight::impairs;
    // The call died all the same; nobody did it.
    case FindingKind::benign_timer:
      return finding.mechanism == Mechanism::relay_expiry || finding.mechanism == Mechanism::session_timer ? Weight::impairs : Weight::none;
    default: return Weight::none;
  }
}

double confidence_of_event(const Finding& finding) {
  constexpr double very_strong = 4;   // log10
  const double strength = finding.strength ? finding.strength->log10_likelihood_ratio : 0;
  switch (weight_of_event(finding)) {
    case Weight::accuses: return strength >= very_strong ? 0.995 : 0.99;
    case Weight::suspects: return 0.8;
    default: return 0.4;
  }
}

}  // namespace callwitness::metrics
