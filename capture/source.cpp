#include "capture/source.hpp"
#include "capture/decoder.hpp"
namespace callwitness::capture {
Result<std::unique_ptr<PacketSource>> open_source(const std::vector<std::string>&, const SourceOptions&, CaptureRecords&) {
  return Error{Error::Kind::failed, "open", "not yet", ""};
}
struct Decoder::State { DatagramSink& sink; };
Decoder::Decoder(DatagramSink& sink, Anomalies&) : state_(new State{sink}) {}
Decoder::~Decoder() = default;
void Decoder::on_packet(const Packet&) {}
void Decoder::on_idle(Time now) { state_->sink.on_idle(now); }
void Decoder::finish() { state_->sink.finish(); }
}  // namespace callwitness::capture
