// What a host's other traffic came to while its tries failed. Of that host alone: another of the same home may be cut off, or barred by its router.
#pragma once

#include "classify/call.hpp"

#include <set>
#include <string_view>

namespace callwitness::metrics {

/// Flows that were answered, by what they show of the network.
struct HostTraffic {
  std::size_t others = 0;            ///< of other applications
  std::size_t others_udp = 0;        ///< of those over UDP, look-ups and clocks aside
  std::uint64_t others_packets = 0;  ///< that came back in them
  /// One flow in full use will do as well as two.
  bool line_works() const { return others >= 2 || others_packets >= 100; }
  std::size_t unusual_tcp = 0, unusual_udp = 0;   ///< of any application, at ports that closed networks don't let through
};

/// `hosts`: the addresses of one host (empty, or loopback among them: any). Flows between `from` and `to`, beyond the own link.
HostTraffic traffic_of(const classify::Classification& classification, const std::set<capture::IpAddress>& hosts, std::string_view application,
                       capture::Time from, capture::Time to);

/// Ports that hotels and offices let through when they let nothing else: names, clocks, the web, mail, push messages, VPN.
bool is_customary_port(std::uint8_t protocol, std::uint16_t port);

/// Addresses that took part in an exchange with somebody beyond their own link. Whoever isn't among them can't be answered
/// (RFC 2827: a foreign source address; a family without a route), whatever the network lets through.
class AnsweredAddresses {
 public:
  explicit AnsweredAddresses(const classify::Classification& classification);
  bool contains(const capture::IpAddress& address) const;
  bool has_family(std::uint8_t version) const { return version == 4 ? version_4_ : version_6_; }

 private:
  std::set<capture::IpAddress> addresses_;
  bool version_4_ = false, version_6_ = false;
};

}  // namespace callwitness::metrics
