#include "report/redact/payload.hpp"

#include "classify/protocols/rtcp.hpp"

#include <algorithm>

namespace callwitness::report {

std::size_t scrub_rtp(Payload payload, const PayloadContext& context) {
  constexpr std::size_t extension_limit = 64;
  std::size_t header = 12 + 4u * (payload[0] & 0x0f);
  if ((payload[0] & 0x10) && header + 4 <= payload.size()) {
    const std::size_t extension = 4 + 4u * (payload[header + 2] << 8 | payload[header + 3]);
    header += extension <= extension_limit ? extension : 4;   // of a long one its length, which tells where media begins
  }
  if (header >= payload.size()) header = std::min<std::size_t>(12, payload.size());
  // Padding alone (RFC 3550 5.1) is no voice, and only its last byte tells: kept as zeros up to it.
  if ((payload[0] & 0x20) && payload.size() > header && payload.back() == payload.size() - header) {
    std::fill(payload.begin() + header, payload.end() - 1, 0);
    return payload.size();
  }
  return keep_prefix(payload, header, context);
}

std::size_t scrub_rtcp(Payload payload, const PayloadContext& context) {
  std::size_t at = 0;
  const auto length_on_wire = std::max(context.wire_length, static_cast<std::uint32_t>(payload.size()));
  const auto compound = classify::parse_rtcp(payload, length_on_wire);
  const bool enciphered = compound && compound->encrypted;   // behind the first header: nothing that we can tell apart
  while (at + 4 <= payload.size()) {
    if (enciphered && at > 0) {
      std::fill(payload.begin() + at, payload.end(), 0);
      return payload.size();
    }
    const std::uint8_t type = payload[at + 1];
    const std::size_t length = 4 + 4u * (payload[at + 2] << 8 | payload[at + 3]);
    const Payload packet = payload.subspan(at, std::min(length, payload.size() - at));
    // Reports, feedback and their SSRCs stay; SDES items, reasons of a BYE and APP data are texts.
    if (type == 202 || type == 204) {
      const std::size_t text = std::min<std::size_t>(8, packet.size());
      std::fill(packet.begin() + text, packet.end(), 0);
      ++context.summary.names_replaced;
    } else if (type == 203) {
      const std::size_t sources = std::min<std::size_t>(4 + 4u * (packet[0] & 0x1f), packet.size());
      std::fill(packet.begin() + sources, packet.end(), 0);
    }
    at += packet.size();
  }
  return at;
}

}  // namespace callwitness::report
