// SDP (RFC 8866): where media is wanted and what its payload types mean.
#pragma once

#include "classify/media.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace callwitness::classify {

struct SdpMedia {
  struct Format {
    std::uint8_t payload_type = 0;
    std::string codec;                ///< lower-case; empty: none told
    std::uint32_t clock_rate_hz = 0;
  };
  MediaKind kind = MediaKind::unknown;
  Endpoint endpoint;                  ///< address from c=; version 0: none; port 0: refused
  std::vector<Format> formats;
  double packet_time_ms = 0;
  bool both_ways = true;              ///< sendrecv, which is also what no attribute says (RFC 8866 6.7), and an address to send to
  const Format* format(int payload_type) const;
};

/// At most 32 media of 64 formats each; what is malformed is left out.
std::vector<SdpMedia> parse_sdp(std::string_view text);

}  // namespace callwitness::classify
