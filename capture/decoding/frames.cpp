#include "capture/decoding/decoder_state.hpp"

namespace callwitness::capture {

void Decoder::State::ethernet(Slice frame, int depth) {
  if (frame.bytes.size() < 14) return anomalies.count("truncated_header");
  const auto type = static_cast<std::uint16_t>(frame.bytes[12] << 8 | frame.bytes[13]);
  if (depth == 0) read_android_trailer(frame.bytes);
  network(type, frame.after(14), depth + 1);
}

/// PCAPdroid appends magic, user id and program name to each frame (docs/formats.md).
void Decoder::State::read_android_trailer(Bytes frame) {
  constexpr std::size_t name_size = 20;
  if (!has_android_trailer(frame)) [[likely]] return;
  Cursor trailer(frame.last(android_trailer_size));
  trailer.skip(8);   // magic, user id
  const Bytes name = trailer.take(name_size);
  const auto end = std::find(name.begin(), name.end(), 0);
  owner = {reinterpret_cast<const char*>(name.data()), static_cast<std::size_t>(end - name.begin())};
}

/// RFC 1662 framing with PPP inside, or Cisco's HDLC under the same link type.
void Decoder::State::hdlc_or_ppp(Slice frame, int depth) {
  constexpr std::uint8_t ppp_address = 0xff;
  const bool is_ppp = !frame.bytes.empty() && frame.bytes[0] == ppp_address;
  link(is_ppp ? read_ppp(frame) : read_cisco_hdlc(frame), depth);
}

void Decoder::State::ppp_with_direction(Slice frame, int depth) {
  if (frame.bytes.empty()) return anomalies.count("truncated_header");
  direction = frame.bytes[0] == 0 ? LinkDirection::inbound : LinkDirection::outbound;
  link(read_ppp(frame.after(1)), depth);
}

/// Apple's header in front of a frame of any link type: the program's name and the direction (docs/formats.md).
void Decoder::State::pktap(Slice frame, int depth) {
  constexpr std::uint32_t packet_follows = 1, inbound = 1, outbound = 2;
  constexpr std::size_t name_size = 17, smallest = 108;
  Cursor cursor(frame.bytes);
  const std::uint32_t length = cursor.u32_le(), kind = cursor.u32_le(), link_type = cursor.u32_le();
  cursor.skip(24);   // interface name
  const std::uint32_t flags = cursor.u32_le();
  cursor.skip(16);   // protocol family, lengths before and after the frame, process id
  const Bytes name = cursor.take(name_size);
  if (!cursor.ok() || length < smallest || length > frame.wire) return anomalies.count("pktap_bad");
  if (kind != packet_follows) return;
  if (flags & inbound) direction = LinkDirection::inbound;
  if (flags & outbound) direction = LinkDirection::outbound;
  const auto end = std::find(name.begin(), name.end(), 0);
  owner = {reinterpret_cast<const char*>(name.data()), static_cast<std::size_t>(end - name.begin())};
  this->frame(static_cast<std::uint16_t>(link_type), frame.after(length), depth + 1);
}

/// https://www.radiotap.org: little-endian; only the length matters here.
void Decoder::State::radiotap(Slice frame, int depth) {
  constexpr std::uint32_t more_words = 1u << 31;
  constexpr int most_words = 32;
  Cursor cursor(frame.bytes);
  const std::uint8_t version = cursor.u8();
  cursor.skip(1);
  const std::uint16_t length = cursor.u16_le();
  const std::uint32_t present = cursor.u32_le();
  std::uint32_t word = present;
  for (int i = 0; (word & more_words) && i < most_words; ++i) word = cursor.u32_le();
  if (!cursor.ok() || version != 0 || length < cursor.position()) return anomalies.count("truncated_header");
  wifi(frame.after(length), depth);
}

/// IEEE 802.11 9.2-9.3: data frames whose body is clear.
void Decoder::State::wifi(Slice frame, int depth) {
  constexpr std::uint16_t to_ds = 0x0100, from_ds = 0x0200, protected_frame = 0x4000, order = 0x8000;
  constexpr std::uint16_t data_type = 2, quality_of_service = 8, no_data = 4;
  constexpr std::uint8_t aggregate = 0x80;
  Cursor cursor(frame.bytes);
  const std::uint16_t control = cursor.u16_le();
  cursor.skip(22);   // duration, three addresses, sequence
  const unsigned type = control >> 2 & 3, subtype = control >> 4 & 15;
  if (type != data_type || (subtype & no_data)) return;
  if (control & protected_frame) return anomalies.count("wifi_encrypted");
  if ((control & to_ds) && (control & from_ds)) cursor.skip(6);
  bool aggregated = false;
  if (subtype & quality_of_service) {
    aggregated = cursor.u8() & aggregate;
    cursor.skip(1);
    if (control & order) cursor.skip(4);
  }
  if (!cursor.ok()) return anomalies.count("truncated_header");
  Slice body = frame.after(cursor.position());
  if (!aggregated) return link(read_llc(body), depth);
  // A-MSDU: destination, source, length, LLC; each but the last padded to four bytes.
  while (body.bytes.size() > 14) {
    const std::size_t length = static_cast<std::size_t>(body.bytes[12] << 8 | body.bytes[13]);
    if (length < 8 || 14 + length > body.wire) return anomalies.count("wifi_aggregate_bad");
    link(read_llc(body.after(14).first(length)), depth);
    body = body.after((14 + length + 3) & ~std::size_t{3});
  }
}

}  // namespace callwitness::capture
