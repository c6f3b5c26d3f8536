// What a live capture shows meanwhile: per call and second, both directions' bitrate, loss and jitter. A provisional
// view beside the analysis, which it never touches.
#pragma once

#include "classify/sink.hpp"

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace callwitness::app {

class LiveView final : public classify::MediaSink {
 public:
  explicit LiveView(classify::MediaSink& next) : next_(next) {}
  void on_datagram(const classify::Flow& flow, classify::Way way, const capture::Datagram& datagram) override;
  void on_stream(const classify::Stream& stream) override;
  void on_media(const classify::MediaPacket& packet) override;
  void on_round_trip(const classify::RoundTrip& round_trip) override { next_.on_round_trip(round_trip); }
  void on_receiver_report(const classify::ReceiverReport& report) override { next_.on_receiver_report(report); }
  void on_flow_closed(const classify::Flow& flow) override;
  void on_idle(classify::Time now) override { next_.on_idle(now); }
  void finish(const classify::Classification& classification) override { next_.finish(classification); }

  /// A line for each flow that carried media since the last call, busiest first; then counts anew.
  std::vector<std::string> lines(double seconds);

 private:
  struct Second {
    std::uint64_t bytes = 0, packets = 0, expected = 0;
    double jitter_ms = 0;               ///< the worst of its streams
    bool counts_losses = false;
  };
  struct Flow {
    classify::FiveTuple five_tuple;
    std::string_view application;
    Second ways[2];
  };
  struct Stream {
    std::uint32_t flow = 0;
    std::uint8_t way = 0;
    std::uint32_t clock_rate_hz = 0, mask = 0;
    bool sequenced = false, begun = false;
    std::uint32_t sequence = 0, media_time = 0;
    classify::Time time;
    double jitter = 0;                  ///< seconds
  };

  classify::MediaSink& next_;
  std::unordered_map<std::uint32_t, Flow> flows_;       ///< those that carry media
  std::vector<Stream> streams_;                         ///< by StreamId
};

}  // namespace callwitness::app
