// D6: interruptions told as outages or, where they keep a beat, as periodic cuts. docs/methods/cuts.md
#include "metrics/events/event_weight.hpp"
#include "metrics/events/parties.hpp"
#include "metrics/models/regular_cuts.hpp"

#include <algorithm>

namespace callwitness::metrics {
namespace {

constexpr double clearly_better = 1;   ///< log10

std::vector<models::DeathTime> times_of(const Party& party) {
  std::vector<models::DeathTime> times;
  for (const auto* cut : party.cuts) times.push_back({cut->start, cut->uptime.value_or(cut->start), cut->uptime.has_value()});
  return times;
}

/// The same flows were told to die after an amount, and that says it better than the beat does.
bool told_by_amount(const DetectorInput& input, const Party& party, const models::RegularCuts& regular) {
  return std::any_of(input.earlier.begin(), input.earlier.end(), [&](const Finding& finding) {
    if (finding.kind != FindingKind::dies_after) return false;
    const bool same = std::any_of(party.cuts.begin(), party.cuts.end(), [&](const auto* cut) { return std::find(finding.flows.begin(), finding.flows.end(), cut->flow) != finding.flows.end(); });
    const bool clearly = finding.strength && finding.strength->log10_likelihood_ratio > regular.beat().log10_likelihood - regular.log10_people + clearly_better;
    return same && clearly;
  });
}

Finding periodic(const DetectorInput& input, const Party& party, const models::RegularCuts& regular) {
  Finding finding = finding_of(input, party, FindingKind::periodic_reset);
  const auto& beat = regular.beat();
  finding.period_s = beat.period_s;
  finding.period_s_low = beat.low_s;
  finding.period_s_high = beat.high_s;
  finding.strength = {regular.strength(), regular.shown ? "chance" : "people"};
  finding.numbers["deviation"] = beat.deviation;
  finding.numbers["by_uptime"] = regular.by_age() ? 1 : 0;
  finding.numbers["missed_beats"] = static_cast<double>(regular.by_age() ? 0 : beat.missed);
  finding.numbers["all_shown"] = party.all_shown ? 1 : 0;
  if (regular.margin() < models::told_apart) finding.numbers["clock_or_age"] = 1;
  if (regular.by_age() || regular.margin() < models::told_apart) finding.alternatives.push_back({"recording", AlternativeStatus::not_ruled_out, "same_age_each_time", {}});
  add_aftermath(input, party.cuts, finding);
  finding.confidence = confidence_of_event(finding);
  return finding;
}

Finding outage(const DetectorInput& input, const Party& party) {
  Finding finding = finding_of(input, party, FindingKind::outage);
  finding.confidence = 0.95;
  double longest = 0, total = 0;
  for (const auto* cut : party.cuts) {
    longest = std::max(longest, cut->end - cut->start);
    total += cut->end - cut->start;
  }
  finding.numbers["longest_s"] = longest;
  finding.numbers["total_s"] = total;
  add_aftermath(input, party.cuts, finding);
  return finding;
}

}  // namespace

std::vector<Finding> cuts(const DetectorInput& input) {
  std::vector<Finding> findings;
  for (const auto& party : parties_of(input)) {
    // Ended by a lifetime that the server had told: benign_timer.cpp says so.
    if (party.told_by_server) continue;
    const auto regular = models::regular_cuts(times_of(party), party.all_shown);
    if (regular && regular->strength() >= models::least_strength_to_tell && !told_by_amount(input, party, *regular)) findings.push_back(periodic(input, party, *regular));
    findings.push_back(outage(input, party));
  }
  return findings;
}

}  // namespace callwitness::metrics
