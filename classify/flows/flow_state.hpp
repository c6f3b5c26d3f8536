// What the classifier keeps of one flow. The detail behind pointers exists only where a flow needs it.
#pragma once

#include "classify/application.hpp"
#include "classify/call.hpp"
#include "classify/flows/cadence.hpp"
#include "classify/flows/copies.hpp"
#include "classify/flows/rtp_tracker.hpp"
#include "classify/flows/sequence_keeper.hpp"
#include "classify/flows/stream_reassembly.hpp"
#include "classify/flows/tcp_tracker.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace callwitness::classify {

/// Per way: what tells which end is ours.
struct WayTraits {
  std::uint32_t packets = 0;
  std::uint32_t initial_time_to_live = 0;   ///< packets that left with 64, 128 or 255
  std::uint32_t inbound = 0, outbound = 0;  ///< as the capture's own direction flags say
  CopyCounters copies;
};

/// How a way's sender answers, as captured.
struct WayAnswers {
  std::uint16_t count = 0;
  std::uint32_t fastest_us = 0xffffffff;
};

/// The first packets, copied, until the application is settled.
struct StartRecorder {
  struct Record {
    Time time;
    std::uint64_t ordinal = 0;
    std::uint32_t payload_length = 0, ip_length = 0;
    std::uint16_t offset = 0, size = 0;
    Way way = Way::forward;
  };
  std::vector<Record> records;
  std::vector<std::uint8_t> bytes;
  std::size_t footprint() const { return records.capacity() * sizeof(Record) + bytes.capacity(); }
};

/// A stream of an application's own counters, or a cadence stream, before and after it is told.
struct CounterTrack {
  Way way = Way::forward;
  std::uint32_t space = 0;
  std::optional<std::uint32_t> partner;      ///< MediaHeader's
  std::optional<Time> goodbye;
  std::optional<StreamId> stream;
  std::vector<MediaPacket> backlog;
  SequenceKeeper keeper;
};

struct PendingRequest {
  std::uint64_t key = 0;
  Time time;
  Way way = Way::forward;
};

/// How a TCP connection frames what it carries.
enum class Framing : std::uint8_t { undecided, none, text, prefixed, turn, tpkt, skinny };

/// What tells a mirror port's second copy of a TCP segment from its retransmission, which has another IP identification.
struct SegmentMark {
  std::uint32_t sequence = 0, acknowledgement = 0, length = 0;
  std::uint16_t ip_id = 0;                   ///< 0: the sender doesn't count
  std::uint8_t flags = 0;
  bool operator==(const SegmentMark&) const = default;
};

struct FlowDetail {
  static constexpr std::size_t request_limit = 8;
  StartRecorder start;
  std::unique_ptr<TcpTracker> tcp;
  std::array<SegmentMark, 2> newest_segment{};
  std::unique_ptr<CadenceMeter> cadence;
  std::unique_ptr<std::array<StreamReassembly, 2>> reassembly;
  std::vector<CounterTrack> counters;
  std::vector<PendingRequest> requests;       ///< STUN transactions and echoes in flight, a ring of request_limit
  std::array<std::uint32_t, 2> sender_report_middle{};  ///< last SR of each way: NTP middle bits
  std::array<Time, 2> sender_report_time{};
  std::uint8_t next_request = 0;
};

/// In lines of the processor's cache: a packet of a known call touches the flow's beginning and the line from `rtp` on.
struct alignas(64) FlowState {
  Flow flow;
  std::unique_ptr<FlowDetail> detail;
  const Application* application = nullptr;  ///< settled by format or behaviour
  Claim claim;
  std::array<WayAnswers, 2> answers{};
  alignas(64) std::unique_ptr<RtpTracker> rtp;
  Time last_media_time;
  std::array<WayTraits, 2> traits{};
  std::uint16_t stream_count = 0;
  bool swapped = false;                      ///< forward runs from the greater to the lesser endpoint
  bool used = false;
  bool settled = false;                      ///< recognisers have had their say
  bool ice = false, dtls = false;            ///< STUN with the cookie, a DTLS handshake seen
  bool announced = false;                    ///< signalling named one of its endpoints
  bool ndpi_done = false;                    ///< nDPI needs no more of it
  bool attempt_settled = false;              ///< it is no try that the attempts still follow
  Signalling signalling = Signalling::none;  ///< it carries SIP, RTSP or MGCP text
  std::uint8_t recency_list = 0;             ///< FlowTable's lists
  std::uint32_t recency_before = 0, recency_after = 0;
  bool bye = false;
  std::optional<Time> close_notify, rtcp_bye;  ///< DTLS alert, RTCP BYE: the latest
  bool rtcp = false;
  bool gave_up_cadence = false;
  Framing framing = Framing::undecided;
};

}  // namespace callwitness::classify
