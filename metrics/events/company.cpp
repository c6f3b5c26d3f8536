#include "metrics/events/company.hpp"

#include "metrics/contrast.hpp"
#include "metrics/finding_support.hpp"

#include <algorithm>
#include <cmath>

namespace callwitness::metrics {
namespace {

constexpr double longest_redial = 60;       ///< seconds: later is another call
constexpr double longest_aftermath = 1800;  ///< seconds
constexpr std::size_t most_looked_at = 20'000;
constexpr std::uint64_t lives = 20;         ///< packets received

double at_of(const Observation& observation, Time time) { return capture::seconds(time - observation.first_time); }

/// Index of the first flow that began after `at`. Flows are in order of their first packets, but for clocks that step back.
std::size_t first_after(const Observation& observation, double at) {
  const auto& flows = observation.classification->flows;
  return static_cast<std::size_t>(std::partition_point(flows.begin(), flows.end(), [&](const auto& flow) { return at_of(observation, flow.first_time) <= at; }) - flows.begin());
}

const capture::Endpoint& remote_end(const classify::Flow& flow, Direction forward) {
  return forward == Direction::sent ? flow.five_tuple.destination : flow.five_tuple.source;
}

/// Name queries and connections begun between the two times by whoever else, that nobody answered then: too small to be
/// kept as flows, and yet the line is dead. (What an application sends about when it looks for a new path is no such sign.)
std::size_t unanswered_between(const Observation& observation, const FlowObservation& own, double from, double to) {
  constexpr std::uint16_t name_service = 53;
  constexpr auto late = std::chrono::seconds(2);
  std::size_t count = 0, looked = 0;
  const auto& flows = observation.classification->flows;
  for (std::size_t i = first_after(observation, from); i < flows.size() && looked < most_looked_at; ++i, ++looked) {
    const auto& flow = flows[i];
    const auto& tuple = flow.five_tuple;
    const double began = at_of(observation, flow.first_time);
    if (began > to) break;
    const bool query = tuple.protocol == capture::protocol::udp && tuple.destination.port == name_service;
    if (!(query || tuple.protocol == capture::protocol::tcp)) continue;
    FlowObservation other;
    other.flow = flow;
    other.forward = Direction::sent;   // who begins a query or a connection in a dead hour is our end
    if (!is_control(other, own)) continue;
    count += flow.backward.packets == 0 || (query && flow.last_time - flow.first_time >= late) ? 1 : 0;
  }
  return count;
}

}  // namespace

Company company_of(const Observation& observation, const FlowObservation& own, double from, double to) {
  double received = 0, sent = 0;
  for (const auto& flow : observation.flows) {
    const double offset = at_of(observation, flow.bytes.start);
    const auto size = static_cast<double>(std::max(flow.bytes.sent.size(), flow.bytes.received.size()));
    if (offset > to || offset + size < from || !is_control(flow, own)) continue;
    const auto first = static_cast<std::size_t>(std::max(0.0, std::ceil(from - offset)));
    const auto sum = [&](const std::vector<std::uint32_t>& series, double& into) {
      for (std::size_t i = first; i < series.size() && offset + static_cast<double>(i) + 1 <= to + 0.5; ++i) into += series[i] > 0 ? 1 : 0;
    };
    sum(flow.bytes.received, received);
    sum(flow.bytes.sent, sent);
  }
  using enum Interruption::Others;
  if (received > 0) return {alive, received};
  // A single second with something sent may be the tail of a connection that ended.
  return {sent > 1 || unanswered_between(observation, own, from, to) > 0 ? dead : absent, received};
}

std::optional<double> redialled_after(const Observation& observation, const FlowObservation& own, const Interruption& cut) {
  std::optional<double> soonest;
  const auto& flows = observation.classification->flows;
  std::size_t looked = 0;
  for (std::size_t i = first_after(observation, cut.start); i < flows.size() && looked < most_looked_at; ++i, ++looked) {
    const double began = at_of(observation, flows[i].first_time);
    if (began > cut.end + longest_redial) break;
    if (flows[i].id == own.flow.id || began <= cut.start || (soonest && began - cut.end >= *soonest)) continue;
    const auto* other = find_flow(observation, flows[i].id);
    if (other != nullptr && (other->call || flows[i].role == classify::Role::media) && same_party(*other, own)) soonest = began - cut.end;
  }
  return soonest;
}

Aftermath aftermath_of(const Observation& observation, const FlowObservation& own, const Interruption& cut) {
  Aftermath result;
  const auto& flows = observation.classification->flows;
  const auto& dead = remote_end(own.flow, own.forward);
  const auto application = application_of(observation, own);
  std::size_t looked = 0;
  for (std::size_t i = first_after(observation, cut.start); i < flows.size() && looked < most_looked_at; ++i, ++looked) {
    const auto& flow = flows[i];
    const double since = at_of(observation, flow.first_time) - cut.start;
    if (since > longest_aftermath) break;
    if (flow.id == own.flow.id) continue;
    const auto* seen = find_flow(observation, flow.id);
    const auto forward = seen != nullptr ? seen->forward : Direction::sent;
    const auto& remote = remote_end(flow, forward);
    const auto received = forward == Direction::sent ? flow.backward.packets : flow.forward.packets;
    const bool alive = received >= lives, tried = received == 0;
    if (remote.address == dead.address) {
      if (alive && !result.host_alive_from_s) result.host_alive_from_s = since;
      if (tried && !result.host_alive_from_s) result.host_dead_until_s = since;
    }
    if (remote == dead) {
      if (alive && !result.endpoint_alive_from_s) result.endpoint_alive_from_s = since;
      if (tried && !result.endpoint_alive_from_s) result.endpoint_dead_until_s = since;
    }
    const bool same_application = seen != nullptr && !application.empty() && application_of(observation, *seen) == application;
    if (alive && same_application && !result.application_alive_from_s && since <= longest_redial) {
      result.application_alive_from_s = since;
      result.over_tcp = flow.five_tuple.protocol == capture::protocol::tcp && own.flow.five_tuple.protocol == capture::protocol::udp;
      result.elsewhere = remote.address != dead.address;
    }
  }
  return result;
}

}  // namespace callwitness::metrics
