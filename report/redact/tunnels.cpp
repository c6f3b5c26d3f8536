// Tunnels that capture/decoding/tunnels.cpp follows: what is inside them is scrubbed like what is outside.
#include "report/redact/network.hpp"

#include "capture/decoding/layers.hpp"

#include <algorithm>

namespace callwitness::report {
namespace {

namespace ether_type = capture::ether_type;

bool begins_ip(Payload packet) { return packet.size() >= 20 && (packet[0] >> 4 == 4 || packet[0] >> 4 == 6); }

/// 3GPP TS 29.281, 5.1: where the user's packet begins; 0: there is none.
std::size_t gtp_header(Payload payload) {
  constexpr std::uint8_t user_data = 255;
  if (payload.size() < 8 || (payload[0] & 0xf0) != 0x30 || payload[1] != user_data) return 0;
  if ((payload[0] & 7) == 0) return 8;
  if (payload.size() < 12) return 0;
  std::size_t at = 12;
  std::uint8_t next = payload[11];
  for (int i = 0; next != 0 && (payload[0] & 4) && i < 8; ++i) {
    const std::size_t words = at < payload.size() ? payload[at] : 0;
    if (words == 0 || at + words * 4 > payload.size()) return 0;
    at += words * 4;
    next = payload[at - 1];
  }
  return at;
}

}  // namespace

/// RFC 2784, RFC 2890, and version 1 of PPTP (RFC 2637).
std::size_t NetworkScrubber::scrub_gre(Payload packet, int depth) {
  constexpr std::uint16_t checksum = 0x8000, key = 0x2000, sequence = 0x1000, acknowledge = 0x0080;
  if (packet.size() < 4) return 0;
  const std::uint16_t flags = u16(packet, 0), type = u16(packet, 2);
  const unsigned version = flags & 7;
  std::size_t header = 4;
  for (const auto flag : {checksum, key, sequence}) header += flags & flag ? 4 : 0;
  if (version == 1 && (flags & acknowledge)) header += 4;
  if (packet.size() <= header) return packet.size();
  const Payload inner = packet.subspan(header);
  switch (type) {
    case ether_type::ipv4: case ether_type::ipv6: return header + scrub_ip(inner, depth + 1);
    case ether_type::mpls: case ether_type::mpls_multicast: return header + scrub_mpls(inner, depth + 1);
    case ether_type::bridged: return header + scrub_link(inner, 1, depth + 1);
    case ether_type::ppp: return header + scrub_ppp(inner, depth + 1);
    default: return header;
  }
}

std::optional<std::size_t> NetworkScrubber::scrub_tunnel(Payload payload, std::uint16_t source, std::uint16_t destination, int depth) {
  constexpr std::uint16_t gtp_user = 2152, vxlan = 4789, vxlan_linux = 8472, teredo = 3544, geneve = 6081;
  constexpr std::size_t vxlan_header = 8, ethernet_header = 14;
  const auto inside = [&](std::size_t header, auto scrub) -> std::size_t { return header + (payload.size() > header ? scrub(payload.subspan(header)) : 0); };
  const auto ip = [&](Payload inner) { return scrub_ip(inner, depth + 1); };
  const auto ethernet = [&](Payload inner) { return scrub_link(inner, 1, depth + 1); };
  if (source == gtp_user || destination == gtp_user) {
    const std::size_t header = gtp_header(payload);
    if (header != 0 && payload.size() > header && begins_ip(payload.subspan(header))) return inside(header, ip);
  } else if (destination == vxlan || destination == vxlan_linux) {
    if (payload.size() > vxlan_header + ethernet_header && payload[0] == 8) return inside(vxlan_header, ethernet);
  } else if (destination == geneve && payload.size() > vxlan_header && payload[0] >> 6 == 0) {
    const std::size_t header = 8 + (payload[0] & 0x3fu) * 4;
    const std::uint16_t type = u16(payload, 2);
    if (payload.size() > header) std::fill(payload.begin() + 8, payload.begin() + header, 0);
    if (type == ether_type::bridged) return inside(header, ethernet);
    if (type == ether_type::ipv4 || type == ether_type::ipv6) return inside(header, ip);
  } else if ((source == teredo || destination == teredo) && payload.size() >= 40 && payload[0] >> 4 == 6) {
    return inside(0, ip);
  }
  return std::nullopt;
}

}  // namespace callwitness::report
