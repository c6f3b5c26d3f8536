// A flow: all datagrams of one five-tuple in both directions.
#pragma once

#include "capture/address.hpp"
#include "capture/datagram.hpp"
#include "capture/untrusted.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace callwitness::classify {

using capture::Bytes;
using capture::Datagram;
using capture::Duration;
using capture::Endpoint;
using capture::FiveTuple;
using capture::Time;
using capture::Untrusted;

/// Never reused within a run; in order of first packets.
enum class FlowId : std::uint32_t {};
enum class StreamId : std::uint32_t {};   ///< dense: 0, 1, 2 … index into Classification::streams
enum class CallId : std::uint32_t {};     ///< dense: index into Classification::calls

/// Which way along a flow. `forward` is the direction of the flow's first captured packet.
enum class Way : std::uint8_t { forward, backward };
constexpr Way opposite(Way way) { return way == Way::forward ? Way::backward : Way::forward; }

/// How an application was recognised, strongest first.
enum class Basis : std::uint8_t { owner, signalling, format, name, behaviour, ndpi, port, none };

/// A claim which application it is. `application` is a key of applications.def (static storage).
struct Label {
  std::string_view application;   ///< empty: unknown
  double confidence = 0;          ///< 0-1, honest: the share of such claims that is right
  Basis basis = Basis::none;
};

/// What part a flow plays. `tunnel`: VPN; calls inside can't be seen.
enum class Role : std::uint8_t { unknown, media, signalling, control, tunnel };

enum class Ending : std::uint8_t { none, bye, fin, rst, close_notify, rtcp_bye, silence, capture_end };

struct WayCounters {
  std::uint64_t packets = 0;
  std::uint64_t ip_bytes = 0;
};

/// What a TURN server told over this flow (RFC 8656): an allocation that nobody refreshes dies `lifetime_s` after `told`.
struct RelayLifetime {
  std::uint32_t lifetime_s = 0;   ///< of the latest Allocate or Refresh answer; 0: none seen, or it was given up
  Time told;
  bool has_permissions = false;   ///< a permission or a channel was granted: it lives 300 or 600 s (RFC 8656 9, 12)
  Time permitted;                 ///< the latest of these
};

struct Flow {
  FlowId id{};
  std::uint32_t slot = 0;         ///< small and dense, reused after on_flow_closed: index for per-flow state of sinks
  FiveTuple five_tuple;           ///< of the first captured packet
  Time first_time, last_time;
  WayCounters forward, backward;
  Label label;                    ///< best at the moment; final in Classification
  Role role = Role::unknown;
  Ending ended_by = Ending::none;
  std::optional<Time> goodbye;    ///< when the BYE, FIN, close_notify or RTCP BYE of `ended_by` was said first
  RelayLifetime relay;            ///< of a TURN allocation on it
  Untrusted server_name;          ///< SNI, or the DNS name that gave the address; empty: none seen
  Untrusted owner;                ///< the program, where the capture tells it
};

}  // namespace callwitness::classify
