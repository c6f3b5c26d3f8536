// What is kept of every flow: bytes per second each way, time to live, TCP state, and for media flows the trace.
#pragma once

#include "classify/flow.hpp"
#include "metrics/meters/seconds.hpp"
#include "metrics/meters/segments.hpp"
#include "metrics/meters/tcp.hpp"
#include "metrics/meters/trace.hpp"

#include <memory>

namespace callwitness::metrics {

/// Where one way stood at its last packet; counts by Way.
struct WayEnd {
  capture::Time first, last;
  std::uint64_t packets[2] = {}, bytes[2] = {};
};

/// Laid out so that a packet touches one line of the processor's cache: from the newest second to where the trace goes on.
struct alignas(64) FlowMeter {
  std::unique_ptr<SegmentTrace> segments[2];  ///< by Way; only of connections that move a lot
  std::unique_ptr<TcpMeter> tcp;
  std::uint64_t padding[2] = {};            ///< so that what follows its records, the newest second, begins a line
  Seconds<FlowSecond> seconds;
  std::uint64_t packets = 0;
  classify::FlowId id{};
  std::uint32_t votes[2] = {};              ///< for time_to_live (Boyer-Moore)
  std::uint8_t time_to_live[2] = {};        ///< of most packets, by Way
  bool used = false;
  bool traced = false;                      ///< carries media, and its trace was not given up
  bool given_up = false;
  Trace trace;
  WayEnd ends[2];                           ///< by Way

  void add(capture::Time origin, const classify::Flow& flow, classify::Way way, const capture::Datagram& datagram) {
    const auto side = static_cast<std::size_t>(way);
    ++packets;
    WayEnd& end = ends[side];
    if (end.packets[side] == 0) end.first = datagram.time;
    end.last = datagram.time;
    end.packets[0] = flow.forward.packets;
    end.packets[1] = flow.backward.packets;
    end.bytes[0] = flow.forward.ip_bytes;
    end.bytes[1] = flow.backward.ip_bytes;
    seconds.at(second_index(origin, datagram.time)).bytes[side] += datagram.ip_length;
    if (time_to_live[side] == datagram.time_to_live) {
      ++votes[side];
    } else if (votes[side] == 0) {
      time_to_live[side] = datagram.time_to_live;
      votes[side] = 1;
    } else {
      --votes[side];
    }
    if (datagram.tcp) {
      if (!tcp) tcp = std::make_unique<TcpMeter>();
      tcp->add(way, datagram);
    }
  }
};

}  // namespace callwitness::metrics
