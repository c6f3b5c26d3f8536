// Calls, attempts to call, and everything classify hands over at the end.
#pragma once

#include "capture/anomalies.hpp"
#include "classify/media.hpp"

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace callwitness::classify {

enum class Signalling : std::uint8_t { none, sip, rtsp, h323, mgcp, skinny, stun, application };

/// One part of a call between reconnects.
struct CallPart {
  Time first_time, last_time;
  std::vector<FlowId> flows;
  Ending ended_by = Ending::silence;
  std::optional<Time> goodbye;              ///< when it was said; none: nobody said one that we could read
};

/// What nDPI says of a call's flows: told beside our own label, for whoever doubts it.
struct NdpiOpinion {
  std::string label;                        ///< "stun.whatsappcall"
  std::string_view certainty;               ///< what it rests on: none, port, address, content
  friend auto operator<=>(const NdpiOpinion&, const NdpiOpinion&) = default;
};

/// What the signalling said of a call, where there was one that we could read.
struct Announced {
  bool answered = false;                    ///< the callee took it
  bool refused = false;                     ///< a final answer of 300 or more, and none of 200 before
  bool both_ways = false;                   ///< both sides announced that they send and receive
  std::uint32_t session_expires_s = 0;      ///< RFC 4028; 0: no session timer
  /// Spans in which one side had announced that it doesn't send, or doesn't want to receive (hold); the last may be open.
  struct Hold { Time from; std::optional<Time> until; };
  std::vector<Hold> holds;
};

struct Call {
  CallId id{};
  Label label;
  std::vector<StreamId> streams;
  std::vector<FlowId> flows;                ///< media and signalling flows that belong to it
  std::vector<CallPart> parts;              ///< ≥1, in time order; parts.size() - 1 reconnects
  Time start_time, end_time;
  std::optional<capture::IpAddress> local;  ///< null: can't be told which end is ours
  Endpoint local_endpoint, remote_endpoint; ///< of the main media flow; if local is null: source and destination
  Ending ended_by = Ending::silence;
  Signalling signalling = Signalling::none;
  Announced announced;
  Untrusted owner;                          ///< the program whose call it is, where the capture tells it
  std::vector<NdpiOpinion> ndpi;            ///< each once
};

/// How far a try to reach a voice service got.
struct Attempt {
  enum class Stage : std::uint8_t { dns, tcp, tls, udp, signalling };
  enum class Outcome : std::uint8_t { answered, no_reply, reset, refused, prohibited, nxdomain, forged };
  /// What was asked, finer than the stage: the rungs that docs/applications.md lists for each application.
  enum class Step : std::uint8_t { look_up, connection, client_hello, message, stun_request, allocation, stun_check, dtls_hello, datagrams, request };
  std::string_view application;             ///< key
  Stage stage{};
  Step step{};
  Outcome outcome{};
  capture::IpAddress source;                ///< the host that tried
  Untrusted target;                         ///< name and/or address:port
  Time first_time, last_time;
  std::uint32_t tries = 1;
  std::uint32_t asked = 0;                  ///< packets that asked in these tries, repetitions included
  std::uint32_t superseded = 0;             ///< tries that another pair of the same ICE session made needless
  std::uint32_t unreachable = 0;            ///< tries of which a router said that there is no way to the host
  std::uint32_t by_target = 0;              ///< tries that the host itself ended (ICMP): a firewall of its own
  std::uint32_t by_stranger = 0;            ///< tries that a reset from another distance than the host's own packets ended
  std::uint32_t by_access = 0;              ///< tries that a router near us, of which the user's own is none, forbade (ICMP)
  std::vector<Time> times;                  ///< when each try began, ≤32
  std::vector<std::uint64_t> ordinals;      ///< packets that show it, ≤32
  std::vector<FlowId> flows;
  bool by_service = false;                  ///< refused in the service's own words: it was reached, the network let it through
  bool is_media = false;                    ///< a try to start media (UDP), not a look-up or sign-in
  std::uint32_t from_nearby = 0;            ///< tries ended by a packet that the router at home (or a box beside it) sent
  /// Of look-ups, in tries: what stands beside a forged answer.
  struct LookUp {
    std::uint32_t as_filters_do = 0;        ///< 0.0.0.0, ::, loopback or an address of the client's own network: a filter at home does that
    std::uint32_t by_own_resolver = 0;      ///< denied otherwise, by a resolver that the user may have told to
    std::uint32_t contradicted = 0;         ///< another answer to the one question came, too
    std::uint32_t resolver_silent = 0;      ///< unanswered, by a resolver that answered nothing else either
    std::uint32_t two_senders = 0;          ///< the contradicting answers came from different distances
    std::uint32_t odd_lifetime = 0;         ///< the record's time to live doesn't fit, besides
  } look_up;
};

/// A TCP reset, with what tells an honest from a forged one.
struct Reset {
  FlowId flow{};
  Way way{};
  Time time;
  std::uint64_t ordinal = 0;
  std::uint32_t sequence = 0;
  std::int64_t sequence_offset = 0;         ///< its sequence minus the next expected of that way (0: exact)
  std::uint8_t time_to_live = 0;
  std::uint8_t flow_time_to_live = 0;       ///< median of that way's other packets; 0: none
  std::uint16_t ip_id = 0;
  bool ip_id_outlier = false;
  std::uint32_t segments_after = 0;         ///< data segments of the same way captured after the reset
  bool after_client_hello = false;
  std::optional<Duration> since_trigger;    ///< since the last segment of the opposite way
  std::optional<Duration> minimum_round_trip;  ///< of the flow
  bool closing = false;                     ///< a FIN or close_notify had been seen before
  bool after_reset = false;                 ///< either end had reset it before, as far as that reset's number and hops tell
  bool bad_checksum = false;                ///< where those of its way are good else: no host takes it
};

/// Which addresses are ours, and how that is known.
struct Vantage {
  enum class Basis : std::uint8_t { unknown, told, direction_flags, time_to_live, turn_around, private_address, whole_sequence };
  std::vector<capture::IpAddress> local;    ///< empty: can't be told
  std::vector<capture::IpAddress> guests;   ///< on our side of the line, where neither end of a call is ours (hotspot)
  Basis basis = Basis::unknown;
  double confidence = 0;
};

struct Classification {
  std::vector<Flow> flows;                  ///< those still kept at the end, by id (one-packet flows may have been evicted)
  std::vector<Stream> streams;              ///< by StreamId
  std::vector<Call> calls;                  ///< by CallId, in order of start
  std::vector<Attempt> attempts;
  std::vector<Reset> resets;
  Vantage vantage;
  capture::Anomalies anomalies;
};

}  // namespace callwitness::classify
