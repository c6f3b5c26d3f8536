#include "classify/protocols/rtcp.hpp"

#include "classify/protocols/rtp.hpp"

namespace callwitness::classify {
namespace {

constexpr std::uint8_t sender_report = 200, receiver_report = 201, bye = 203;

void read_report(Bytes body, std::uint8_t type, std::size_t count, RtcpCompound& compound) {
  capture::Cursor cursor(body);
  cursor.skip(4);
  if (type == sender_report) {
    cursor.skip(2);
    const std::uint32_t middle = cursor.u32();
    if (cursor.ok()) compound.sender_report = middle;
    cursor.skip(2 + 4);
    compound.sender_packets = cursor.u32();
    cursor.skip(4);
  }
  for (std::size_t i = 0; i < count && compound.block_count < RtcpCompound::block_limit; ++i) {
    RtcpReportBlock block;
    block.ssrc = cursor.u32();
    block.fraction_lost = cursor.u8();
    const std::uint32_t lost = cursor.u24();
    block.cumulative_lost = static_cast<std::int32_t>(lost << 8) >> 8;
    block.highest_sequence = cursor.u32();
    block.jitter = cursor.u32();
    block.last_sender_report = cursor.u32();
    block.delay_since = cursor.u32();
    if (!cursor.ok()) return;
    compound.blocks[compound.block_count++] = block;
  }
}

}  // namespace

std::optional<RtcpCompound> parse_rtcp(Bytes captured, std::uint32_t wire_length) {
  if (!looks_like_rtcp(captured)) return std::nullopt;
  RtcpCompound compound;
  std::size_t position = 0;
  bool first = true;
  while (position + 4 <= captured.size()) {
    const Bytes bytes = captured.subspan(position);
    const std::uint8_t type = bytes[1];
    const std::size_t length = 4u * (static_cast<std::size_t>(bytes[2] << 8 | bytes[3]) + 1);
    const bool fits = (bytes[0] & 0xc0) == 0x80 && type >= 192 && type <= 223 && position + length <= wire_length;
    if (!fits) {
      // A clear compound ends exactly; what follows the first packet of an SRTCP one is cipher text and its trailer.
      if (first) return std::nullopt;
      compound.encrypted = true;
      break;
    }
    const Bytes body = bytes.subspan(4, std::min(length, bytes.size()) - 4);
    if (first && body.size() >= 4) compound.sender_ssrc = capture::Cursor(body).u32();
    const std::size_t count = bytes[0] & 0x1f;
    if (type == bye) compound.bye = true;
    if (type == sender_report || type == receiver_report) {
      // RFC 3550 6.4: a report's length follows from its count, but for profile extensions behind it.
      if (length < (type == sender_report ? 28 : 8) + 24 * count) return std::nullopt;
      read_report(body, type, count, compound);
    }
    position += length;
    first = false;
  }
  if (position != wire_length && captured.size() >= wire_length) compound.encrypted = true;
  if (compound.encrypted) {
    compound.block_count = 0;
    compound.sender_report.reset();
    compound.bye = false;
  }
  return compound;
}

}  // namespace callwitness::classify
