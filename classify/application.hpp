// One application: what it is called, how it is recognised, where its media packets carry sequence and time.
// Adding one is a file in classify/applications/ that defines `const Application& NAME()` and a line APPLICATION(NAME)
// in classify/applications.def.
#pragma once

#include "classify/flow.hpp"
#include "classify/media.hpp"

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>

namespace callwitness::classify {

/// One of a flow's first datagrams (for TCP: segments with payload). `bytes` is a bounded prefix of the payload.
struct StartPacket {
  Time time;
  Way way = Way::forward;
  Bytes bytes;                       ///< ≤ FlowStart::prefix_limit
  std::uint32_t payload_length = 0;  ///< on the wire
};

/// The beginning of a flow, kept until its application is settled. Recognisers are pure functions of it.
struct FlowStart {
  static constexpr std::size_t packet_limit = 32;
  static constexpr std::size_t prefix_limit = 96;
  FiveTuple five_tuple;
  std::span<const StartPacket> packets;   ///< 1 … packet_limit, in time order
  bool is_tcp() const { return five_tuple.protocol == capture::protocol::tcp; }
  bool has_port(std::uint16_t port) const { return five_tuple.source.port == port || five_tuple.destination.port == port; }
};

/// What a recogniser says of a flow. `none`: not mine, or not yet.
struct Claim {
  double confidence = 0;             ///< 0: no claim
  Basis basis = Basis::none;         ///< format, behaviour or port
  Role role = Role::unknown;
};

/// Where one packet carries media. Offsets are gone: values only.
struct MediaHeader {
  std::uint32_t space = 0;           ///< tells sequence spaces of one way apart (SSRC, type, call number); stable per stream
  std::optional<std::uint32_t> partner;  ///< the space of the same call's other way, where the packet tells (IAX2)
  bool goodbye = false;              ///< it ends its call
  std::optional<std::uint32_t> ssrc;
  std::optional<std::uint32_t> sequence;
  std::optional<std::uint32_t> media_time;
  std::uint8_t sequence_bits = 16;
  bool sequence_shared = false;
  bool number_only = false;          ///< no media, yet it uses up a number of its space: SequenceKeeper leaves it out
  std::uint16_t time_step = 0;       ///< > 0: no counter, but one packet every time_step ticks: SequenceKeeper numbers them
  std::uint8_t media_time_bits = 32; ///< width of media_time before it wraps
  std::uint32_t clock_rate_hz = 0;   ///< 0: unknown
  MediaKind kind = MediaKind::unknown;
  bool marker = false;
  int payload_type = -1;
  std::uint16_t payload_offset = 0;  ///< where the media payload begins
  std::string_view codec;            ///< static storage; empty: unknown
};

/// A request or an answer of an application's own echo (ping), for round-trip times. `key` pairs them.
struct Echo {
  std::uint64_t key = 0;
  bool is_reply = false;
  bool is_mirrored = false;          ///< request and answer are the same bytes: who spoke first has asked
};

struct PortRange {
  std::uint8_t protocol;             ///< capture::protocol::udp or tcp
  std::uint16_t first, last;
};

struct Application {
  std::string_view key;              ///< "teamspeak"
  std::string_view name;             ///< "TeamSpeak": as it stands in headlines
  // For `callwitness apps`, comma separated:
  std::string_view covers = {};      ///< which of what bears that name: "versions 2 and 3"; empty: nothing to add
  std::string_view recognised_by;    ///< of format, behaviour, port, name (DNS, SNI, certificate, published addresses)
  std::string_view measures;         ///< of loss, loss by cadence, jitter, rtt; of tunnels: rate, gaps, loss
  std::string_view checked_on;       ///< captures; where no real one was to be had it says so first
  std::span<const std::string_view> domains;      ///< DNS/SNI suffixes: "teamspeak.com" also covers www.teamspeak.com
  std::span<const PortRange> ports;               ///< its usual ports: weak evidence, and what names an unanswered try
  std::span<const std::string_view> ndpi_labels;  ///< names of Debian's nDPI 4.2 that mean it
  /// Is this flow mine? Called on growing FlowStarts. Null: recognised by names only.
  Claim (*recognise)(const FlowStart& start) = nullptr;
  /// Is this datagram of a flow of mine media, and where are its counters? Null: RTP or cadence by behaviour.
  std::optional<MediaHeader> (*media)(const Datagram& datagram, Way way) = nullptr;
  std::optional<Echo> (*echo)(const Datagram& datagram, Way way) = nullptr;
};

/// All of applications.def, in its order (specific formats before generic ones).
std::span<const Application* const> applications();
const Application* find_application(std::string_view key);

/// The strongest claim of all recognisers on a flow's beginning. Ties: the earlier line of applications.def.
struct Recognition {
  const Application* application = nullptr;   ///< null: nobody claims it
  Claim claim;
};
Recognition recognise(const FlowStart& start);

/// What is known of a flow besides its packets' format. Empty: not known.
struct Evidence {
  Recognition recognition;
  std::string_view name_application;          ///< NameTable: application of the server name or of the address's name
  std::string_view ndpi_label;                ///< as Debian's nDPI prints it
  std::string_view owner;                     ///< program name told by the capture (hostile text, only compared)
  FiveTuple five_tuple;
  bool carries_rtp = false;                   ///< RTP found by behaviour
  bool is_signal_like = false;                ///< RTP types 102 and 118 under ICE without DTLS
  bool is_ice = false;                        ///< STUN with the cookie or DTLS seen
};
/// All evidence weighed: agreement raises the confidence, and a generic format gives way to a specific name.
Label fuse(const Evidence& evidence);

const Application* application_of_ndpi_label(std::string_view label);
const Application* application_of_owner(std::string_view owner);
/// The application that usually uses this port (not 443, 80 or other shared ones); null: none.
const Application* application_of_port(std::uint8_t protocol, std::uint16_t port);
/// By DNS or TLS name: the longest matching suffix at a label boundary; null: none.
const Application* application_of_name(std::string_view name);

}  // namespace callwitness::classify
