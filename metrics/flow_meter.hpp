// What is kept of every flow: bytes per second each way, time to live, TCP state, and for media flows the trace.
#pragma once

#include "classify/flow.hpp"
#include "metrics/meters/seconds.hpp"
#include "metrics/meters/segments.hpp"
#include "metrics/meters/tcp.hpp"
#include "metrics/meters/trace.hpp"

#include <memory>

namespace callwitness::metrics {

struct FlowMeter {
  classify::FlowId id{};
  bool used = false;
  bool traced = false;                      ///< carries media, and its trace was not given up
  bool given_up = false;
  std::uint64_t packets = 0;
  Seconds<FlowSecond> seconds;
  struct Majority { std::uint8_t value = 0; std::uint32_t votes = 0; } time_to_live[2];  ///< Boyer-Moore
  std::unique_ptr<TcpMeter> tcp;
  std::unique_ptr<SegmentTrace> segments[2];  ///< by Way; only of connections that move a lot
  Trace trace;

  void add(capture::Time origin, classify::Way way, const capture::Datagram& datagram) {
    const auto side = static_cast<std::size_t>(way);
    ++packets;
    seconds.at(second_index(origin, datagram.time)).bytes[side] += datagram.ip_length;
    auto& majority = time_to_live[side];
    if (majority.value == datagram.time_to_live) ++majority.votes;
    else if (majority.votes == 0) majority = {datagram.time_to_live, 1};
    else --majority.votes;
    if (datagram.tcp) {
      if (!tcp) tcp = std::make_unique<TcpMeter>();
      tcp->add(way, datagram);
    }
  }
};

}  // namespace callwitness::metrics
