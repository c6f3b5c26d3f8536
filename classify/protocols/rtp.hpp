// RTP's fixed header (RFC 3550 5.1) and the static payload types (RFC 3551 6).
#pragma once

#include "capture/cursor.hpp"
#include "classify/media.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace callwitness::classify {

struct RtpHeader {
  std::uint8_t payload_type = 0;
  bool marker = false, padding = false;
  std::uint16_t sequence = 0;
  std::uint32_t timestamp = 0, ssrc = 0;
  std::uint32_t header_length = 0;   ///< with CSRC list and extension, as far as captured
  std::uint32_t padding_length = 0;  ///< the last byte where P is set and captured; encrypted under SRTP
};

/// Reads a header from the captured bytes of a datagram of `wire_length` bytes. None: this can't be RTP.
std::optional<RtpHeader> parse_rtp(Bytes captured, std::uint32_t wire_length);

/// First byte says version 2, second byte isn't RTCP's (RFC 5761 4).
bool looks_like_rtp(Bytes bytes);
bool looks_like_rtcp(Bytes bytes);

struct StaticPayloadType {
  std::string_view codec;
  std::uint32_t clock_rate_hz = 0;
  MediaKind kind = MediaKind::unknown;
};
/// RFC 3551's table; an empty codec for unassigned and dynamic types.
StaticPayloadType static_payload_type(int payload_type);
/// Telephone events and tones (RFC 4733), comfort noise (RFC 3389): beside a codec's frames, but none of them.
bool is_auxiliary_codec(std::string_view codec);

}  // namespace callwitness::classify
