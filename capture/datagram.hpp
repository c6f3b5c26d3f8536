// A decoded transport-layer datagram: what is left of a packet once link and network layers are read.
#pragma once

#include "capture/address.hpp"
#include "capture/packet.hpp"

#include <optional>

namespace callwitness::capture {

/// Looked at where a connection opens or closes only: SYN, FIN and RST, wholly captured.
enum class Checksum : std::uint8_t { unchecked, good, bad };

struct TcpSegment {
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgement = 0;
  std::uint16_t window = 0;              ///< unscaled
  std::uint8_t flags = 0;                ///< FIN 1, SYN 2, RST 4, PSH 8, ACK 16
  std::uint8_t window_scale = 0xff;      ///< from a SYN's option; 0xff: none
  std::uint16_t maximum_segment_size = 0;
  Checksum checksum = Checksum::unchecked;
  bool has_timestamps = false;
  std::uint32_t timestamp_value = 0, timestamp_echo = 0;  ///< RFC 7323
  bool fin() const { return flags & 1; }
  bool syn() const { return flags & 2; }
  bool rst() const { return flags & 4; }
  bool ack() const { return flags & 16; }
};

struct IcmpMessage {
  std::uint8_t type = 0, code = 0;
  /// For errors: the five-tuple of the packet that is complained about, as it was sent.
  std::optional<FiveTuple> about;
};

/// Borrowed: valid during the call only.
struct Datagram {
  Time time;
  std::uint64_t ordinal = 0;
  FiveTuple five_tuple;
  std::uint32_t ip_length = 0;           ///< bytes of the IP packet on the wire, header included; fragments added up
  std::uint8_t time_to_live = 0;         ///< or hop limit
  std::uint16_t ip_id = 0;               ///< IPv4 only
  bool fragmented = false;
  bool truncated = false;                ///< the capture holds fewer payload bytes than the wire did
  LinkDirection direction = LinkDirection::unknown;
  Bytes payload;                         ///< captured transport payload (for other protocols: the IP payload)
  std::uint32_t payload_length = 0;      ///< the same on the wire
  std::optional<TcpSegment> tcp;
  std::optional<IcmpMessage> icmp;
  std::string_view owner;                ///< the program's name where the file tells it (PCAPdroid, PKTAP); hostile text
};

class DatagramSink {
 public:
  virtual ~DatagramSink() = default;
  virtual void on_datagram(const Datagram& datagram) = 0;
  /// Several at once, as PacketSink::on_packets.
  virtual void on_datagrams(std::span<const Datagram> datagrams) {
    for (const Datagram& datagram : datagrams) on_datagram(datagram);
  }
  virtual void on_idle(Time) {}
  virtual void finish() {}
};

}  // namespace callwitness::capture
