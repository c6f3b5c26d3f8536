// Endings that keep a beat, or follow a silence, and bear the sign of a harmless timer. docs/methods/benign_timer.md
#include "metrics/contrast.hpp"
#include "metrics/events/lifetimes.hpp"
#include "metrics/finding_support.hpp"
#include "metrics/models/regular_cuts.hpp"
#include "metrics/statistics.hpp"

#include <algorithm>
#include <map>
#include <optional>

namespace callwitness::metrics {
namespace {

constexpr double least_idle = 25;             ///< seconds: the shortest UDP timeout that home routers keep is 30
constexpr std::size_t least_alive = 20;       ///< packets of each way before the silence
constexpr std::size_t least_unanswered = 3;
constexpr double least_unanswered_s = 2;

double at_of(const Observation& observation, Time time) { return capture::seconds(time - observation.first_time); }

Finding finding_for(const Observation& observation, const FlowObservation& flow, Mechanism mechanism) {
  Finding finding;
  finding.kind = FindingKind::benign_timer;
  finding.mechanism = mechanism;
  finding.application = application_of(observation, flow);
  finding.confidence = 0.9;
  finding.count = 0;
  return finding;
}

void add_event(Finding& finding, const FlowObservation& flow, Time time) {
  if (*finding.count == 0) finding.start_time = finding.end_time = time;
  finding.start_time = std::min(finding.start_time, time);
  finding.end_time = std::max(finding.end_time, time);
  ++*finding.count;
  finding.flows.push_back(flow.flow.id);
  if (flow.call && std::find(finding.calls.begin(), finding.calls.end(), *flow.call) == finding.calls.end()) finding.calls.push_back(*flow.call);
}

void set_period(Finding& finding, const models::RegularCuts& regular) {
  const auto& beat = regular.beat();
  finding.period_s = beat.period_s;
  finding.period_s_low = beat.low_s;
  finding.period_s_high = beat.high_s;
  finding.strength = {regular.strength(), "people"};
  finding.numbers["deviation"] = beat.deviation;
  finding.numbers["by_uptime"] = regular.by_age() ? 1 : 0;
}

/// How long a flow was silent both ways before what we sent met nobody any more; nothing where it wasn't.
std::optional<std::pair<double, Time>> died_while_idle(const FlowObservation& flow) {
  std::size_t seen[2] = {0, 0};
  std::optional<Time> last;
  for (std::size_t i = 0; i < flow.trace.size(); ++i) {
    const auto& packet = flow.trace[i];
    if (last && capture::seconds(packet.time - *last) >= least_idle && packet.direction == Direction::sent && std::min(seen[0], seen[1]) >= least_alive) {
      std::size_t sent = 0;
      bool answered = false;
      Time end = packet.time;
      for (std::size_t k = i; k < flow.trace.size(); ++k) {
        answered = answered || flow.trace[k].direction == Direction::received;
        if (flow.trace[k].direction == Direction::sent) ++sent, end = flow.trace[k].time;
      }
      if (!answered && sent >= least_unanswered && capture::seconds(end - packet.time) >= least_unanswered_s)
        return std::pair(capture::seconds(packet.time - *last), packet.time);
    }
    ++seen[static_cast<std::size_t>(packet.direction)];
    last = packet.time;
  }
  return std::nullopt;
}

struct Goodbyes { const FlowObservation* flow; std::vector<Time> times; std::vector<double> ages; std::vector<CallId> calls; };

/// Calls of each party that ended with a goodbye.
std::vector<Goodbyes> goodbyes_of(const Observation& observation) {
  std::vector<Goodbyes> parties;
  for (const auto& call : observation.classification->calls) {
    for (const auto& part : call.parts) {
      using enum classify::Ending;
      if (part.ended_by != bye && part.ended_by != close_notify && part.ended_by != rtcp_bye) continue;
      const FlowObservation* flow = nullptr;
      for (const auto id : part.flows)
        if (const auto* found = find_flow(observation, id); found != nullptr && (flow == nullptr || found->flow.role == classify::Role::media)) flow = found;
      if (flow == nullptr) continue;
      auto party = std::find_if(parties.begin(), parties.end(), [&](const Goodbyes& other) { return same_party(*flow, *other.flow); });
      if (party == parties.end()) party = parties.insert(party, {flow, {}, {}, {}});
      party->times.push_back(part.last_time);
      party->ages.push_back(capture::seconds(part.last_time - part.first_time));
      party->calls.push_back(call.id);
    }
  }
  return parties;
}

void add_goodbyes(const Observation& observation, std::vector<Finding>& findings) {
  for (const auto& party : goodbyes_of(observation)) {
    std::vector<models::DeathTime> times;
    for (std::size_t i = 0; i < party.times.size(); ++i) times.push_back({at_of(observation, party.times[i]), party.ages[i], true});
    std::sort(times.begin(), times.end(), [](const auto& a, const auto& b) { return a.time < b.time; });
    const auto regular = models::regular_cuts(times, false);
    if (!regular || regular->strength() < models::least_strength_to_tell) continue;
    auto finding = finding_for(observation, *party.flow, Mechanism::goodbye);
    for (const auto time : party.times) add_event(finding, *party.flow, time);
    finding.flows.resize(1);
    finding.calls = party.calls;
    set_period(finding, *regular);
    findings.push_back(std::move(finding));
  }
}

}  // namespace

std::vector<Finding> benign_timer(const DetectorInput& input) {
  const auto& observation = input.observation;
  std::vector<Finding> findings;
  add_goodbyes(observation, findings);
  std::map<std::string_view, Finding> idle;
  std::map<std::string_view, std::vector<double>> silences;
  for (const auto& flow : observation.flows) {
    const auto died = flow.trace_complete ? died_while_idle(flow) : std::nullopt;
    if (!died) continue;
    const auto application = application_of(observation, flow);
    auto& finding = idle.try_emplace(application, finding_for(observation, flow, Mechanism::idle)).first->second;
    add_event(finding, flow, died->second);
    silences[application].push_back(died->first);
  }
  for (auto& [application, finding] : idle) {
    finding.period_s = median(silences[application]);
    finding.numbers["idle_s"] = *finding.period_s;
    findings.push_back(std::move(finding));
  }
  std::map<std::pair<std::string_view, Mechanism>, Finding> told;
  for (const auto& cut : input.interruptions) {
    const auto* flow = find_flow(observation, cut.flow);
    const auto lifetime = flow == nullptr ? std::nullopt : lifetime_that_ended(observation, *flow, cut);
    if (!lifetime) continue;
    const auto mechanism = lifetime->kind == ToldLifetime::Kind::relay ? Mechanism::relay_expiry : Mechanism::session_timer;
    auto& finding = told.try_emplace({application_of(observation, *flow), mechanism}, finding_for(observation, *flow, mechanism)).first->second;
    add_event(finding, *flow, time_at(observation, cut.start));
    finding.period_s = lifetime->seconds;
  }
  for (auto& [key, finding] : told) findings.push_back(std::move(finding));
  return findings;
}

}  // namespace callwitness::metrics
