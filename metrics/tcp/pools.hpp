// Which TCP connections may share one bucket: each alone, those of the same two hosts, those to or from one host.
#pragma once

#include "metrics/tcp/losses.hpp"

namespace callwitness::metrics {

struct TcpPool {
  std::vector<const FlowObservation*> flows;
  Direction direction = Direction::received;
  Viewpoint viewpoint = Viewpoint::before_losses;
  double packet_bytes = 1500;
  std::size_t losses = 0;
  std::vector<TcpPacket> packets;   ///< by time
};

/// All pools with losses enough to be looked at; single connections first.
std::vector<TcpPool> tcp_pools(const Observation& observation);

}  // namespace callwitness::metrics
