#include "capture/decoding/decoder_state.hpp"

namespace callwitness::capture {
namespace {

/// A C string in a field of fixed size.
std::string_view name_in(Bytes field) {
  const auto end = std::find(field.begin(), field.end(), 0);
  return {reinterpret_cast<const char*>(field.data()), static_cast<std::size_t>(end - field.begin())};
}

}  // namespace

void Decoder::State::ethernet(Slice frame, int depth) {
  if (frame.bytes.size() < 14) return anomalies.count("truncated_header");
  const auto type = static_cast<std::uint16_t>(frame.bytes[12] << 8 | frame.bytes[13]);
  if (depth == 0) read_android_trailer(frame.bytes);
  network(type, frame.after(14), depth + 1);
}

/// PCAPdroid appends magic, user id and program name to each frame, and mostly a checksum (docs/formats.md).
void Decoder::State::read_android_trailer(Bytes frame) {
  constexpr std::size_t name_size = 20;
  const std::size_t size = android_trailer_size(frame);
  if (size == 0) [[likely]] return;
  Cursor trailer(frame.last(size));
  trailer.skip(8);   // magic, user id
  owner = name_in(trailer.take(name_size));
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
  constexpr std::uint32_t packet_follows = 1, inbound = 1, outbound = 2, delegated = 4, second_version = 0x00080000;
  constexpr std::size_t flags_at = 36, name_size = 17, smallest = 108, smallest_second = 40;
  const auto name_at = [&](std::size_t offset) {
    return offset > 0 && offset + name_size <= frame.bytes.size() ? name_in(frame.bytes.subspan(offset, name_size)) : std::string_view{};
  };
  Cursor flags_cursor(frame.bytes);
  flags_cursor.skip(flags_at);
  const std::uint32_t flags = flags_cursor.u32_le();
  Cursor cursor(frame.bytes);
  std::uint32_t length = 0, kind = packet_follows, link_type = 0;
  std::size_t program = 56, effective = 88;     // whose socket it is, and for whom it works
  if (flags & second_version) {                 // offsets of what is there, in bytes
    length = cursor.u8();
    cursor.skip(3);
    program = cursor.u8();
    effective = cursor.u8();
    link_type = cursor.u16_le();
  } else {
    length = cursor.u32_le();
    kind = cursor.u32_le();
    link_type = cursor.u32_le();
  }
  const bool too_short = length < (flags & second_version ? smallest_second : smallest) || length > frame.wire;
  if (!flags_cursor.ok() || too_short) return anomalies.count("pktap_bad");
  if (kind != packet_follows) return;
  if (flags & inbound) direction = LinkDirection::inbound;
  if (flags & outbound) direction = LinkDirection::outbound;
  if (flags & delegated && effective + name_size <= length) owner = name_at(effective);
  if (owner.empty() && program + name_size <= length) owner = name_at(program);
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
