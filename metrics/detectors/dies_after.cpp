// D3: flows of one application that die after the same amount, again and again. docs/methods/dies_after.md
#include "metrics/events/company.hpp"
#include "metrics/events/event_weight.hpp"
#include "metrics/events/lifetimes.hpp"
#include "metrics/events/parties.hpp"
#include "metrics/finding_support.hpp"
#include "metrics/models/dead_after.hpp"
#include "metrics/models/regular_cuts.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace callwitness::metrics {
namespace {

using models::DeathUnit;

struct Died { const Interruption* cut; const FlowObservation* flow; };

struct UnitWords { std::string_view unit, way; Mechanism mechanism; };
UnitWords words_of(DeathUnit unit) {
  switch (unit) {
    case DeathUnit::packets_both: return {"packets", "both", Mechanism::packets};
    case DeathUnit::packets_up: return {"packets", "sent", Mechanism::packets};
    case DeathUnit::packets_down: return {"packets", "received", Mechanism::packets};
    case DeathUnit::bytes_both: return {"bytes", "both", Mechanism::bytes};
    case DeathUnit::bytes_up: return {"bytes", "sent", Mechanism::bytes};
    case DeathUnit::bytes_down: return {"bytes", "received", Mechanism::bytes};
    case DeathUnit::seconds: return {"seconds", "both", Mechanism::seconds};
    case DeathUnit::seconds_of_theirs: break;
  }
  return {"seconds", "received", Mechanism::seconds};
}

std::map<std::string_view, std::vector<Died>> deaths_of(const DetectorInput& input) {
  std::map<std::string_view, std::vector<Died>> by_application;
  for (const auto& cut : input.interruptions) {
    const auto* flow = find_flow(input.observation, cut.flow);
    if (flow == nullptr || !cut.amount || cut.resumed || cut.kind == Interruption::Kind::tcp_reset) continue;
    if (const auto application = application_of(input.observation, *flow); !application.empty()) by_application[application].push_back({&cut, flow});
  }
  return by_application;
}

/// Share of the packets lost on the way of these flows' streams while they lived.
double loss_of(const Observation& observation, const std::vector<Died>& deaths) {
  double lost = 0, expected = 0;
  for (const auto& stream : observation.streams) {
    const auto index = static_cast<std::size_t>(stream.id);
    if (!stream.lost || !stream.expected || stream.direction != Direction::received || index >= observation.classification->streams.size()) continue;
    const auto flow = observation.classification->streams[index].flow;
    if (std::none_of(deaths.begin(), deaths.end(), [&](const Died& died) { return died.flow->flow.id == flow; })) continue;
    lost += static_cast<double>(*stream.lost);
    expected += static_cast<double>(*stream.expected);
  }
  return expected > 0 ? lost / expected : 0;
}

/// Other flows between the first and the last of these that moved more than that and did not die of it, of the application and of others.
std::pair<std::size_t, std::size_t> passed(const DetectorInput& input, const std::vector<Died>& deaths, std::string_view application, const models::UnitScore& limit) {
  constexpr double clearly_more = 1.1;
  std::size_t own = 0, others = 0;
  const Time first = deaths.front().flow->flow.first_time, last = deaths.back().flow->flow.last_time;
  for (const auto& flow : input.observation.flows) {
    if (flow.flow.last_time < first || flow.flow.first_time > last) continue;
    if (std::any_of(deaths.begin(), deaths.end(), [&](const Died& died) { return died.flow == &flow; })) continue;
    const auto at = capture::seconds(flow.ends[static_cast<std::size_t>(Direction::received)].last - input.observation.first_time);
    if (models::amount_of(amount_at(input.observation, flow, at), limit.unit) < clearly_more * limit.high) continue;
    const bool same = application_of(input.observation, flow) == application;
    if (same && (flow.flow.first_time < first || flow.flow.role == classify::Role::signalling)) continue;
    ++(same ? own : others);
  }
  return {own, others};
}

/// All interruptions of the application, also of flows of which the capture missed the beginning.
std::vector<models::DeathTime> times_of(const DetectorInput& input, std::string_view application) {
  std::vector<models::DeathTime> times;
  for (const auto& cut : input.interruptions) {
    const auto* flow = find_flow(input.observation, cut.flow);
    if (flow != nullptr && application_of(input.observation, *flow) == application) times.push_back({cut.start, cut.uptime.value_or(cut.start), cut.uptime.has_value()});
  }
  return times;
}

void describe(const models::DeadAfter& found, Finding& finding) {
  const auto words = words_of(found.best.unit);
  finding.mechanism = words.mechanism;
  finding.unit = words.unit;
  finding.way = words.way;
  finding.limit = found.best.limit;
  finding.limit_low = found.best.low;
  finding.limit_high = found.best.high;
  finding.strength = {found.best.strength, "people"};
  finding.numbers["deviation"] = found.best.deviation;
  // What can't be told from it: the next best of each kind of unit.
  for (const auto& other : found.alternatives) {
    const auto name = std::string("or_") + std::string(words_of(other.unit).unit);
    if (words_of(other.unit).unit != words.unit) finding.numbers.try_emplace(name, other.limit);
  }
}

}  // namespace

std::vector<Finding> dies_after(const DetectorInput& input) {
  std::vector<Finding> findings;
  for (const auto& [application, deaths] : deaths_of(input)) {
    if (deaths.size() < models::fewest_flows_to_tell) continue;
    std::vector<models::DeathAmount> amounts;
    Party party;
    std::set<capture::IpAddress> hosts;
    std::size_t told = 0;
    for (const auto& [cut, flow] : deaths) {
      amounts.push_back(*cut->amount);
      party.cuts.push_back(cut);
      party.alive += cut->others == Interruption::Others::alive ? 1 : 0;
      party.dead += cut->others == Interruption::Others::dead ? 1 : 0;
      party.shown += shows_a_dead_path(*cut) ? 1 : 0;
      told += lifetime_that_ended(input.observation, *flow, *cut) ? 1 : 0;
      hosts.insert(remote_address(*flow));
    }
    party.told_by_server = 2 * told >= deaths.size();
    const auto found = models::dead_after(amounts, loss_of(input.observation, deaths));
    if (!found || found->best.strength < models::least_strength_to_tell || party.told_by_server) continue;
    // Cuts by the clock with a steady redial die at like ages, too: the better of the two is told.
    const auto regular = models::regular_cuts(times_of(input, application), false);
    if (regular && regular->clock.log10_likelihood - regular->log10_people > found->best.strength) continue;
    Finding finding = finding_of(input, party, FindingKind::dies_after);
    describe(*found, finding);
    const auto [own, others] = passed(input, deaths, application, found->best);
    finding.numbers["hosts"] = static_cast<double>(hosts.size());
    finding.numbers["survivors"] = static_cast<double>(own);
    finding.numbers["others_passed"] = static_cast<double>(others);
    add_aftermath(input, party.cuts, finding);
    finding.confidence = confidence_of_event(finding);
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace callwitness::metrics
