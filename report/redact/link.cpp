// Link layers, as capture/decoder.cpp reads them: what it follows is followed here, so that the copy decodes alike.
#include "report/redact/network.hpp"

#include "capture/decoding/layers.hpp"
#include "classify/application.hpp"

#include <algorithm>

namespace callwitness::report {
namespace {

namespace ether_type = capture::ether_type;

constexpr int nesting_limit = 8;

capture::Slice slice_of(Payload bytes) { return {bytes, static_cast<std::uint32_t>(bytes.size())}; }

}  // namespace

std::size_t NetworkScrubber::emptied(std::size_t shown) {
  ++summary_.emptied;
  return shown;
}

std::size_t NetworkScrubber::scrub_frame(Payload frame, capture::LinkType link_type) { return scrub_link(frame, static_cast<int>(link_type), 0); }

std::size_t NetworkScrubber::scrub_link(Payload frame, int link_type, int depth) {
  constexpr std::size_t prism_size = 144;
  if (depth > nesting_limit) return emptied();
  switch (link_type) {   // https://www.tcpdump.org/linktypes.html
    case 1: return scrub_ethernet(frame, depth);
    case 12: case 14: case 101: case 228: case 229: return scrub_ip(frame, depth);
    case 0: case 108:   // BSD loopback: four bytes of address family
      return frame.size() > 4 ? 4 + scrub_ip(frame.subspan(4), depth) : 0;
    case 113: return scrub_cooked(frame, 16, 14, 6, depth);
    case 276: return scrub_cooked(frame, 20, 0, 12, depth);
    case 9: return scrub_ppp(frame, depth);
    case 50: case 104:   // RFC 1662 begins with FF; Cisco's HDLC with a role, and an Ethernet type at 2
      if (frame.size() > 4 && (link_type == 104 || frame[0] != 0xff)) return 4 + scrub_ether_type(frame.subspan(4), u16(frame, 2), depth);
      return scrub_ppp(frame, depth);
    case 51: return scrub_pppoe(frame, depth);
    case 204: return frame.empty() ? 0 : 1 + scrub_ppp(frame.subspan(1), depth);
    case 105: return scrub_wifi(frame, depth);
    case 119: return frame.size() > prism_size ? prism_size + scrub_wifi(frame.subspan(prism_size), depth) : emptied();
    case 127: return scrub_radiotap(frame, depth);
    case 149: case 258: return scrub_pktap(frame, depth);
    default: return emptied();
  }
}

std::size_t NetworkScrubber::scrub_ethernet(Payload frame, int depth) {
  if (frame.size() < 14) return emptied();
  pseudonyms_.mac(frame.subspan(0, 6));
  pseudonyms_.mac(frame.subspan(6, 6));
  return 14 + scrub_ether_type(frame.subspan(14), u16(frame, 12), depth + 1);
}

std::size_t NetworkScrubber::scrub_cooked(Payload frame, std::size_t header, std::size_t type_at, std::size_t address_at, int depth) {
  constexpr std::uint16_t llc = 4;
  if (frame.size() < header) return emptied();
  std::fill_n(frame.begin() + address_at, 8, 0);
  const std::uint16_t type = u16(frame, type_at);
  const Payload packet = frame.subspan(header);
  return header + (type == llc ? scrub_llc(packet, depth) : scrub_ether_type(packet, type, depth));
}

std::size_t NetworkScrubber::scrub_ether_type(Payload packet, std::uint16_t type, int depth) {
  if (depth > nesting_limit) return emptied();
  std::size_t at = 0;
  while (type == ether_type::vlan || type == ether_type::service_vlan || type == ether_type::old_vlan) {
    if (packet.size() < at + 4 || at >= 4 * nesting_limit) return emptied(at);
    type = u16(packet, at + 2);
    at += 4;
  }
  const Payload rest = packet.subspan(at);
  switch (type) {
    case ether_type::ipv4: case ether_type::ipv6: return at + scrub_ip(rest, depth);
    case ether_type::mpls: case ether_type::mpls_multicast: return at + scrub_mpls(rest, depth);
    case ether_type::pppoe_session: return at + scrub_pppoe(rest, depth);
    default:
      if (type != 0 && type <= 1500) return at + scrub_llc(rest, depth);   // 802.3: a length
      return emptied(at);   // ARP, LLDP … tell names and addresses, and nothing of a call
  }
}

std::size_t NetworkScrubber::scrub_llc(Payload frame, int depth) {
  const auto result = capture::read_llc(slice_of(frame));
  if (!result || result->ether_type == 0) return emptied();
  const std::size_t header = frame.size() - result->payload.bytes.size();
  return header + scrub_ether_type(frame.subspan(header), result->ether_type, depth + 1);
}

std::size_t NetworkScrubber::scrub_ppp(Payload frame, int depth) {
  const auto result = capture::read_ppp(slice_of(frame));
  if (!result) return emptied();
  const std::size_t header = frame.size() - result->payload.bytes.size();
  return header + scrub_ether_type(frame.subspan(header), result->ether_type, depth + 1);   // names and secrets of log-ins: type 0
}

std::size_t NetworkScrubber::scrub_pppoe(Payload session, int depth) {
  if (session.size() < 6) return emptied();
  return 6 + scrub_ppp(session.subspan(6), depth);
}

std::size_t NetworkScrubber::scrub_mpls(Payload labels, int depth) {
  std::size_t at = 0;
  for (bool last = false; !last; at += 4) {
    if (labels.size() < at + 4 || at >= 16 * 4) return emptied(at);
    last = labels[at + 2] & 1;
  }
  const Payload inner = labels.subspan(at);
  if (!inner.empty() && (inner[0] >> 4 == 4 || inner[0] >> 4 == 6)) return at + scrub_ip(inner, depth + 1);
  if (inner.size() > 4 && inner[0] >> 4 == 0 && depth < nesting_limit) return at + 4 + scrub_ethernet(inner.subspan(4), depth + 1);
  return emptied(at);
}

/// Apple's header: of a program's name what we know as an application's stays, for it names no person.
std::size_t NetworkScrubber::scrub_pktap(Payload frame, int depth) {
  constexpr std::size_t smallest = 108, flags_at = 36, name_at = 56, name_size = 20;
  const auto u32_le = [&](std::size_t at) { return frame[at] | frame[at + 1] << 8 | frame[at + 2] << 16 | static_cast<std::uint32_t>(frame[at + 3]) << 24; };
  if (frame.size() < smallest || u32_le(0) < smallest || u32_le(0) > frame.size()) return emptied();
  const std::size_t length = u32_le(0);
  const auto name = frame.subspan(name_at, name_size);
  const std::string_view program(reinterpret_cast<const char*>(name.data()), static_cast<std::size_t>(std::find(name.begin(), name.end(), 0) - name.begin()));
  const bool keep = classify::application_of_owner(program) != nullptr;
  std::fill(frame.begin() + 12, frame.begin() + flags_at, 0);
  std::fill(frame.begin() + flags_at + 4, frame.begin() + name_at, 0);
  std::fill(frame.begin() + name_at + (keep ? name_size : 0), frame.begin() + length, 0);
  return length + scrub_link(frame.subspan(length), static_cast<int>(u32_le(8)), depth + 1);
}

}  // namespace callwitness::report
