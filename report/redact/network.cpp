#include "report/redact/network.hpp"

#include <algorithm>

namespace callwitness::report {
namespace {

namespace protocol = capture::protocol;

constexpr int nesting_limit = 8;

void put_u16(Payload bytes, std::size_t at, std::uint16_t value) {
  bytes[at] = static_cast<std::uint8_t>(value >> 8);
  bytes[at + 1] = static_cast<std::uint8_t>(value);
}

std::uint32_t sum(std::span<const std::uint8_t> bytes) {
  std::uint32_t total = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) total += i % 2 == 0 ? bytes[i] << 8 : bytes[i];
  return total;
}

/// RFC 1071.
std::uint16_t checksum(std::uint32_t total) {
  while (total > 0xffff) total = (total & 0xffff) + (total >> 16);
  return static_cast<std::uint16_t>(~total);
}

/// Right for the bytes that are shown, those that were cut counted as zero: `pseudo_header` is the sum over addresses,
/// protocol and length on the wire.
void renew_checksum(Payload shown, std::size_t at, std::uint32_t pseudo_header, bool optional) {
  if (shown.size() < at + 2 || (optional && u16(shown, at) == 0)) return;
  put_u16(shown, at, 0);
  const std::uint16_t value = checksum(pseudo_header + sum(shown));
  put_u16(shown, at, optional && value == 0 ? 0xffff : value);
}

void renew_transport_checksum(Payload shown, std::uint8_t transport, std::span<const std::uint8_t> addresses,
                              std::size_t length_on_wire) {
  const std::uint32_t pseudo = sum(addresses) + transport + static_cast<std::uint32_t>(length_on_wire);
  if (transport == protocol::udp) renew_checksum(shown, 6, pseudo, true);
  if (transport == protocol::tcp) renew_checksum(shown, 16, pseudo, false);
  if (transport == protocol::icmpv6) renew_checksum(shown, 2, pseudo, false);
  if (transport == protocol::icmp) renew_checksum(shown, 2, 0, false);
}

}  // namespace

void NetworkScrubber::replace_address(Payload bytes, capture::IpAddress& original) {
  capture::IpAddress address;
  address.version = bytes.size() == 4 ? 4 : 6;
  std::copy(bytes.begin(), bytes.end(), address.bytes.begin());
  original = address;
  const auto replaced = pseudonyms_.address(address);
  std::copy_n(replaced.bytes.begin(), bytes.size(), bytes.begin());
}

std::size_t NetworkScrubber::scrub_ip(Payload packet, int depth) {
  if (packet.empty() || depth > nesting_limit) return 0;
  if (packet[0] >> 4 == 4) return scrub_ip4(packet, depth);
  if (packet[0] >> 4 == 6) return scrub_ip6(packet, depth);
  return 0;
}

std::size_t NetworkScrubber::scrub_ip4(Payload packet, int depth) {
  const std::size_t header = 4u * (packet[0] & 0x0f);
  if (header < 20 || packet.size() < header) return 0;
  replace_address(packet.subspan(12, 4), five_tuple_.source.address);
  replace_address(packet.subspan(16, 4), five_tuple_.destination.address);
  std::fill(packet.begin() + 20, packet.begin() + header, 1);   // options (routes, addresses) become no-operations
  put_u16(packet, 10, 0);
  put_u16(packet, 10, checksum(sum(packet.first(header))));
  const std::size_t offset = 8u * (u16(packet, 6) & 0x1fff);
  const bool more = (u16(packet, 6) & 0x2000) != 0;
  const std::size_t total = u16(packet, 2) == 0 ? packet.size() : u16(packet, 2);
  const Payload bounded = packet.first(std::clamp(total, header, packet.size()));
  if (more || offset > 0) {
    if (const auto shown = scrub_fragment(bounded.subspan(header), offset, !more, u16(packet, 4), packet[9], packet.subspan(12, 8), depth); shown > 0) return header + shown;
  }
  if (offset != 0) return header;                               // a later fragment: payload without a header
  const std::size_t shown = scrub_transport(bounded, header, packet[9], depth);
  renew_transport_checksum(bounded.subspan(header, shown - header), packet[9], packet.subspan(12, 8), total - header);
  return shown;
}

std::size_t NetworkScrubber::scrub_ip6(Payload packet, int depth) {
  if (packet.size() < 40) return 0;
  replace_address(packet.subspan(8, 16), five_tuple_.source.address);
  replace_address(packet.subspan(24, 16), five_tuple_.destination.address);
  std::uint8_t next = packet[6];
  std::size_t at = 40;
  const std::size_t total = std::clamp<std::size_t>(40u + u16(packet, 4), 40, packet.size());
  const Payload bounded = packet.first(u16(packet, 4) == 0 ? packet.size() : total);
  for (int headers = 0; headers < 8; ++headers) {
    const bool fragment = next == 44;
    if (next != 0 && next != 43 && next != 60 && !fragment) break;
    if (bounded.size() < at + 8) return at;
    if (next == 43) return at;                                  // routing headers list addresses
    if (fragment) {
      const std::size_t offset = u16(bounded, at + 2) & 0xfff8;
      const bool more = (u16(bounded, at + 2) & 1) != 0;
      const std::uint32_t identification = static_cast<std::uint32_t>(u16(bounded, at + 4)) << 16 | u16(bounded, at + 6);
      if (more || offset > 0) {
        if (const auto shown = scrub_fragment(bounded.subspan(at + 8), offset, !more, identification, bounded[at], packet.subspan(8, 32), depth); shown > 0) return at + 8 + shown;
      }
      if (offset > 0) return at + 8;
    }
    next = bounded[at];
    at += fragment ? 8 : 8u * (bounded[at + 1] + 1u);
    if (at > bounded.size()) return bounded.size();
  }
  const std::size_t shown = scrub_transport(bounded, at, next, depth);
  renew_transport_checksum(bounded.subspan(at, shown - at), next, packet.subspan(8, 32), 40u + u16(packet, 4) - at);
  return shown;
}

std::size_t NetworkScrubber::scrub_fragment(Payload piece, std::size_t offset, bool last, std::uint32_t identification, std::uint8_t transport, Payload addresses, int depth) {
  if (wholes_ == nullptr || piece.empty()) return 0;
  const Wholes::FragmentKey key{five_tuple_.source.address, five_tuple_.destination.address, transport, identification};
  const auto rewrite = [&](Payload whole) {
    const std::size_t shown = std::min(scrub_transport(whole, 0, transport, depth), whole.size());
    std::fill(whole.begin() + static_cast<std::ptrdiff_t>(shown), whole.end(), std::uint8_t{0});
    renew_transport_checksum(whole, transport, addresses, whole.size());
  };
  return wholes_->fragment(key, {offset, last}, piece, rewrite) ? piece.size() : 0;
}

std::size_t NetworkScrubber::scrub_transport(Payload packet, std::size_t at, std::uint8_t transport, int depth) {
  const Payload rest = packet.subspan(at);
  switch (transport) {
    case protocol::udp: return at + scrub_udp(rest, depth);
    case protocol::tcp: return at + scrub_tcp(rest);
    case protocol::icmp: case protocol::icmpv6: return at + scrub_icmp(rest, depth);
    case protocol::gre: return at + scrub_gre(rest, depth);
    case 4: case 41: return at + scrub_ip(rest, depth + 1);     // IP in IP
    case protocol::esp: return at + std::min<std::size_t>(rest.size(), 8);
    default: return at;
  }
}

PayloadContext NetworkScrubber::context_of(Payload segment, std::uint8_t transport, std::uint32_t wire_length) {
  five_tuple_.source.port = u16(segment, 0);
  five_tuple_.destination.port = u16(segment, 2);
  five_tuple_.protocol = transport;
  return {pseudonyms_, summary_, five_tuple_.source.port, five_tuple_.destination.port, transport == protocol::tcp, &flows_, five_tuple_, wire_length};
}

std::size_t NetworkScrubber::scrub_udp(Payload segment, int depth) {
  if (segment.size() < 8) return segment.size();
  const std::uint16_t source = u16(segment, 0), destination = u16(segment, 2);
  const Payload payload = segment.subspan(8);
  if (const auto tunnel = scrub_tunnel(payload, source, destination, depth)) return 8 + *tunnel;
  return 8 + scrub_payload(payload, context_of(segment, protocol::udp, std::max<std::uint32_t>(u16(segment, 4), 8) - 8));
}

std::size_t NetworkScrubber::scrub_tcp(Payload segment) {
  if (segment.size() < 20) return segment.size();
  const std::size_t header = std::clamp<std::size_t>(4u * (segment[12] >> 4), 20, segment.size());
  const PayloadContext context = context_of(segment, protocol::tcp, 0);
  const Payload payload = segment.subspan(header);
  if (!payload.empty() && flows_.carries_frames(context.five_tuple)) {
    const auto sequence = static_cast<std::uint32_t>(u16(segment, 4)) << 16 | u16(segment, 6);
    return header + framed_.scrub(payload, sequence, context);
  }
  if (wholes_ != nullptr && !payload.empty()) {
    const auto sequence = static_cast<std::uint32_t>(u16(segment, 4)) << 16 | u16(segment, 6);
    const auto rewrite = [&](Payload message) {
      const std::size_t shown = scrub_sip(message, context);
      if (shown < message.size()) std::fill(message.begin(), message.end(), std::uint8_t{'\n'});   // doesn't fit: a line's end says nothing
    };
    if (wholes_->segment(context.five_tuple, sequence, payload, rewrite)) return header + payload.size();
  }
  return header + scrub_payload(payload, context);
}

std::size_t NetworkScrubber::scrub_icmp(Payload message, int depth) {
  if (message.size() <= 8) return message.size();
  // Errors quote the packet they are about: its addresses are replaced, its payload is cut.
  const std::uint8_t type = message[0];
  const bool is_error = type == 1 || type == 2 || type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
  if (type == 5) std::fill(message.begin() + 4, message.begin() + 8, 0);   // a redirect's gateway
  return is_error ? 8 + scrub_ip(message.subspan(8), depth + 1) : 8;
}

}  // namespace callwitness::report
