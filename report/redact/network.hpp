// Link and network layers for redaction: finds the transport payload, replaces addresses, makes checksums right again.
#pragma once

#include "report/redact/frames.hpp"
#include "report/redact/payload.hpp"
#include "report/redact/wholes.hpp"

#include "capture/packet.hpp"

#include <cstddef>
#include <optional>

namespace callwitness::report {

inline std::uint16_t u16(Payload bytes, std::size_t at) { return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]); }

class NetworkScrubber {
 public:
  /// `wholes`: null where the packets are read only once.
  NetworkScrubber(Pseudonyms& pseudonyms, Redactor::Summary& summary, const KnownFlows& flows, Wholes* wholes = nullptr)
      : pseudonyms_(pseudonyms), summary_(summary), flows_(flows), wholes_(wholes) {}

  /// Scrubs a whole frame in place; returns how many leading bytes may be shown.
  std::size_t scrub_frame(Payload frame, capture::LinkType link_type);

 private:
  // link.cpp and wifi.cpp: each returns how many bytes of its argument may be shown.
  std::size_t scrub_link(Payload frame, int link_type, int depth);
  std::size_t scrub_ethernet(Payload frame, int depth);
  std::size_t scrub_cooked(Payload frame, std::size_t header, std::size_t type_at, std::size_t address_at, int depth);
  std::size_t scrub_ether_type(Payload packet, std::uint16_t type, int depth);
  std::size_t scrub_llc(Payload frame, int depth);
  std::size_t scrub_ppp(Payload frame, int depth);
  std::size_t scrub_pppoe(Payload session, int depth);
  std::size_t scrub_mpls(Payload labels, int depth);
  std::size_t scrub_pktap(Payload frame, int depth);
  std::size_t scrub_radiotap(Payload frame, int depth);
  std::size_t scrub_wifi(Payload frame, int depth);
  std::size_t scrub_aggregate(Payload body, int depth);
  std::size_t emptied(std::size_t shown = 0);
  // tunnels.cpp
  std::size_t scrub_gre(Payload packet, int depth);
  /// None: it is no tunnel's datagram.
  std::optional<std::size_t> scrub_tunnel(Payload payload, std::uint16_t source, std::uint16_t destination, int depth);
  // network.cpp
  std::size_t scrub_ip(Payload packet, int depth);
  std::size_t scrub_ip4(Payload packet, int depth);
  std::size_t scrub_ip6(Payload packet, int depth);
  /// A fragment's bytes behind the IP headers; how many may be shown.
  std::size_t scrub_fragment(Payload piece, std::size_t offset, bool last, std::uint32_t identification, std::uint8_t transport, Payload addresses, int depth);
  std::size_t scrub_transport(Payload packet, std::size_t at, std::uint8_t protocol, int depth);
  std::size_t scrub_udp(Payload segment, int depth);
  std::size_t scrub_tcp(Payload segment);
  std::size_t scrub_icmp(Payload message, int depth);
  void replace_address(Payload bytes, capture::IpAddress& original);
  PayloadContext context_of(Payload segment, std::uint8_t transport, std::uint32_t wire_length);

  Pseudonyms& pseudonyms_;
  Redactor::Summary& summary_;
  const KnownFlows& flows_;
  FramedStreams framed_;
  Wholes* wholes_;
  capture::FiveTuple five_tuple_;   ///< of the innermost packet that is being scrubbed, as captured
};

}  // namespace callwitness::report
