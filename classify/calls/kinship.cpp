#include "classify/calls/kinship.hpp"

#include "capture/datagram.hpp"
#include "classify/calls/call_builder.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace callwitness::classify {
namespace {

// The reasons stand in docs/methods/applications.md.
constexpr double sure_enough = 0.65;          // a name weaker than this is not handed on
constexpr double trust = 0.95;                // in each kin's word
constexpr double port_only = 0.5;             // a port's guess gives way
constexpr int generations = 3;                // relay, socket, peer
constexpr std::size_t kin_limit = 64;         // asked at one endpoint: a server has any number
constexpr Duration same_time = std::chrono::seconds(60);

bool is_udp(const Flow& flow) { return flow.five_tuple.protocol == capture::protocol::udp; }

bool can_name(const Flow& flow) {
  return is_udp(flow) && flow.role != Role::tunnel && !is_generic(flow.label.application) && flow.label.confidence >= sure_enough;
}

/// SIP's and RTSP's flows have said what they are; flows without any label may be anything, unless they ask with STUN.
bool wants_name(const Flow& flow, const std::set<FlowId>& asking) {
  if (!is_udp(flow) || flow.role == Role::tunnel || flow.role == Role::signalling) return false;
  const auto key = flow.label.application;
  if (key.empty()) return asking.contains(flow.id);
  return key == "webrtc" || key == "rtp" || (flow.label.basis == Basis::port && flow.label.confidence < port_only);
}

bool at_one_time(const Flow& a, const Flow& b) {
  return a.first_time <= b.last_time + same_time && b.first_time <= a.last_time + same_time;
}

void hand_on(std::vector<Flow>& flows, const std::set<FlowId>& asking) {
  std::vector<std::size_t> seekers;
  for (std::size_t i = 0; i < flows.size(); ++i) if (wants_name(flows[i], asking)) seekers.push_back(i);
  for (int generation = 0; generation < generations && !seekers.empty(); ++generation) {
    std::multimap<Endpoint, const Flow*> sockets;
    for (const auto& flow : flows) {
      if (!can_name(flow)) continue;
      sockets.emplace(flow.five_tuple.source, &flow);
      sockets.emplace(flow.five_tuple.destination, &flow);
    }
    std::vector<std::pair<std::size_t, Label>> found;
    for (const auto seeker : seekers) {
      const Flow& flow = flows[seeker];
      Label label;
      bool agree = true;
      for (const auto* endpoint : {&flow.five_tuple.source, &flow.five_tuple.destination}) {
        const auto [first, last] = sockets.equal_range(*endpoint);
        std::size_t asked = 0;
        for (auto kin = first; kin != last && agree && asked < kin_limit; ++kin, ++asked) {
          const Flow& other = *kin->second;
          if (!at_one_time(flow, other)) continue;
          agree = label.application.empty() || label.application == other.label.application;
          if (label.confidence < other.label.confidence) label = other.label;
        }
      }
      if (!label.application.empty() && agree) found.emplace_back(seeker, Label{label.application, label.confidence * trust, Basis::name});
    }
    if (found.empty()) return;
    for (const auto& [seeker, label] : found) flows[seeker].label = label;
    std::erase_if(seekers, [&](std::size_t i) { return !wants_name(flows[i], asking); });
  }
}

}  // namespace

void name_by_kin(std::vector<Flow>& flows, std::vector<Attempt>& attempts) {
  std::set<FlowId> asking;
  for (const auto& attempt : attempts) {
    if (attempt.application == "webrtc") asking.insert(attempt.flows.begin(), attempt.flows.end());
  }
  hand_on(flows, asking);
  std::map<FlowId, std::string_view> named;
  for (const auto& flow : flows) {
    if (asking.contains(flow.id) && !is_generic(flow.label.application)) named.emplace(flow.id, flow.label.application);
  }
  for (auto& attempt : attempts) {
    if (attempt.application != "webrtc" || attempt.flows.empty()) continue;
    if (const auto found = named.find(attempt.flows.front()); found != named.end()) attempt.application = found->second;
  }
}

}  // namespace callwitness::classify
