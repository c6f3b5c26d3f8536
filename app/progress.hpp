// Tells on a terminal's stderr how far a long analysis is. Nothing of the result depends on it.
#pragma once

#include "capture/packet.hpp"

#include <chrono>

namespace callwitness::app {

class Progress final : public capture::PacketSink {
 public:
  explicit Progress(capture::PacketSink& next) : next_(next) {}
  static bool is_wanted();   ///< stderr is a terminal
  void on_packet(const capture::Packet& packet) override {
    if ((++packets_ & 0xffff) == 0) show();
    next_.on_packet(packet);
  }
  void on_packets(std::span<const capture::Packet> packets) override {
    const auto before = packets_;
    packets_ += packets.size();
    if (before >> 16 != packets_ >> 16) show();
    next_.on_packets(packets);
  }
  void on_idle(capture::Time now) override { next_.on_idle(now); }
  void finish() override;

 private:
  void show();
  capture::PacketSink& next_;
  std::uint64_t packets_ = 0;
  bool shown_ = false;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace callwitness::app
