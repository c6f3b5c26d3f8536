#include "report/redact/payload.hpp"

#include <algorithm>

namespace callwitness::report {

std::size_t scrub_rtp(Payload payload, const PayloadContext& context) {
  constexpr std::size_t extension_limit = 64;
  std::size_t header = 12 + 4u * (payload[0] & 0x0f);
  if ((payload[0] & 0x10) && header + 4 <= payload.size()) {
    const std::size_t extension = 4 + 4u * (payload[header + 2] << 8 | payload[header + 3]);
    if (extension <= extension_limit) header += extension;
  }
  if (header >= payload.size()) header = std::min<std::size_t>(12, payload.size());
  return keep_prefix(payload, header, context);
}

std::size_t scrub_rtcp(Payload payload, const PayloadContext& context) {
  std::size_t at = 0;
  while (at + 4 <= payload.size()) {
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
