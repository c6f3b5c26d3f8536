#include "metrics/host_traffic.hpp"

#include "classify/nearness.hpp"

#include <algorithm>

namespace callwitness::metrics {
namespace {

constexpr std::uint64_t least_answers = 2;   ///< packets: one may be a refusal
constexpr std::uint16_t of_the_network[] = {53, 67, 123, 137, 1900, 5353, 5355};
constexpr std::uint16_t customary_tcp[] = {25, 53, 80, 110, 143, 443, 465, 587, 853, 993, 995, 5222, 5223, 5228, 5229, 5230, 8080};
constexpr std::uint16_t customary_udp[] = {53, 67, 80, 123, 137, 443, 500, 853, 1900, 4500, 5353, 5355};

template <std::size_t size>
bool is_among(const std::uint16_t (&ports)[size], std::uint16_t port) { return std::find(std::begin(ports), std::end(ports), port) != std::end(ports); }

bool leaves_the_link(const capture::FiveTuple& tuple) {
  return !classify::is_same_link(tuple.source.address, tuple.destination.address) && !tuple.destination.address.is_multicast() && !tuple.destination.address.is_loopback();
}

}  // namespace

bool is_customary_port(std::uint8_t protocol, std::uint16_t port) {
  return protocol == capture::protocol::udp ? is_among(customary_udp, port) : is_among(customary_tcp, port);
}

HostTraffic traffic_of(const classify::Classification& classification, const std::set<capture::IpAddress>& hosts, std::string_view application,
                       capture::Time from, capture::Time to) {
  const bool any = hosts.empty() || std::any_of(hosts.begin(), hosts.end(), [](const auto& host) { return host.version == 0 || host.is_loopback(); });
  HostTraffic traffic;
  for (const auto& flow : classification.flows) {
    const auto& tuple = flow.five_tuple;
    if (flow.backward.packets < least_answers || flow.last_time < from || flow.first_time > to) continue;
    const bool asked = hosts.contains(tuple.source.address);
    if (!any && !asked && !hosts.contains(tuple.destination.address)) continue;
    const auto port = any || asked ? tuple.destination.port : tuple.source.port;
    const bool udp = tuple.protocol == capture::protocol::udp, tcp = tuple.protocol == capture::protocol::tcp;
    if (flow.label.application != application) {
      ++traffic.others;
      traffic.others_packets += asked || any ? flow.backward.packets : flow.forward.packets;
      if (udp && !is_among(of_the_network, port)) ++traffic.others_udp;
    }
    if (!leaves_the_link(tuple) || is_customary_port(tuple.protocol, port)) continue;
    // A connection that was only refused shows no open port.
    if (udp) ++traffic.unusual_udp;
    else if (tcp && flow.backward.packets > least_answers && flow.backward.ip_bytes > 60 * flow.backward.packets) ++traffic.unusual_tcp;
  }
  return traffic;
}

AnsweredAddresses::AnsweredAddresses(const classify::Classification& classification) {
  for (const auto& flow : classification.flows) {
    if (flow.forward.packets == 0 || flow.backward.packets == 0 || !leaves_the_link(flow.five_tuple)) continue;
    const auto protocol = flow.five_tuple.protocol;
    if (protocol == capture::protocol::icmp || protocol == capture::protocol::icmpv6) continue;
    addresses_.insert(flow.five_tuple.source.address);
    addresses_.insert(flow.five_tuple.destination.address);
    (flow.five_tuple.source.address.version == 4 ? version_4_ : version_6_) = true;
  }
}

bool AnsweredAddresses::contains(const capture::IpAddress& address) const {
  return address.version == 0 || address.is_loopback() || addresses_.contains(address);
}

}  // namespace callwitness::metrics
