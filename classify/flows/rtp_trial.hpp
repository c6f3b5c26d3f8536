// Whether packets on trial behave like RTP: pure values, so that each rule can be tested without a capture.
// docs/methods/streams.md
#pragma once

#include "classify/media.hpp"

#include <span>

namespace callwitness::classify {

/// True where numbers advance by one, the media clock fits the time that went by, packets come at the rate of media, and no
/// field is the datagram's own length. `trial`: one SSRC's packets in order of capture; of each: sequence, media_time, time,
/// ip_bytes (its length, whatever constant headers are in it).
bool behaves_like_rtp(std::span<const MediaPacket> trial);

/// A telephone event (RFC 4733) by its looks: of a dynamic type that isn't the stream's own, four bytes whose reserved bit is
/// zero, or as many under SRTP (RFC 3711: a tag of 4 or 10 bytes) with the marker of a beginning or a timestamp that stands still.
inline constexpr std::uint32_t longest_event = 14;   ///< with the longest tag
bool looks_like_event(int payload_type, int main_type, Bytes payload, std::uint32_t payload_length, bool begins_or_stands);

}  // namespace callwitness::classify
