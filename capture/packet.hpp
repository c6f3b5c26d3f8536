// A captured frame as it comes from a file or an interface, and the two interfaces every source and sink share.
#pragma once

#include "capture/cursor.hpp"
#include "capture/result.hpp"
#include "capture/time.hpp"

#include <cstdint>
#include <span>

namespace callwitness::capture {

/// Values of LINKTYPE_ (https://www.tcpdump.org/linktypes.html), which are what capture files hold.
enum class LinkType : std::uint16_t {};

/// Seen from the capturing machine, where the file says so (pcapng epb_flags, Linux SLL, PKTAP).
enum class LinkDirection : std::uint8_t { unknown, inbound, outbound };

/// Borrowed: `bytes` is valid during the call only.
struct Packet {
  Time time;
  Bytes bytes;
  std::uint32_t wire_length = 0;   ///< the frame's length on the wire, ≥ bytes.size() unless the file lies
  LinkType link_type{};
  LinkDirection direction = LinkDirection::unknown;
  std::uint64_t ordinal = 0;       ///< 1, 2, 3 … over all inputs in reading order; with one file Wireshark's frame number
};

/// What consumes packets. Live and offline call the same three, and time arrives only through them.
class PacketSink {
 public:
  virtual ~PacketSink() = default;
  virtual void on_packet(const Packet& packet) = 0;
  /// Several at once, all valid during the call: the same as each in its turn, but what is next is known.
  virtual void on_packets(std::span<const Packet> packets) {
    for (const Packet& packet : packets) on_packet(packet);
  }
  virtual void on_idle(Time) {}    ///< live only: no packet, yet time passed
  virtual void finish() {}         ///< no more packets will come
};

/// Where packets come from. `run` delivers all of them, then calls `finish`.
class PacketSource {
 public:
  virtual ~PacketSource() = default;
  virtual Result<void> run(PacketSink& sink) = 0;
};

}  // namespace callwitness::capture
