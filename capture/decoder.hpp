// Link and network layers: from a frame to Datagrams. One frame may hold a tunnel; the innermost datagram counts.
#pragma once

#include "capture/anomalies.hpp"
#include "capture/datagram.hpp"

#include <memory>

namespace callwitness::capture {

class Decoder final : public PacketSink {
 public:
  Decoder(DatagramSink& sink, Anomalies& anomalies);
  ~Decoder() override;
  void on_packet(const Packet& packet) override;
  void on_packets(std::span<const Packet> packets) override;
  void on_idle(Time now) override;
  void finish() override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace callwitness::capture
