// Frames in order of their times. Cards with several receive queues, mirror sessions and files of several interfaces write frames
// some milliseconds out of order; an acknowledgement before its segment would look like a segment that was never captured.
#pragma once

#include "capture/packet.hpp"

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

namespace callwitness::capture {

/// Costs nothing until the first frame out of order comes: what follows is held for `reach` of capture time and sorted. A step back
/// further than `longest_disorder` is a clock that was set, or one capture behind another: there nothing can be sorted.
class InOrder final : public PacketSink {
 public:
  static constexpr Duration reach = std::chrono::milliseconds(50), longest_disorder = std::chrono::seconds(1);
  static constexpr std::size_t packet_limit = 8'192, byte_limit = 32 * 1024 * 1024;

  explicit InOrder(PacketSink& sink) : sink_(sink) {}
  void on_packet(const Packet& packet) override { on_packets({&packet, 1}); }
  void on_packets(std::span<const Packet> packets) override;
  void on_idle(Time now) override;
  void finish() override;

 private:
  struct Held {
    Packet packet;
    std::vector<std::uint8_t> bytes;
  };
  void hold(const Packet& packet);
  void release(Time until, bool all);
  bool is_late(const Packet& packet) const { return any_ && packet.time < newest_ && newest_ - packet.time <= longest_disorder; }

  PacketSink& sink_;
  std::map<std::pair<Time, std::uint64_t>, Held> held_;
  std::size_t held_bytes_ = 0;
  Time newest_;
  bool any_ = false, holding_ = false;
};

}  // namespace callwitness::capture
