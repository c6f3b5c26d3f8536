// Link and network layers for redaction: finds the transport payload, replaces addresses, makes checksums right again.
#pragma once

#include "report/redact/payload.hpp"

#include "capture/packet.hpp"

#include <cstddef>

namespace callwitness::report {

class NetworkScrubber {
 public:
  NetworkScrubber(Pseudonyms& pseudonyms, Redactor::Summary& summary, const KnownFlows& flows)
      : pseudonyms_(pseudonyms), summary_(summary), flows_(flows) {}

  /// Scrubs a whole frame in place; returns how many leading bytes may be shown.
  std::size_t scrub_frame(Payload frame, capture::LinkType link_type);

 private:
  std::size_t scrub_ethernet(Payload frame, std::size_t at);
  std::size_t scrub_ether_type(Payload frame, std::size_t at, std::uint16_t type);
  std::size_t scrub_ip(Payload packet, int depth);
  std::size_t scrub_ip4(Payload packet, int depth);
  std::size_t scrub_ip6(Payload packet, int depth);
  std::size_t scrub_transport(Payload packet, std::size_t at, std::uint8_t protocol, int depth);
  std::size_t scrub_udp(Payload segment, int depth);
  std::size_t scrub_tcp(Payload segment);
  std::size_t scrub_icmp(Payload message, int depth);
  std::size_t scrub_gre(Payload packet, int depth);
  void replace_address(Payload bytes, capture::IpAddress& original);
  PayloadContext context_of(Payload segment, std::uint8_t transport, std::uint32_t wire_length);

  Pseudonyms& pseudonyms_;
  Redactor::Summary& summary_;
  const KnownFlows& flows_;
  capture::FiveTuple five_tuple_;   ///< of the innermost packet that is being scrubbed, as captured
};

}  // namespace callwitness::report
