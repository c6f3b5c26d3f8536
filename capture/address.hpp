// Addresses and five-tuples as values.
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
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
  bool operator==(const IpAddress& other) const {
    return word(0) == other.word(0) && word(8) == other.word(8) && version == other.version;
  }
  /// By bytes, then version. As words: every packet is compared, and a call of memcmp costs more than the comparison.
  std::strong_ordering operator<=>(const IpAddress& other) const {
    if (word(0) != other.word(0)) return big_endian(0) <=> other.big_endian(0);
    if (word(8) != other.word(8)) return big_endian(8) <=> other.big_endian(8);
    return version <=> other.version;
  }

 private:
  std::uint64_t word(std::size_t at) const {
    std::uint64_t value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
  }
  std::uint64_t big_endian(std::size_t at) const {
    return std::endian::native == std::endian::little ? __builtin_bswap64(word(at)) : word(at);
  }
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
