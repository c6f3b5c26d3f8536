// Frames in TCP that carry media (TURN's ChannelData and messages, RFC 8656 12; RFC 4571's length before each): a segment begins
// and ends anywhere in them, so each way's place is remembered from segment to segment.
#pragma once

#include "report/redact/payload.hpp"

#include <array>
#include <cstdint>
#include <map>

namespace callwitness::report {

class FramedStreams {
 public:
  static constexpr std::size_t stream_limit = 10'000;
  /// Scrubs a segment of a framed connection in place. All its bytes may be shown: whoever reads the copy needs every length to
  /// find the next frame; of the media there is a header, a digest and zeros.
  std::size_t scrub(Payload segment, std::uint32_t sequence, const PayloadContext& context);

 private:
  struct Place {
    bool prefixed = false;                    ///< RFC 4571; else TURN
    std::uint32_t next = 0;                   ///< sequence number of the segment that goes on
    std::size_t remaining = 0;                ///< bytes of a frame that are still to come
    std::array<std::uint8_t, 4> header{};     ///< the beginning of a frame's, cut by the segment's end
    std::size_t header_size = 0;
  };
  std::map<capture::FiveTuple, Place> places_;
};

}  // namespace callwitness::report
