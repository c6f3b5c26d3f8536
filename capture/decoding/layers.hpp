// What the layers hand to each other while a frame is decoded.
#pragma once

#include "capture/anomalies.hpp"
#include "capture/datagram.hpp"

#include <algorithm>
#include <optional>

namespace callwitness::capture {

/// A part of a frame: what was captured of it, and how long it was on the wire (never less).
struct Slice {
  Bytes bytes;
  std::uint32_t wire = 0;

  Slice after(std::size_t count) const {
    const std::size_t captured = std::min(count, bytes.size());
    return {bytes.subspan(captured), wire - static_cast<std::uint32_t>(std::min<std::size_t>(count, wire))};
  }
  /// At most `count` bytes: cuts padding and trailers off.
  Slice first(std::size_t count) const {
    return {bytes.first(std::min(count, bytes.size())), static_cast<std::uint32_t>(std::min<std::size_t>(count, wire))};
  }
  bool truncated() const { return bytes.size() < wire; }
};

namespace ether_type {
inline constexpr std::uint16_t ipv4 = 0x0800, ipv6 = 0x86dd, vlan = 0x8100, service_vlan = 0x88a8, old_vlan = 0x9100,
                               mpls = 0x8847, mpls_multicast = 0x8848, pppoe_session = 0x8864, bridged = 0x6558,
                               ppp = 0x880b, ppp_old = 0x0b;
}

/// What a network packet says of itself while its payload is decoded.
struct NetworkHeader {
  IpAddress source, destination;
  std::uint8_t protocol = 0;
  std::uint8_t time_to_live = 0;
  std::uint16_t ip_id = 0;
  std::uint32_t ip_length = 0;
  bool fragmented = false;
  bool cut = false;   ///< fragments were captured incompletely
};

/// RFC 9293 3.1, over the pseudo-header and the whole segment.
Checksum tcp_checksum(const NetworkHeader& header, Bytes segment);

/// Reads a link layer down to what the next layer is.
struct LinkResult {
  std::uint16_t ether_type = 0;
  Slice payload;
  LinkDirection direction = LinkDirection::unknown;
};

std::optional<LinkResult> read_ppp(Slice frame);
std::optional<LinkResult> read_llc(Slice frame);
std::optional<LinkResult> read_sll(Slice frame);
std::optional<LinkResult> read_sll2(Slice frame);
std::optional<LinkResult> read_loopback(Slice frame);
std::optional<LinkResult> read_raw_ip(Slice frame);
std::optional<LinkResult> read_cisco_hdlc(Slice frame);

TcpSegment read_tcp_options(TcpSegment segment, Bytes options);
std::optional<TcpSegment> read_tcp(Bytes header, Endpoint& source, Endpoint& destination, std::size_t& header_length);
/// The five-tuple of a packet quoted by an ICMP error.
std::optional<FiveTuple> read_quoted(Bytes quoted);
bool is_icmp_error(std::uint8_t protocol, std::uint8_t type);

}  // namespace callwitness::capture
