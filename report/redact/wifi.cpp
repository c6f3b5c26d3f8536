// IEEE 802.11 (9.2-9.3): stations' addresses become pseudonyms; what a data frame carries in the clear is followed, names of
// networks, enciphered bodies and frame check sequences (which would give the addresses away) are cut.
#include "report/redact/network.hpp"

#include <algorithm>

namespace callwitness::report {

std::size_t NetworkScrubber::scrub_radiotap(Payload frame, int depth) {
  if (frame.size() < 8 || frame[0] != 0) return emptied();
  const std::size_t length = frame[2] | frame[3] << 8;
  if (length < 8 || length > frame.size()) return emptied();
  return length + scrub_wifi(frame.subspan(length), depth);
}

std::size_t NetworkScrubber::scrub_wifi(Payload frame, int depth) {
  constexpr std::uint16_t to_ds = 0x0100, from_ds = 0x0200, protected_frame = 0x4000, order = 0x8000;
  constexpr unsigned control_type = 1, data_type = 2, clear_to_send = 12, acknowledgement = 13, quality_of_service = 8, no_data = 4;
  if (frame.size() < 10) return emptied();
  const auto control = static_cast<std::uint16_t>(frame[0] | frame[1] << 8);
  const unsigned type = control >> 2 & 3, subtype = control >> 4 & 15;
  const bool one_address = type == control_type && (subtype == clear_to_send || subtype == acknowledgement);
  const bool two_addresses = type == control_type && !one_address;
  std::size_t header = one_address ? 10 : two_addresses ? 16 : 24;
  const bool four_addresses = type == data_type && (control & to_ds) && (control & from_ds);
  if (frame.size() < header) return emptied();
  for (std::size_t at = 4; at + 6 <= header; at += 6) pseudonyms_.mac(frame.subspan(at, 6));   // the third ends at 22
  if (four_addresses) {
    if (frame.size() < 30) return emptied();
    pseudonyms_.mac(frame.subspan(24, 6));
    header = 30;
  }
  if (type != data_type || (subtype & no_data) || (control & protected_frame)) return emptied(header);
  bool aggregated = false;
  if (subtype & quality_of_service) {
    if (frame.size() < header + 2) return emptied(header);
    aggregated = frame[header] & 0x80;
    header += control & order ? 6 : 2;
  }
  if (frame.size() <= header) return emptied(std::min(header, frame.size()));
  const Payload body = frame.subspan(header);
  return header + (aggregated ? scrub_aggregate(body, depth) : scrub_llc(body, depth));
}

/// A-MSDU: destination, source, length, LLC; each but the last padded to four bytes.
std::size_t NetworkScrubber::scrub_aggregate(Payload body, int depth) {
  std::size_t at = 0, shown = 0;
  while (body.size() > at + 14) {
    const Payload part = body.subspan(at);
    const std::size_t length = u16(part, 12);
    if (length < 8) break;
    pseudonyms_.mac(part.subspan(0, 6));
    pseudonyms_.mac(part.subspan(6, 6));
    const Payload packet = part.subspan(14, std::min(length, part.size() - 14));
    const std::size_t kept = std::min(scrub_llc(packet, depth), packet.size());
    std::fill(packet.begin() + kept, packet.end(), 0);
    shown = at + 14 + kept;
    const std::size_t next = at + (14 + length + 3) / 4 * 4;
    std::fill(body.begin() + std::min(at + 14 + length, body.size()), body.begin() + std::min(next, body.size()), 0);
    at = next;
  }
  return shown;
}

}  // namespace callwitness::report
