#include "metrics/analyzer.hpp"
namespace callwitness::metrics {
struct Analyzer::State { const capture::CaptureRecords& captures; Analysis analysis; };
Analyzer::Analyzer(const capture::CaptureRecords& captures) : state_(new State{captures, {}}) {}
Analyzer::~Analyzer() = default;
void Analyzer::on_datagram(const classify::Flow&, classify::Way, const capture::Datagram&) {}
void Analyzer::on_stream(const classify::Stream&) {}
void Analyzer::on_media(const classify::MediaPacket&) {}
void Analyzer::on_round_trip(const classify::RoundTrip&) {}
void Analyzer::on_receiver_report(const classify::ReceiverReport&) {}
void Analyzer::on_flow_closed(const classify::Flow&) {}
void Analyzer::finish(const classify::Classification& classification) {
  state_->analysis.captures = state_->captures;
  state_->analysis.classification = classification;
}
Analysis Analyzer::take_analysis() { return std::move(state_->analysis); }
}  // namespace callwitness::metrics
