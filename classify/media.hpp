// Media inside flows: streams, their packets, and what is said about them (RTCP, STUN).
#pragma once

#include "classify/flow.hpp"

#include <optional>
#include <string>

namespace callwitness::classify {

enum class MediaKind : std::uint8_t { unknown, audio, video, screen, fec, retransmission, data };

/// What a stream's packets let us count losses by. `none`: nothing readable; the cadence estimator may apply.
/// What one payload type of an RTP stream means: codec and clock belong to the type, not to the SSRC (RFC 3550 5.1, RFC 7160).
struct StreamFormat {
  int payload_type = -1;
  std::string codec;                        ///< as Stream::codec; empty: unknown
  std::uint32_t clock_rate_hz = 0;          ///< 0: unknown
  std::uint64_t packets = 0;
  bool is_auxiliary = false;                ///< as MediaPacket has it
};

enum class SequenceBasis : std::uint8_t { none, rtp, counter };

/// One direction of one media source. RTP: five-tuple, SSRC and sequence space (an SSRC with two sequence spaces,
/// as Zoom's media and FEC, is two streams).
struct Stream {
  StreamId id{};
  FlowId flow{};
  Way way = Way::forward;
  Endpoint source, destination;
  bool over_tcp = false;
  Label label;
  MediaKind kind = MediaKind::unknown;
  std::optional<std::uint32_t> ssrc;
  int payload_type = -1;                    ///< the most frequent that carries speech or pictures; -1: none
  std::vector<StreamFormat> formats;        ///< RTP: of each payload type seen; set in Classification
  std::string codec;                        ///< lower-case rtpmap name ("pcmu", "opus"); empty: unknown
  std::uint32_t clock_rate_hz = 0;          ///< from SDP or the static payload type; 0: metrics infers it
  double packet_time_ms = 0;                ///< SDP ptime; 0: unknown
  SequenceBasis sequence_basis = SequenceBasis::none;
  std::uint8_t sequence_bits = 16;          ///< width of MediaPacket::sequence before it wraps: 8, 16, 24 or 32
  bool sequence_shared = false;             ///< the counter also counts packets that aren't ours (gaps aren't losses)
  std::optional<CallId> call;               ///< set in Classification
};

/// Borrowed view of one media packet. `sequence` wraps at the stream's sequence_bits.
struct MediaPacket {
  StreamId stream{};
  Time time;
  std::uint64_t ordinal = 0;
  std::uint32_t sequence = 0;
  std::uint32_t media_time = 0;             ///< in clock ticks, wraps at 2^32
  bool has_sequence = false, has_media_time = false;
  bool marker = false;
  bool is_padding = false;                  ///< carries no media (padding-only probes): counted, not voice
  bool is_auxiliary = false;                ///< telephone event, comfort noise: counted, but no frame that is played by its timestamp
  bool type_has_clock = false;              ///< media_time runs by the payload type's clock, which may differ from the last one's
  std::uint32_t clock_rate_hz = 0;          ///< of that clock, as far as signalling or the static table tells; 0: unknown
  std::int16_t payload_type = -1;
  std::uint16_t payload_bytes = 0;          ///< media payload; for cadence streams the transport payload
  std::uint32_t payload_hash = 0;           ///< only where sequence_basis is none (to drop duplicates)
  std::uint32_t ip_bytes = 0;               ///< IP packet, header included
};

enum class RoundTripBasis : std::uint8_t { stun, rtcp, tcp_handshake, echo };

/// A round-trip time between the capture point and the remote end of the way it was asked (echo, STUN), or as the
/// two ends state it (RTCP).
struct RoundTrip {
  FlowId flow{};
  Time time;                                ///< when the answer was captured
  Duration round_trip{};
  RoundTripBasis basis{};
  Way asked = Way::forward;                 ///< the way of the request
};

/// What a receiver reports of a stream (RTCP RR/SR block, RFC 3550 6.4): a remote claim, never our measurement.
struct ReceiverReport {
  FlowId flow{};
  Way way{};                                ///< of the report itself; the reported stream goes the opposite way
  Time time;
  std::uint32_t reported_ssrc = 0;
  std::uint8_t fraction_lost = 0;           ///< of 256
  std::int32_t cumulative_lost = 0;         ///< 24-bit signed
  std::uint32_t highest_sequence = 0;       ///< extended
  std::uint32_t jitter = 0;                 ///< in clock ticks
};

/// What a sender says that it has sent (RTCP SR, RFC 3550 6.4.1): a remote claim, whether or not any of it came.
struct SenderReport {
  FlowId flow{};
  Way way{};                                ///< of the report, and of what was sent
  Time time;
  std::uint32_t ssrc = 0;
  std::uint32_t packets = 0;                ///< since it began; wraps at 2^32
};

}  // namespace callwitness::classify
