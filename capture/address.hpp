// Addresses and five-tuples as values.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace callwitness::capture {

/// An IPv4 or IPv6 address; `version` 0 is "none". IPv4 sits in the first four bytes, the rest are zero.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};
  std::uint8_t version = 0;

  static IpAddress v4(std::uint32_t host_order);
  static std::optional<IpAddress> parse(std::string_view text);
  bool is_private() const;    ///< RFC 1918, RFC 4193, link-local, carrier NAT (RFC 6598)
  bool is_loopback() const;
  bool is_multicast() const;  ///< multicast or limited broadcast
  /// Can be a host on the Internet: not private, loopback, multicast, unspecified, documentation is allowed.
  bool is_routable() const;
  std::string text() const;   ///< RFC 5952 for IPv6
  auto operator<=>(const IpAddress&) const = default;
};

struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;
  std::string text() const;   ///< "192.0.2.1:5060", "[2001:db8::1]:5060"
  auto operator<=>(const Endpoint&) const = default;
};

/// IANA protocol numbers that the pipeline tells apart; any other number may occur in FiveTuple::protocol.
namespace protocol {
inline constexpr std::uint8_t icmp = 1, tcp = 6, udp = 17, gre = 47, esp = 50, ah = 51, icmpv6 = 58, sctp = 132;
}

struct FiveTuple {
  Endpoint source;
  Endpoint destination;
  std::uint8_t protocol = 0;
  FiveTuple reversed() const { return {destination, source, protocol}; }
  auto operator<=>(const FiveTuple&) const = default;
};

}  // namespace callwitness::capture
