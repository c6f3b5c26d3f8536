#include "capture/decoding/layers.hpp"

namespace callwitness::capture {

namespace {
namespace ppp_protocol {
constexpr std::uint16_t ipv4 = 0x0021, ipv6 = 0x0057, mpls = 0x0281, mpls_multicast = 0x0283;
}

std::uint16_t ether_type_of_ppp(std::uint16_t value) {
  switch (value) {
    case ppp_protocol::ipv4: return ether_type::ipv4;
    case ppp_protocol::ipv6: return ether_type::ipv6;
    case ppp_protocol::mpls: return ether_type::mpls;
    case ppp_protocol::mpls_multicast: return ether_type::mpls_multicast;
    default: return 0;
  }
}
}  // namespace

/// RFC 1661, RFC 1662: address and control may be there or not, the protocol may be one byte (odd) or two.
std::optional<LinkResult> read_ppp(Slice frame) {
  Cursor cursor(frame.bytes);
  if (frame.bytes.size() >= 2 && frame.bytes[0] == 0xff && frame.bytes[1] == 0x03) cursor.skip(2);
  std::uint16_t value = cursor.u8();
  if ((value & 1) == 0) value = static_cast<std::uint16_t>(value << 8 | cursor.u8());
  if (!cursor.ok()) return std::nullopt;
  return LinkResult{ether_type_of_ppp(value), frame.after(cursor.position()), LinkDirection::unknown};
}

/// IEEE 802.2 with SNAP (RFC 1042, and with an OUI of Ethernet-in-802.11 bridges).
std::optional<LinkResult> read_llc(Slice frame) {
  constexpr std::uint8_t snap = 0xaa, ip_sap = 0x06, unnumbered = 0x03;
  Cursor cursor(frame.bytes);
  const std::uint8_t destination = cursor.u8(), source = cursor.u8(), control = cursor.u8();
  if (!cursor.ok()) return std::nullopt;
  if (destination == ip_sap && source == ip_sap && control == unnumbered)
    return LinkResult{ether_type::ipv4, frame.after(3), LinkDirection::unknown};
  if (destination != snap || source != snap || control != unnumbered) return LinkResult{0, frame.after(3), {}};
  const std::uint32_t organisation = cursor.u24();
  const std::uint16_t type = cursor.u16();
  if (!cursor.ok()) return std::nullopt;
  constexpr std::uint32_t encapsulated_ethernet = 0, bridge_tunnel = 0x0000f8;
  const bool is_ether_type = organisation == encapsulated_ethernet || organisation == bridge_tunnel;
  return LinkResult{is_ether_type ? type : std::uint16_t{0}, frame.after(cursor.position()), LinkDirection::unknown};
}

namespace {
LinkDirection direction_of_sll(std::uint16_t packet_type) {
  constexpr std::uint16_t to_us = 0, from_us = 4;
  if (packet_type == to_us) return LinkDirection::inbound;
  if (packet_type == from_us) return LinkDirection::outbound;
  return LinkDirection::unknown;
}

/// "Linux cooked" puts 802.2 frames under protocol 4, and 802.3 raw ones under 1.
std::optional<LinkResult> cooked(std::uint16_t type, Slice payload, LinkDirection direction) {
  constexpr std::uint16_t llc = 4;
  if (type != llc) return LinkResult{type, payload, direction};
  auto inner = read_llc(payload);
  if (inner) inner->direction = direction;
  return inner;
}
}  // namespace

std::optional<LinkResult> read_sll(Slice frame) {
  Cursor cursor(frame.bytes);
  const LinkDirection direction = direction_of_sll(cursor.u16());
  cursor.skip(12);   // hardware type, address length, address
  const std::uint16_t type = cursor.u16();
  if (!cursor.ok()) return std::nullopt;
  return cooked(type, frame.after(cursor.position()), direction);
}

std::optional<LinkResult> read_sll2(Slice frame) {
  Cursor cursor(frame.bytes);
  const std::uint16_t type = cursor.u16();
  cursor.skip(8);    // reserved, interface index, hardware type
  const LinkDirection direction = direction_of_sll(cursor.u8());
  cursor.skip(9);    // address length, address
  if (!cursor.ok()) return std::nullopt;
  return cooked(type, frame.after(cursor.position()), direction);
}

/// DLT_NULL and DLT_LOOP: an address family in some machine's order; the numbers for IPv6 differ between systems.
std::optional<LinkResult> read_loopback(Slice frame) {
  constexpr std::uint32_t inet = 2, inet6[] = {10, 23, 24, 26, 28, 30};
  Cursor cursor(frame.bytes);
  const std::uint32_t written = cursor.u32();
  if (!cursor.ok()) return std::nullopt;
  const std::uint32_t family = written > 0xffff ? __builtin_bswap32(written) : written;
  std::uint16_t type = 0;
  if (family == inet) type = ether_type::ipv4;
  if (std::find(std::begin(inet6), std::end(inet6), family) != std::end(inet6)) type = ether_type::ipv6;
  return LinkResult{type, frame.after(4), LinkDirection::unknown};
}

std::optional<LinkResult> read_raw_ip(Slice frame) {
  if (frame.bytes.empty()) return std::nullopt;
  const int version = frame.bytes[0] >> 4;
  const std::uint16_t type = version == 4 ? ether_type::ipv4 : version == 6 ? ether_type::ipv6 : std::uint16_t{0};
  return LinkResult{type, frame, LinkDirection::unknown};
}

std::optional<LinkResult> read_cisco_hdlc(Slice frame) {
  Cursor cursor(frame.bytes);
  cursor.skip(2);    // unicast or broadcast, control
  const std::uint16_t type = cursor.u16();
  if (!cursor.ok()) return std::nullopt;
  return LinkResult{type, frame.after(4), LinkDirection::unknown};
}

}  // namespace callwitness::capture
