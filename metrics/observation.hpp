// What the meters collected, as the detectors read it. Built once, at the end; nothing here is a judgement.
// Unknown is never zero: optionals and NaN-free series with explicit gaps.
#pragma once

#include "capture/record.hpp"
#include "classify/call.hpp"
#include "metrics/meters/clock_steps.hpp"
#include "metrics/meters/segments.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace callwitness::metrics {

using capture::Duration;
using capture::Time;
using classify::CallId;
using classify::FlowId;
using classify::StreamId;

/// Seen from our end. `unknown`: the local end can't be told; then the flow's forward way counts as "sent".
enum class Direction : std::uint8_t { sent, received };

/// One packet of a traced flow (32 bytes; kept for flows that carry media, bounded, thinned to none beyond the bound).
struct TracePacket {
  Time time;
  std::uint32_t ordinal = 0;
  std::uint32_t ip_bytes = 0;
  std::int32_t extended_sequence = no_sequence;   ///< relative to the stream's first; of its own stream
  std::uint32_t media_time = 0;
  std::uint16_t stream = no_stream;               ///< StreamId, or no_stream for what isn't media
  Direction direction = Direction::sent;
  bool has_media_time : 1 = false;
  bool duplicate : 1 = false;
  bool is_pure_ack : 1 = false;                   ///< TCP without payload
  bool marker : 1 = false;                        ///< RTP's: of video, the last packet of a frame
  bool is_stun : 1 = false;                       ///< checks and consent: they tell a path, not that anybody speaks on it
  bool is_rtcp : 1 = false;
  static constexpr std::int32_t no_sequence = INT32_MIN;
  static constexpr std::uint16_t no_stream = 0xffff;
};

/// Consecutive numbers missing from a stream, placed between the packets captured around them.
struct LossGap {
  StreamId stream{};
  Time before, after;                ///< times of the packets captured on either side
  std::uint32_t count = 0;
  std::uint32_t size_before = 0, size_after = 0;  ///< their IP bytes
  std::uint32_t ordinal_after = 0;
};

/// Values per second from `start`, IP bytes.
struct ByteSeries {
  Time start;
  Duration step = std::chrono::seconds(1);
  std::vector<std::uint32_t> sent, received;
};

struct TcpObservation {
  std::optional<Duration> handshake_round_trip, minimum_round_trip, median_round_trip;
  std::uint64_t segments[2] = {0, 0};            ///< [Direction], with payload
  std::uint64_t retransmissions[2] = {0, 0};
  std::uint64_t acknowledged_unseen[2] = {0, 0}; ///< our own drops: acknowledged, never captured
  std::uint64_t payload_bytes[2] = {0, 0};       ///< unique
  std::uint64_t missing_bytes[2] = {0, 0};       ///< holes that nothing filled and nobody acknowledged: lost, and not yet sent again
  bool syn_unanswered = false;
  bool unanswered = false;                       ///< SYNs, or data one way only, and no answer
  /// Times and sizes of retransmitted data of each direction (what a policer or loss took away), bounded.
  struct Loss { Time time; std::uint32_t bytes; Direction direction; std::uint32_t ordinal; };
  std::vector<Loss> losses;
};

struct DelayPoint { Time time; float milliseconds; };   ///< above the minimum, skew removed

struct StreamObservation {
  StreamId id{};
  Direction direction = Direction::sent;
  std::optional<std::uint64_t> expected, lost;    ///< null where no sequence is readable
  std::uint64_t packets = 0, duplicates = 0, reordered = 0;
  std::vector<LossGap> gaps;                      ///< bounded to 65,536
  std::vector<DelayPoint> delay;                  ///< audio: every packet thinned to ≤10 a second; empty without media time
  std::vector<classify::ReceiverReport> reports;  ///< what the peer says of this stream
  std::optional<StreamId> counter_of;             ///< shares its numbers with this stream of its flow (itself, of the first)
  std::int64_t counter_offset = 0;                ///< added to its extended numbers: then they are those of `counter_of`
  std::optional<StreamId> twin;                   ///< the same stream in another five-tuple: a relay's or a NAT's other side
  std::uint64_t passed_on = 0;                    ///< of its missing numbers, those that the twin lacks, too
  std::uint32_t clock_rate_hz = 0;
};

/// Where one direction of a flow stands at its last packet: what had gone both ways by then, that packet included.
struct DirectionEnd {
  Time first, last;                               ///< of its packets; meaningless where `packets` of its own direction is 0
  std::uint64_t packets[2] = {0, 0}, bytes[2] = {0, 0};   ///< by Direction, at `last`; bytes: IP
};

struct FlowObservation {
  classify::Flow flow;
  Direction forward = Direction::sent;            ///< which direction the flow's forward way is
  std::optional<CallId> call;
  ByteSeries bytes;
  std::vector<TracePacket> trace;                 ///< empty: not a media flow, or beyond the bound
  bool trace_complete = true;
  std::optional<TcpObservation> tcp;
  SegmentRecord segments[2];                      ///< by Direction; empty: no TCP, or not much of it
  std::vector<classify::RoundTrip> round_trips;   ///< bounded
  std::uint8_t time_to_live[2] = {0, 0};          ///< median by Direction; 0: none
  DirectionEnd ends[2];                           ///< by Direction
};

struct Observation {
  const capture::CaptureRecords* captures = nullptr;
  const classify::Classification* classification = nullptr;
  std::vector<StreamObservation> streams;         ///< by StreamId
  std::vector<FlowObservation> flows;             ///< flows with ≥8 packets, in a call, with TCP losses or unanswered TCP; by id
  std::map<std::uint32_t, std::vector<classify::SenderReport>> sender_reports;   ///< by SSRC, in order of capture; bounded
  Time first_time, last_time;
  /// All bytes of the capture per second (everything on the line, ours and other flows).
  ByteSeries total;
  std::vector<ClockStep> clock_steps;             ///< the capturing machine's clock was set forward: silences in between are none
  bool local_known = false;
};

}  // namespace callwitness::metrics
