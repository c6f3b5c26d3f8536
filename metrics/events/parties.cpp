#include "metrics/events/parties.hpp"

#include "metrics/events/company.hpp"
#include "metrics/events/lifetimes.hpp"
#include "metrics/finding_support.hpp"

#include <algorithm>

namespace callwitness::metrics {
namespace {

constexpr double sooner_than_people = 3;   ///< seconds: to hang up and dial takes longer
constexpr double hurried = 5;              ///< who calls again so soon found the call dead; or it was over, so that this accuses nobody
constexpr std::size_t most_aftermaths = 100;

bool of_a_quota(const DetectorInput& input, const Interruption& cut) {
  return std::any_of(input.earlier.begin(), input.earlier.end(), [&](const Finding& finding) {
    return finding.kind == FindingKind::rate_cap && finding.mechanism == Mechanism::quota && std::find(finding.flows.begin(), finding.flows.end(), cut.flow) != finding.flows.end();
  });
}

void add_alternatives(Finding& finding, const Party& party) {
  using enum AlternativeStatus;
  const auto count = party.cuts.size();
  const std::map<std::string, double> numbers{{"others_alive", static_cast<double>(party.alive)}, {"others_dead", static_cast<double>(party.dead)}, {"cuts", static_cast<double>(count)}};
  const auto line = party.dead > 0 ? not_ruled_out : party.alive == count ? ruled_out : party.alive > 0 ? not_ruled_out : untestable;
  const std::string_view reason = party.dead > 0 ? "others_died_too" : party.alive == 0 ? "no_control_traffic" : party.alive == count ? "others_stayed_alive" : "others_alive_in_some";
  finding.alternatives = {{"wifi", line, reason, numbers},
                          {"congestion", line, reason, numbers},
                          {"nat_timeout", ruled_out, "both_ways_active_before", {}},
                          {"application_server", not_ruled_out, "one_end_captured", {}},
                          {"remote_end", not_ruled_out, "one_end_captured", {}}};
}

}  // namespace

bool shows_a_dead_path(const Interruption& cut) {
  return cut.kind == Interruption::Kind::tcp_reset || cut.lost || cut.far_end_sends || cut.redialled_s.value_or(hurried) <= sooner_than_people;
}

bool called_again_soon(const Interruption& cut) { return cut.redialled_s && *cut.redialled_s <= hurried; }

Mechanism mechanism_of(const std::vector<const Interruption*>& cuts) {
  std::size_t resets = 0, tcp = 0, dead = 0;
  for (const auto* cut : cuts) {
    resets += cut->kind == Interruption::Kind::tcp_reset ? 1 : 0;
    tcp += cut->kind == Interruption::Kind::tcp_silence ? 1 : 0;
    dead += shows_a_dead_path(*cut) || called_again_soon(*cut) ? 1 : 0;
  }
  if (2 * resets >= cuts.size()) return Mechanism::tcp_rst;
  return 2 * tcp >= cuts.size() || dead == 0 ? Mechanism::silence : Mechanism::udp_blackhole;
}

std::vector<Party> parties_of(const DetectorInput& input) {
  std::vector<Party> parties;
  std::vector<bool> used(input.interruptions.size(), false);
  for (std::size_t i = 0; i < used.size(); ++i) {
    const auto* flow = find_flow(input.observation, input.interruptions[i].flow);
    if (used[i] || flow == nullptr) continue;
    Party party;
    std::size_t told = 0;
    for (std::size_t j = i; j < used.size(); ++j) {
      const auto& cut = input.interruptions[j];
      const auto* other = used[j] ? nullptr : find_flow(input.observation, cut.flow);
      if (other == nullptr || !same_party(*other, *flow)) continue;
      used[j] = true;
      if (of_a_quota(input, cut)) continue;
      party.cuts.push_back(&cut);
      party.shown += shows_a_dead_path(cut) ? 1 : 0;
      party.alive += cut.others == Interruption::Others::alive ? 1 : 0;
      party.dead += cut.others == Interruption::Others::dead ? 1 : 0;
      told += lifetime_that_ended(input.observation, *other, cut) ? 1 : 0;
    }
    if (party.cuts.empty()) continue;
    party.told_by_server = 2 * told >= party.cuts.size();
    party.all_shown = std::all_of(party.cuts.begin(), party.cuts.end() - 1, [](const auto* cut) { return shows_a_dead_path(*cut); });
    parties.push_back(std::move(party));
  }
  return parties;
}

Finding finding_of(const DetectorInput& input, const Party& party, FindingKind kind) {
  Finding finding;
  finding.kind = kind;
  finding.mechanism = mechanism_of(party.cuts);
  finding.direction = Direction::received;
  finding.start_time = time_at(input.observation, party.cuts.front()->start);
  finding.end_time = time_at(input.observation, party.cuts.back()->end);
  finding.count = party.cuts.size();
  std::size_t goodbyes = 0;
  for (const auto* cut : party.cuts) {
    const auto* flow = find_flow(input.observation, cut->flow);
    if (flow != nullptr && finding.application.empty()) finding.application = application_of(input.observation, *flow);
    if (cut->call && std::find(finding.calls.begin(), finding.calls.end(), *cut->call) == finding.calls.end()) finding.calls.push_back(*cut->call);
    if (std::find(finding.flows.begin(), finding.flows.end(), cut->flow) == finding.flows.end()) finding.flows.push_back(cut->flow);
    finding.packets.push_back(cut->ordinal);
    goodbyes += cut->goodbye_after_s ? 1 : 0;
  }
  finding.numbers = {{"others_alive", static_cast<double>(party.alive)}, {"others_dead", static_cast<double>(party.dead)}, {"path_shown_dead", static_cast<double>(party.shown)}};
  if (party.shown == 0) finding.numbers["far_end_silent"] = 1;
  if (party.told_by_server) finding.numbers["told_by_server"] = 1;
  if (goodbyes > 0) finding.numbers["hung_up_after"] = static_cast<double>(goodbyes);
  add_alternatives(finding, party);
  return finding;
}

void add_aftermath(const DetectorInput& input, const std::vector<const Interruption*>& cuts, Finding& finding) {
  std::size_t looked = 0, went_on = 0, over_tcp = 0, elsewhere = 0;
  const auto most = [&](const char* name, const std::optional<double>& value) {
    if (value) finding.numbers[name] = std::max(finding.numbers[name], *value);
  };
  const auto least = [&](const char* name, const std::optional<double>& value) {
    if (!value) return;
    const auto [at, fresh] = finding.numbers.try_emplace(name, *value);
    if (!fresh) at->second = std::min(at->second, *value);
  };
  for (const auto* cut : cuts) {
    const auto* flow = find_flow(input.observation, cut->flow);
    if (flow == nullptr || cut->resumed || looked++ >= most_aftermaths) continue;
    const auto after = aftermath_of(input.observation, *flow, *cut);
    most("endpoint_dead_until_s", after.endpoint_dead_until_s);
    most("host_dead_until_s", after.host_dead_until_s);
    least("endpoint_alive_from_s", after.endpoint_alive_from_s);
    least("host_alive_from_s", after.host_alive_from_s);
    went_on += after.application_alive_from_s ? 1 : 0;
    over_tcp += after.over_tcp ? 1 : 0;
    elsewhere += after.elsewhere ? 1 : 0;
  }
  if (went_on > 0) finding.numbers["went_on"] = static_cast<double>(went_on);
  if (over_tcp > 0) finding.numbers["went_on_over_tcp"] = static_cast<double>(over_tcp);
  if (elsewhere > 0) finding.numbers["went_on_elsewhere"] = static_cast<double>(elsewhere);
}

}  // namespace callwitness::metrics
