// From the segments of a TCP connection to what a rate limit saw of it: which transmissions passed and which were lost.
// docs/methods/tcp_policer.md
#pragma once

#include "metrics/observation.hpp"

#include <vector>

namespace callwitness::metrics {

struct TcpPacket {
  double time = 0;               ///< seconds since the observation's start
  float bytes = 0;               ///< IP bytes that passed
  float lost = 0;                ///< IP bytes that didn't
  float queueing = -1;           ///< seconds its round trip exceeded the connection's least; negative: not known
  std::uint32_t ordinal = 0;     ///< of the transmission, or of the one after the hole
};

/// Where the capture stands: losses that come after it show as retransmissions of what it holds, earlier ones as holes.
enum class Viewpoint : std::uint8_t { before_losses, after_losses };

struct TcpTransfer {
  Viewpoint viewpoint = Viewpoint::before_losses;
  std::vector<TcpPacket> packets;              ///< by time
  std::size_t losses = 0;
  double packet_bytes = 1500;                  ///< IP bytes of a full segment
};

/// `round_trip`: of the handshake, if it was seen: holes filled within half of it were only reordered.
TcpTransfer transfer_of(const SegmentRecord& record, Time origin, std::optional<Duration> round_trip);

}  // namespace callwitness::metrics
