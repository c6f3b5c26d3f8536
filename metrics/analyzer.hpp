// Meters every flow and stream, then runs the detectors and the verdict.
#pragma once

#include "classify/sink.hpp"
#include "metrics/analysis.hpp"

#include <memory>

namespace callwitness::metrics {

class Analyzer final : public classify::MediaSink {
 public:
  explicit Analyzer(const capture::CaptureRecords& captures);
  ~Analyzer() override;
  void expect(std::span<const classify::Upcoming> upcoming) override;
  void on_datagram(const classify::Flow& flow, classify::Way way, const capture::Datagram& datagram) override;
  void on_stream(const classify::Stream& stream) override;
  void on_media(const classify::MediaPacket& packet) override;
  void on_round_trip(const classify::RoundTrip& round_trip) override;
  void on_receiver_report(const classify::ReceiverReport& report) override;
  void on_sender_report(const classify::SenderReport& report) override;
  void on_flow_closed(const classify::Flow& flow) override;
  void finish(const classify::Classification& classification) override;

  /// After finish: measures, findings and verdict. Moves the result out; call once.
  Analysis take_analysis();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace callwitness::metrics
