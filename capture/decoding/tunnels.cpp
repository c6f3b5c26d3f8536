#include "capture/decoding/decoder_state.hpp"

namespace callwitness::capture {

/// An IP header that fits into what there is: enough to tell a tunnel from chance on the same port.
bool Decoder::State::plausible_ip(Slice ip) const {
  if (ip.bytes.size() < 20) return false;
  if (ip.bytes[0] >> 4 == 4) {
    const std::size_t header = (ip.bytes[0] & 15u) * 4;
    const std::size_t total = static_cast<std::size_t>(ip.bytes[2] << 8 | ip.bytes[3]);
    return header >= 20 && total >= header && total <= ip.wire;
  }
  if (ip.bytes[0] >> 4 != 6 || ip.bytes.size() < 40) return false;
  return static_cast<std::size_t>(ip.bytes[4] << 8 | ip.bytes[5]) + 40 <= ip.wire;
}

bool Decoder::State::inner_ip(Slice ip, int depth) {
  if (!plausible_ip(ip) || too_deep(depth + 1)) return false;
  if (ip.bytes[0] >> 4 == 4) ipv4(ip, depth + 1);
  else ipv6(ip, depth + 1);
  return true;
}

/// RFC 2784, RFC 2890, and version 1 of PPTP (RFC 2637).
bool Decoder::State::gre(Slice outer, int depth) {
  constexpr std::uint16_t checksum = 0x8000, routing = 0x4000, key = 0x2000, sequence = 0x1000, acknowledge = 0x0080;
  Cursor cursor(outer.bytes);
  const std::uint16_t flags = cursor.u16(), type = cursor.u16();
  const unsigned version = flags & 7;
  if (!cursor.ok() || version > 1 || (flags & routing)) return false;
  if (flags & checksum) cursor.skip(4);
  if (flags & key) cursor.skip(4);
  if (flags & sequence) cursor.skip(4);
  if (version == 1 && (flags & acknowledge)) cursor.skip(4);
  if (!cursor.ok()) return false;
  const Slice inner = outer.after(cursor.position());
  if (type == ether_type::ipv4 || type == ether_type::ipv6) return inner_ip(inner, depth);
  if (too_deep(depth + 2)) return false;
  if (type == ether_type::bridged && inner.bytes.size() >= 14) {
    ethernet(inner, depth + 1);
    return true;
  }
  if (type == ether_type::mpls || type == ether_type::mpls_multicast) {
    mpls(inner, depth + 1);
    return true;
  }
  if (type == ether_type::ppp) {
    const auto result = read_ppp(inner);
    if (!result || (result->ether_type != ether_type::ipv4 && result->ether_type != ether_type::ipv6)) return false;
    return inner_ip(result->payload, depth);
  }
  return false;
}

/// True when the datagram was a tunnel's and what is inside was delivered instead.
bool Decoder::State::udp_tunnel(const Datagram& datagram, int depth) {
  const std::uint16_t source = datagram.five_tuple.source.port, destination = datagram.five_tuple.destination.port;
  if (!may_be_tunnel(source, destination)) return false;
  const Slice inside{datagram.payload, datagram.payload_length};
  const auto inner_ethernet = [&](Slice frame) {
    if (frame.bytes.size() < 14 + 20 || too_deep(depth + 2)) return false;
    const auto type = static_cast<std::uint16_t>(frame.bytes[12] << 8 | frame.bytes[13]);
    const bool ip = (type == ether_type::ipv4 || type == ether_type::ipv6) && plausible_ip(frame.after(14));
    if (!ip && type != ether_type::vlan) return false;
    ethernet(frame, depth + 1);
    return true;
  };
  Cursor cursor(datagram.payload);
  if (destination == gtp_user || source == gtp_user) {
    // 3GPP TS 29.281, 5.1: version 1, protocol type 1; three optional fields stand together; extensions chain.
    const std::uint8_t flags = cursor.u8(), type = cursor.u8();
    const std::uint16_t length = cursor.u16();
    cursor.skip(4);   // tunnel endpoint
    constexpr std::uint8_t user_data = 255;
    if (!cursor.ok() || (flags & 0xf0) != 0x30 || type != user_data || length + 8u > inside.wire) return false;
    if (flags & 7) {
      cursor.skip(3);
      std::uint8_t next = cursor.u8();
      for (int i = 0; next != 0 && (flags & 4) && i < 8; ++i) {
        const std::size_t words = cursor.u8();
        if (words == 0) return false;
        cursor.skip(words * 4 - 2);
        next = cursor.u8();
      }
    }
    return cursor.ok() && inner_ip(inside.after(cursor.position()), depth);
  }
  if (destination == vxlan || destination == vxlan_linux) {
    constexpr std::uint32_t instance_valid = 0x08000000;   // RFC 7348, 5: all else zero
    const std::uint32_t flags = cursor.u32(), network = cursor.u32();
    return cursor.ok() && flags == instance_valid && (network & 0xff) == 0 && inner_ethernet(inside.after(8));
  }
  if (destination == geneve) {
    const std::uint8_t version_and_options = cursor.u8();   // RFC 8926, 3.4
    cursor.skip(1);
    const std::uint16_t type = cursor.u16();
    cursor.skip(4);
    if (!cursor.ok() || version_and_options >> 6 != 0) return false;
    const Slice inner = inside.after(8 + (version_and_options & 0x3fu) * 4);
    return type == ether_type::bridged ? inner_ethernet(inner) : (type == ether_type::ipv4 || type == ether_type::ipv6) && inner_ip(inner, depth);
  }
  if (source == teredo || destination == teredo)   // RFC 4380, 5.1.1: without its authentication header
    return !inside.bytes.empty() && inside.bytes[0] >> 4 == 6 && inner_ip(inside, depth);
  return false;
}

}  // namespace callwitness::capture
