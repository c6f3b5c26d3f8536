// D6: interruptions told as outages or periodic cuts. docs/methods/cuts.md
#include "metrics/contrast.hpp"
#include "metrics/finding_support.hpp"
#include "metrics/interruptions.hpp"

#include <algorithm>
#include <vector>

namespace callwitness::metrics {
namespace {

constexpr double only_mentioned = 0.8;      ///< below what accuses (verdict.cpp)
constexpr double much_steadier = 1.0 / 3;   ///< of the clock's and the calls' own beat: people redial at once, so that both fit
constexpr std::size_t fewest_of_redials = 4;   ///< cuts after which the flow didn't come back
constexpr double exact_beat = 0.003;
constexpr double clearly_steadier = 0.5;   ///< of two beats that fit, the one with so much smaller a deviation

constexpr double sooner_than_people = 3;   ///< seconds: to hang up and dial takes longer
constexpr double hurried = 5;              ///< who calls again so soon found the call dead; or it was over, so that this accuses nobody

/// More than a far end gone silent: a reset, or what was sent meanwhile is missing, or software called again by itself.
bool shows_a_dead_path(const Interruption& cut) {
  return cut.kind == Interruption::Kind::tcp_reset || cut.lost || cut.redialled_s.value_or(hurried) <= sooner_than_people;
}

Mechanism mechanism_of(const std::vector<const Interruption*>& cuts) {
  std::size_t resets = 0, tcp = 0, dead = 0;
  for (const auto* cut : cuts) {
    resets += cut->kind == Interruption::Kind::tcp_reset ? 1 : 0;
    tcp += cut->kind == Interruption::Kind::tcp_silence ? 1 : 0;
    dead += shows_a_dead_path(*cut) || (cut->redialled_s && *cut->redialled_s <= hurried) ? 1 : 0;
  }
  if (2 * resets >= cuts.size()) return Mechanism::tcp_rst;
  return 2 * tcp >= cuts.size() || dead == 0 ? Mechanism::silence : Mechanism::udp_blackhole;
}

Finding tell(const DetectorInput& input, const std::vector<const Interruption*>& cuts, FindingKind kind) {
  Finding finding;
  finding.kind = kind;
  finding.mechanism = mechanism_of(cuts);
  finding.start_time = time_at(input.observation, cuts.front()->start);
  finding.end_time = time_at(input.observation, cuts.back()->end);
  finding.count = cuts.size();
  for (const auto* cut : cuts) {
    const auto* flow = find_flow(input.observation, cut->flow);
    if (flow != nullptr && finding.application.empty()) finding.application = application_of(input.observation, *flow);
    if (cut->call && std::find(finding.calls.begin(), finding.calls.end(), *cut->call) == finding.calls.end()) finding.calls.push_back(*cut->call);
    if (std::find(finding.flows.begin(), finding.flows.end(), cut->flow) == finding.flows.end()) finding.flows.push_back(cut->flow);
    finding.packets.push_back(cut->ordinal);
  }
  return finding;
}

/// The beat that the cuts keep: of the clock, or, where people redial when they please, of how long each call lived.
std::optional<Period> beat_of(const std::vector<const Interruption*>& cuts, bool& by_uptime) {
  std::vector<double> times, uptimes;
  for (const auto* cut : cuts) {
    times.push_back(cut->start);
    if (cut->uptime) uptimes.push_back(*cut->uptime);
  }
  auto by_clock = period_of(times), by_age = uptimes.size() + 1 < cuts.size() ? std::nullopt : period_of_gaps(uptimes, uptimes.size());
  if (by_age && by_age->missed > 0) by_age = std::nullopt;   // a timer that starts with the call can't miss a beat
  by_uptime = by_age && (!by_clock || !by_clock->strict || by_age->deviation < much_steadier * by_clock->deviation);
  return by_uptime ? by_age : by_clock;
}

void add_alternatives(Finding& finding, std::size_t alive, std::size_t dead, std::size_t count) {
  using enum AlternativeStatus;
  const std::map<std::string, double> numbers{{"others_alive", static_cast<double>(alive)}, {"others_dead", static_cast<double>(dead)}, {"cuts", static_cast<double>(count)}};
  const auto line = dead > 0 ? not_ruled_out : alive == count ? ruled_out : alive > 0 ? not_ruled_out : untestable;
  const std::string_view reason = dead > 0 ? "others_died_too" : alive == 0 ? "no_control_traffic" : alive == count ? "others_stayed_alive" : "others_alive_in_some";
  finding.alternatives = {{"wifi", line, reason, numbers},
                          {"congestion", line, reason, numbers},
                          {"nat_timeout", ruled_out, "both_ways_active_before", {}},
                          {"application_server", not_ruled_out, "one_end_captured", {}},
                          {"remote_end", not_ruled_out, "one_end_captured", {}}};
}

}  // namespace

std::vector<Finding> cuts(const DetectorInput& input) {
  std::vector<Interruption> all(input.interruptions.begin(), input.interruptions.end());
  // The rest of a period whose quota is used up is no cut, nor is a relay that nobody refreshed.
  std::erase_if(all, [&](const Interruption& cut) {
    return std::any_of(input.earlier.begin(), input.earlier.end(), [&](const Finding& f) {
      if (std::find(f.flows.begin(), f.flows.end(), cut.flow) == f.flows.end()) return false;
      if (f.kind == FindingKind::benign_timer) return f.mechanism == Mechanism::relay_expiry && f.start_time == time_at(input.observation, cut.start);
      return f.kind == FindingKind::rate_cap && f.mechanism == Mechanism::quota;
    });
  });
  std::vector<Finding> findings;
  std::vector<bool> used(all.size(), false);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (used[i]) continue;
    const auto* flow = find_flow(input.observation, all[i].flow);
    std::vector<const Interruption*> party;
    for (std::size_t j = i; j < all.size(); ++j) {
      const auto* other = find_flow(input.observation, all[j].flow);
      if (used[j] || flow == nullptr || other == nullptr || !same_party(*other, *flow)) continue;
      used[j] = true;
      party.push_back(&all[j]);
    }
    if (party.empty()) continue;
    std::size_t alive = 0, dead = 0, shown = 0;
    for (const auto* cut : party) {
      shown += shows_a_dead_path(*cut) ? 1 : 0;
      alive += cut->others == Interruption::Others::alive ? 1 : 0;
      dead += cut->others == Interruption::Others::dead ? 1 : 0;
    }
    bool by_uptime = false;
    const auto period = beat_of(party, by_uptime);
    // Where everything else died as well, it is the line that drops, however regularly.
    const bool line = 2 * dead > party.size() || (dead > 0 && alive == 0);
    const bool frozen = period && std::any_of(input.earlier.begin(), input.earlier.end(), [&](const Finding& f) {
      return f.kind == FindingKind::freeze && f.numbers.at("deviation") < clearly_steadier * period->deviation &&
             std::find(f.flows.begin(), f.flows.end(), party.front()->flow) != f.flows.end();
    });
    if (period && !line && !frozen) {
      Finding finding = tell(input, party, FindingKind::periodic_reset);
      finding.period_s = period->period;
      finding.period_s_low = period->low;
      finding.period_s_high = period->high;
      // Where others ran, but none during any cut, the line itself may drop so regularly; a reset that came says that it didn't.
      const double end = capture::seconds(input.observation.last_time - input.observation.first_time);
      const bool nobody_to_ask = company_of(input.observation, *flow, 0, end).others == Interruption::Others::absent;
      const bool line_lives = alive > 0 || finding.mechanism == Mechanism::tcp_rst || nobody_to_ask;
      // People who hang up without a goodbye and redial keep a beat of 1 % over three calls once in a hundred.
      const bool hung_up = period->cuts < fewest_of_redials && period->deviation > exact_beat && std::any_of(party.begin(), party.end(), [](const auto* cut) { return !cut->resumed; });
      // A recording has an end, and whoever plays it a timetable. (After the last cut the capture may end, or the user give up.)
      const bool all_shown = std::all_of(party.begin(), party.end() - 1, [](const auto* cut) { return shows_a_dead_path(*cut); });
      const bool tells = period->strict && (period->firm || alive == party.size()) && line_lives && !hung_up && all_shown;
      finding.confidence = !tells ? only_mentioned : period->cuts >= 6 ? 0.995 : period->cuts >= 4 ? 0.99 : 0.9;
      finding.numbers = {{"deviation", period->deviation}, {"by_uptime", by_uptime ? 1.0 : 0.0}, {"missed_beats", static_cast<double>(period->missed)},
                         {"others_alive", static_cast<double>(alive)}, {"others_dead", static_cast<double>(dead)}, {"path_shown_dead", static_cast<double>(shown)}};
      if (shown == 0) finding.numbers["far_end_silent"] = 1;
      add_alternatives(finding, alive, dead, party.size());
      findings.push_back(std::move(finding));
    }
    Finding outage = tell(input, party, FindingKind::outage);
    outage.confidence = 0.95;
    double longest = 0, total = 0;
    for (const auto* cut : party) {
      longest = std::max(longest, cut->end - cut->start);
      total += cut->end - cut->start;
    }
    outage.numbers = {{"longest_s", longest}, {"total_s", total}, {"others_alive", static_cast<double>(alive)}, {"others_dead", static_cast<double>(dead)}, {"path_shown_dead", static_cast<double>(shown)}};
    if (shown == 0) outage.numbers["far_end_silent"] = 1;
    add_alternatives(outage, alive, dead, party.size());
    findings.push_back(std::move(outage));
  }
  return findings;
}

}  // namespace callwitness::metrics
