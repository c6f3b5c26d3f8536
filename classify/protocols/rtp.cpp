#include "classify/protocols/rtp.hpp"

namespace callwitness::classify {

bool looks_like_rtp(Bytes bytes) {
  return bytes.size() >= 12 && (bytes[0] & 0xc0) == 0x80 && !(bytes[1] >= 192 && bytes[1] <= 223);
}

bool looks_like_rtcp(Bytes bytes) {
  return bytes.size() >= 8 && (bytes[0] & 0xc0) == 0x80 && bytes[1] >= 192 && bytes[1] <= 223;
}

std::optional<RtpHeader> parse_rtp(Bytes captured, std::uint32_t wire_length) {
  if (!looks_like_rtp(captured)) return std::nullopt;
  RtpHeader header;   // of the fixed part looks_like_rtp has seen that it is there
  const std::uint8_t first = captured[0], second = captured[1];
  const auto u32 = [&](std::size_t at) {
    return std::uint32_t{captured[at]} << 24 | std::uint32_t{captured[at + 1]} << 16 | std::uint32_t{captured[at + 2]} << 8 | captured[at + 3];
  };
  header.padding = first & 0x20;
  header.marker = second & 0x80;
  header.payload_type = second & 0x7f;
  header.sequence = static_cast<std::uint16_t>(captured[2] << 8 | captured[3]);
  header.timestamp = u32(4);
  header.ssrc = u32(8);
  header.header_length = 12 + 4 * static_cast<std::uint32_t>(first & 0x0f);
  if (first & 0x10) {
    capture::Cursor cursor(captured);
    cursor.skip(header.header_length + 2);
    const std::uint32_t words = cursor.u16();
    const std::uint32_t length = header.header_length + 4 + (cursor.ok() ? 4 * words : 0);
    // Some senders encipher the extension with its length: then where the payload begins can't be told.
    if (length <= wire_length) header.header_length = length;
  }
  if (header.header_length > wire_length) return std::nullopt;
  if (header.padding && captured.size() >= wire_length && wire_length > header.header_length) {
    header.padding_length = captured[wire_length - 1];
  }
  return header;
}

bool is_auxiliary_codec(std::string_view codec) {
  return codec == "telephone-event" || codec == "tone" || codec == "cn" || codec == "vnd.cisco.telephone-event" || codec == "x-nse";
}

StaticPayloadType static_payload_type(int payload_type) {
  constexpr auto audio = MediaKind::audio, video = MediaKind::video;
  switch (payload_type) {
    case 0: return {"pcmu", 8000, audio};
    case 3: return {"gsm", 8000, audio};
    case 4: return {"g723", 8000, audio};
    case 5: return {"dvi4", 8000, audio};
    case 6: return {"dvi4", 16000, audio};
    case 7: return {"lpc", 8000, audio};
    case 8: return {"pcma", 8000, audio};
    case 9: return {"g722", 8000, audio};  // RFC 3551 4.5.2: the clock is 8000 for historical reasons
    case 10: case 11: return {"l16", 44100, audio};
    case 12: return {"qcelp", 8000, audio};
    case 13: return {"cn", 8000, audio};
    case 14: return {"mpa", 90000, audio};
    case 15: return {"g728", 8000, audio};
    case 16: return {"dvi4", 11025, audio};
    case 17: return {"dvi4", 22050, audio};
    case 18: return {"g729", 8000, audio};
    case 25: return {"celb", 90000, video};
    case 26: return {"jpeg", 90000, video};
    case 28: return {"nv", 90000, video};
    case 31: return {"h261", 90000, video};
    case 32: return {"mpv", 90000, video};
    case 33: return {"mp2t", 90000, video};
    case 34: return {"h263", 90000, video};
    default: return {};
  }
}

}  // namespace callwitness::classify
