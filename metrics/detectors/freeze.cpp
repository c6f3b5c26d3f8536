// D3: connections that go dead after the same amount of traffic, again and again. docs/methods/freeze.md
#include "metrics/finding_support.hpp"
#include "metrics/interruptions.hpp"
#include "metrics/statistics.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace callwitness::metrics {
namespace {

constexpr std::size_t fewest = 3, fewest_to_accuse = 4;
constexpr double widest = 0.10, widest_to_accuse = 0.05;   ///< coefficient of variation of the offsets
constexpr double least_bytes = 5'000;                      ///< received: less is a handshake that a dead server can answer alike each time
constexpr std::uint64_t least_packets = 20;
constexpr std::int64_t least_silence = 5;                  ///< seconds in which nothing comes
constexpr std::int64_t least_sending = 3;                  ///< of them in which we go on sending
constexpr double clearly_more_even = 1.5;                  ///< than their ages, for the amounts to be what decides
constexpr double steady_age = 0.015;                       ///< of that little variation a timer may be the cause anyway
constexpr double early = 0.5;                              ///< seconds: a flow that the capture found running has no offset
constexpr double least_apart = 8;                          ///< seconds: what dies at once is one event

struct Death { const FlowObservation* flow; double time, age, bytes, packets; Interruption::Others others; };

/// Where the flow received its last while it went on sending; nothing where it ended otherwise.
std::optional<Death> death_of(const Observation& observation, const FlowObservation& flow) {
  const auto& way = flow.forward == Direction::sent ? flow.flow.backward : flow.flow.forward;
  const double begin = capture::seconds(flow.flow.first_time - observation.first_time);
  double bytes = 0;
  std::int64_t last = -1;
  for (std::size_t i = 0; i < flow.bytes.received.size(); ++i)
    if (flow.bytes.received[i] > 0) bytes += flow.bytes.received[i], last = static_cast<std::int64_t>(i);
  if (last < 0 || begin < early || way.packets < least_packets || bytes < least_bytes) return std::nullopt;
  const auto size = static_cast<std::int64_t>(flow.bytes.sent.size());
  if (size - last <= least_silence) return std::nullopt;
  std::int64_t sending = 0;
  for (std::int64_t i = last + 1; i < size && i <= last + least_silence; ++i) sending += flow.bytes.sent[static_cast<std::size_t>(i)] > 0 ? 1 : 0;
  double at = capture::seconds(flow.bytes.start - observation.first_time) + static_cast<double>(last) + 1;
  for (const auto& packet : flow.trace)
    if (packet.direction == Direction::received) at = capture::seconds(packet.time - observation.first_time);
  if (sending < least_sending || closed_politely(observation, flow, at)) return std::nullopt;
  const auto company = company_of(observation, flow, at, at + static_cast<double>(least_silence));
  return Death{&flow, at, at - begin, bytes, static_cast<double>(way.packets), company.others};
}

std::vector<double> all_of(const std::vector<Death>& deaths, double Death::*offset) {
  std::vector<double> values;
  for (const auto& death : deaths) values.push_back(death.*offset);
  return values;
}

}  // namespace

std::vector<Finding> freeze(const DetectorInput& input) {
  const auto& observation = input.observation;
  std::map<std::string_view, std::vector<Death>> by_application;
  for (const auto& flow : observation.flows) {
    const auto application = application_of(observation, flow);
    if (application.empty() || !(flow.call || flow.flow.role == classify::Role::media)) continue;
    const auto death = death_of(observation, flow);
    auto& deaths = by_application[application];
    if (death && (deaths.empty() || death->time - deaths.back().time >= least_apart)) deaths.push_back(*death);
  }
  std::vector<Finding> findings;
  for (const auto& [application, deaths] : by_application) {
    if (deaths.size() < fewest) continue;
    const auto bytes = all_of(deaths, &Death::bytes), packets = all_of(deaths, &Death::packets), ages = all_of(deaths, &Death::age);
    const double deviation = std::min(standard_deviation(bytes) / mean(bytes), standard_deviation(packets) / mean(packets));
    // A steady stream has the same amount after the same time: then it is a matter of time (cuts.cpp).
    if (standard_deviation(ages) / mean(ages) < std::max(steady_age, clearly_more_even * deviation)) continue;
    std::set<capture::IpAddress> hosts;
    std::size_t alive = 0, dead = 0;
    Finding finding;
    for (const auto& death : deaths) {
      const auto& flow = *death.flow;
      hosts.insert(remote_address(flow));
      alive += death.others == Interruption::Others::alive ? 1 : 0;
      dead += death.others == Interruption::Others::dead ? 1 : 0;
      finding.flows.push_back(flow.flow.id);
      if (flow.call && std::find(finding.calls.begin(), finding.calls.end(), *flow.call) == finding.calls.end()) finding.calls.push_back(*flow.call);
    }
    if (deviation > widest || dead > 0) continue;
    // One server may die of the same thing each time; several don't.
    const bool firm = deaths.size() >= fewest_to_accuse && deviation <= widest_to_accuse && alive >= fewest && hosts.size() >= 2;
    finding.kind = FindingKind::freeze;
    finding.mechanism = deaths.front().flow->tcp ? Mechanism::silence : Mechanism::udp_blackhole;
    finding.application = application;
    finding.direction = Direction::received;
    finding.count = deaths.size();
    finding.start_time = time_at(observation, deaths.front().time);
    finding.end_time = time_at(observation, deaths.back().time);
    finding.confidence = firm ? 0.97 : 0.8;
    finding.numbers = {{"offset_bytes", mean(bytes)}, {"offset_packets", mean(packets)},
                       {"deviation", deviation}, {"hosts", static_cast<double>(hosts.size())}, {"others_alive", static_cast<double>(alive)}};
    using enum AlternativeStatus;
    finding.alternatives = {{"wifi", alive == deaths.size() ? ruled_out : untestable, alive == deaths.size() ? "others_stayed_alive" : "no_control_traffic", {}},
                            {"nat_timeout", ruled_out, "both_ways_active_before", {}},
                            {"application_server", hosts.size() >= 2 ? ruled_out : not_ruled_out, hosts.size() >= 2 ? "several_servers" : "server_may_be_down", {}},
                            {"remote_end", not_ruled_out, "one_end_captured", {}}};
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace callwitness::metrics
