// D5: resets that the stated sender can't have sent. docs/methods/injected_reset.md
#include "classify/nearness.hpp"
#include "metrics/contrast.hpp"
#include "metrics/finding_support.hpp"
#include "metrics/starts.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace callwitness::metrics {
namespace {

constexpr int telling_ttl = 3;                 ///< hops: routes change by one or two
constexpr int least_signs = 2;
constexpr double from_nearby = 0.85;           ///< most were sent by the router at home or a box beside it: below what accuses
constexpr std::size_t least_connections_by_ttl = 3;
constexpr double telling_gap = 5;              ///< of the minimum round trip, between packets that might have triggered a reset
constexpr auto soon = std::chrono::seconds(2);

struct Signs { int count = 0; bool ttl = false, data_after = false, too_soon = false, sequence = false, ip_id = false, second = false; };

/// `usual_gap`: seconds between what the other end of the reset sends. A dead host answers whatever is on its way with a
/// reset each: later ones, numbered as we acknowledged, are its own.
Signs signs_of(const classify::Reset& reset, std::span<const classify::Reset> all, bool both_active, double usual_gap) {
  Signs signs;
  signs.ttl = reset.flow_time_to_live != 0 && std::abs(int{reset.time_to_live} - int{reset.flow_time_to_live}) >= telling_ttl;
  signs.data_after = reset.segments_after > 0;
  // Whoever is sent something every few milliseconds resets soon after it, whenever that is: no sign.
  signs.too_soon = reset.since_trigger && reset.minimum_round_trip && reset.minimum_round_trip->count() > 4'000'000 && *reset.since_trigger < *reset.minimum_round_trip / 2 &&
                   usual_gap >= telling_gap * capture::seconds(*reset.minimum_round_trip);
  const bool first = std::none_of(all.begin(), all.end(), [&](const classify::Reset& other) { return other.flow == reset.flow && other.way == reset.way && other.ordinal < reset.ordinal; });
  signs.sequence = reset.sequence_offset != 0 && reset.sequence_offset < 1'000'000 && reset.sequence_offset > (first ? -1'000'000 : 0);
  // Honest resets of closed ports carry identification 0: an outlier tells only where both sides were busy.
  signs.ip_id = reset.ip_id_outlier && reset.ip_id != 0 && both_active;
  for (const auto& other : all)
    if (&other != &reset && other.flow == reset.flow && other.way == reset.way && other.sequence != reset.sequence && std::max(other.sequence_offset, reset.sequence_offset) > 0 && std::chrono::abs(other.time - reset.time) < soon)
      signs.second = true;
  signs.count = signs.ttl + signs.data_after + signs.too_soon + (signs.sequence || signs.second ? 1 : 0) + signs.ip_id;
  return signs;
}

}  // namespace

std::vector<Finding> injected_reset(const DetectorInput& input) {
  const auto& observation = input.observation;
  std::map<std::string_view, Finding> by_application;
  std::map<std::string_view, std::size_t> strong;
  for (const auto& reset : observation.classification->resets) {
    const auto* flow = find_flow(observation, reset.flow);
    const classify::Flow* told = flow != nullptr ? &flow->flow : nullptr;
    if (told == nullptr)
      for (const auto& candidate : observation.classification->flows)
        if (candidate.id == reset.flow) told = &candidate;
    // A closed connection answers stragglers with resets, and so do boxes beside it (RFC 9293 3.10.7.1); a damaged segment closes nothing.
    if (told == nullptr || reset.closing || reset.after_reset || reset.bad_checksum) continue;
    const bool sent = flow != nullptr && (reset.way == classify::Way::forward) == (flow->forward == Direction::sent);
    if (observation.local_known && sent) continue;
    const bool both_active = told->forward.packets > 3 && told->backward.packets > 3;
    const auto triggers = reset.way == classify::Way::forward ? told->backward.packets : told->forward.packets;
    const double usual_gap = triggers == 0 ? 0 : capture::seconds(told->last_time - told->first_time) / static_cast<double>(triggers);
    const auto signs = signs_of(reset, observation.classification->resets, both_active, usual_gap);
    // Another time to live alone may be a load balancer's; on connection after connection in full use it isn't.
    const bool only_ttl = signs.count == 1 && signs.ttl && both_active;
    if (signs.count < least_signs && !only_ttl) continue;
    const std::string_view application = flow != nullptr ? application_of(observation, *flow) : told->label.application;
    if (!makes_calls(application)) continue;   // the web's resets say nothing of calls
    auto& finding = by_application[application];
    if (!finding.count) {
      finding.kind = FindingKind::injected_reset;
      finding.mechanism = Mechanism::tcp_rst;
      finding.application = application;
      finding.direction = Direction::received;
      finding.start_time = reset.time;
      finding.count = 0;
    }
    finding.end_time = std::max(finding.end_time, reset.time);
    finding.start_time = std::min(finding.start_time, reset.time);
    ++*finding.count;
    finding.packets.push_back(reset.ordinal);
    if (std::find(finding.flows.begin(), finding.flows.end(), reset.flow) == finding.flows.end()) finding.flows.push_back(reset.flow);
    if (flow != nullptr && flow->call && std::find(finding.calls.begin(), finding.calls.end(), *flow->call) == finding.calls.end())
      finding.calls.push_back(*flow->call);
    finding.numbers["signs"] = std::max(finding.numbers["signs"], static_cast<double>(signs.count));
    strong[application] += only_ttl ? 0 : 1;
    finding.numbers["ttl_differs"] += signs.ttl;
    finding.numbers["data_after"] += signs.data_after;
    finding.numbers["sooner_than_round_trip"] += signs.too_soon;
    finding.numbers["sequence_inconsistent"] += signs.sequence || signs.second;
    if (classify::is_nearby(reset.time_to_live) && reset.flow_time_to_live != 0 && !classify::is_nearby(reset.flow_time_to_live)) ++finding.numbers["from_nearby"];
    if (reset.time_to_live != 0) finding.numbers["hops_of_reset"] = classify::hops_of(reset.time_to_live);
    if (reset.flow_time_to_live != 0) finding.numbers["hops_of_flow"] = classify::hops_of(reset.flow_time_to_live);
  }
  std::vector<Finding> findings;
  for (auto& [application, finding] : by_application) {
    using enum AlternativeStatus;
    if (strong[application] == 0 && finding.flows.size() < least_connections_by_ttl) continue;
    finding.confidence = *finding.count >= 2 || finding.numbers["signs"] >= 3 ? 0.99 : 0.9;
    finding.alternatives = {{"application_server", finding.numbers["data_after"] > 0 ? ruled_out : not_ruled_out, "server_went_on_sending", {}},
                            {"remote_end", not_ruled_out, "one_end_captured", {}}};
    if (const auto nearby = finding.numbers.find("from_nearby"); nearby != finding.numbers.end()) {
      if (nearby->second * 2 > static_cast<double>(*finding.count)) finding.confidence = from_nearby;
      finding.alternatives.push_back({"own_router", not_ruled_out, "sent_from_nearby", {}});
    }
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace callwitness::metrics
