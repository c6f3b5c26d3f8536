// Small readers that several recognisers share. No state, no allocation.
#pragma once

#include "classify/application.hpp"

#include <algorithm>

namespace callwitness::classify::support {

namespace protocol = capture::protocol;

inline constexpr std::uint32_t stun_cookie = 0x2112a442;
inline constexpr double no_claim = 0.0;

inline bool is_udp(const FlowStart& start) { return start.five_tuple.protocol == protocol::udp; }

inline std::uint16_t u16_at(Bytes bytes, std::size_t at) {
  capture::Cursor cursor(bytes);
  cursor.skip(at);
  return cursor.u16();
}
inline std::uint16_t u16_le_at(Bytes bytes, std::size_t at) {
  capture::Cursor cursor(bytes);
  cursor.skip(at);
  return cursor.u16_le();
}
inline std::uint32_t u32_at(Bytes bytes, std::size_t at) {
  capture::Cursor cursor(bytes);
  cursor.skip(at);
  return cursor.u32();
}
inline std::uint32_t u32_le_at(Bytes bytes, std::size_t at) {
  capture::Cursor cursor(bytes);
  cursor.skip(at);
  return cursor.u32_le();
}

/// RFC 8489's header with the cookie; `length` is checked against the datagram.
inline bool is_stun(const StartPacket& packet) {
  return packet.bytes.size() >= 20 && packet.bytes[0] <= 0x3f && u32_at(packet.bytes, 4) == stun_cookie &&
         u16_at(packet.bytes, 2) % 4 != 1 && u16_at(packet.bytes, 2) + 20u <= packet.payload_length;
}
inline std::uint16_t stun_type(const StartPacket& packet) { return u16_at(packet.bytes, 0); }

/// Does the message hold this attribute, within the bytes that are kept?
inline bool stun_has(const StartPacket& packet, std::uint16_t wanted) {
  capture::Cursor cursor(packet.bytes);
  cursor.skip(20);
  while (cursor.remaining() >= 4) {
    const std::uint16_t attribute = cursor.u16();
    const std::uint16_t length = cursor.u16();
    if (!cursor.ok()) return false;
    if (attribute == wanted) return true;
    cursor.skip((length + 3u) & ~3u);
  }
  return false;
}

/// RTP's version and a payload type that is not RTCP's (RFC 5761 4).
inline bool is_rtp(const StartPacket& packet) {
  return packet.bytes.size() >= 12 && packet.bytes[0] >> 6 == 2 && ((packet.bytes[1] & 0x7f) < 64 || (packet.bytes[1] & 0x7f) > 95);
}
inline int rtp_payload_type(const StartPacket& packet) { return packet.bytes[1] & 0x7f; }

/// RTP packets of this type whose sequence numbers go on by one: a stream, not one header's chance.
inline int rtp_run(const FlowStart& start, int payload_type) {
  int best = 0;
  for (const Way way : {Way::forward, Way::backward}) {
    int run = 0;
    std::optional<std::uint16_t> last;
    for (const auto& packet : start.packets) {
      if (packet.way != way || !is_rtp(packet) || rtp_payload_type(packet) != payload_type) continue;
      const std::uint16_t sequence = u16_at(packet.bytes, 2);
      run = last && static_cast<std::uint16_t>(sequence - *last) <= 3 ? run + 1 : 1;
      last = sequence;
      best = std::max(best, run);
    }
  }
  return best;
}

/// DTLS record header of a handshake (RFC 6347 4.1).
inline bool is_dtls_handshake(const StartPacket& packet) {
  return packet.bytes.size() >= 13 && packet.bytes[0] == 22 && packet.bytes[1] == 0xfe && packet.bytes[2] >= 0xfd;
}

inline bool starts_with(Bytes bytes, std::string_view text) {
  return bytes.size() >= text.size() && std::equal(text.begin(), text.end(), bytes.begin(), [](char a, std::uint8_t b) {
           return static_cast<std::uint8_t>(a) == b;
         });
}
inline bool contains(Bytes bytes, std::string_view text) {
  return std::search(bytes.begin(), bytes.end(), text.begin(), text.end(), [](std::uint8_t a, char b) {
           return a == static_cast<std::uint8_t>(b);
         }) != bytes.end();
}

struct Prefix {
  std::uint32_t base;   ///< host order
  unsigned bits;
};
inline bool within(const capture::IpAddress& address, std::span<const Prefix> prefixes) {
  if (address.version != 4) return false;
  const std::uint32_t value = static_cast<std::uint32_t>(address.bytes[0]) << 24 | static_cast<std::uint32_t>(address.bytes[1]) << 16 |
                              static_cast<std::uint32_t>(address.bytes[2]) << 8 | address.bytes[3];
  return std::any_of(prefixes.begin(), prefixes.end(), [&](const Prefix& prefix) {
    return (value ^ prefix.base) >> (32 - prefix.bits) == 0;
  });
}
inline bool touches(const FlowStart& start, std::span<const Prefix> prefixes) {
  return within(start.five_tuple.source.address, prefixes) || within(start.five_tuple.destination.address, prefixes);
}
constexpr std::uint32_t v4(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}
inline bool port_between(const FlowStart& start, std::uint16_t first, std::uint16_t last) {
  const auto in = [&](std::uint16_t port) { return port >= first && port <= last; };
  return in(start.five_tuple.source.port) || in(start.five_tuple.destination.port);
}
/// Any STUN, DTLS or RTP in the beginning: what a real-time flow has.
inline bool is_real_time(const FlowStart& start) {
  return std::any_of(start.packets.begin(), start.packets.end(), [](const StartPacket& packet) {
    return is_stun(packet) || is_dtls_handshake(packet) || is_rtp(packet);
  });
}

}  // namespace callwitness::classify::support
