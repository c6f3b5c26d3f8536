// What the classifier alone makes of captures: a line per flow, stream, call and attempt. For docs/methods/applications.md and
// for checks of counted losses against independent computations.
#include "capture/decoder.hpp"
#include "capture/source.hpp"
#include "classify/classifier.hpp"

#include <fmt/format.h>

#include <iostream>
#include <map>
#include <set>

namespace {

using namespace callwitness;

class Printer final : public classify::MediaSink {
 public:
  explicit Printer(std::string file) : file_(std::move(file)) {}
  void on_datagram(const classify::Flow&, classify::Way, const capture::Datagram&) override {}
  void on_stream(const classify::Stream& stream) override { tallies_[stream.id].bits = stream.sequence_bits; }
  void on_media(const classify::MediaPacket& packet) override {
    Tally& tally = tallies_[packet.stream];
    ++tally.packets;
    if (!packet.has_sequence) return;
    const std::int64_t modulus = std::int64_t{1} << tally.bits;
    if (tally.seen.empty()) tally.highest = packet.sequence;
    std::int64_t step = (static_cast<std::int64_t>(packet.sequence) - tally.highest) % modulus;
    if (step < -modulus / 2) step += modulus;
    if (step >= modulus / 2) step -= modulus;
    const std::int64_t extended = tally.highest + step;
    tally.highest = std::max(tally.highest, extended);
    tally.seen.insert(extended);
  }
  void finish(const classify::Classification& result) override {
    std::map<std::string, std::uint64_t> flows;
    for (const auto& flow : result.flows) {
      if (!flow.label.application.empty()) flows[fmt::format("{}:{:.2f}", flow.label.application, flow.label.confidence)] += flow.forward.packets + flow.backward.packets;
    }
    for (const auto& [label, packets] : flows) fmt::print("{}\tflow\t{}\t{}\n", file_, label, packets);
    for (const auto& stream : result.streams) {
      const Tally& tally = tallies_[stream.id];
      std::string lost = "-";
      if (!tally.seen.empty()) lost = std::to_string(*tally.seen.rbegin() - *tally.seen.begin() + 1 - static_cast<std::int64_t>(tally.seen.size()));
      fmt::print("{}\tstream\t{}\t{} > {}\tpackets {}\tlost {}\tssrc {:08x}\tpt {}\n", file_, stream.label.application, stream.source.text(), stream.destination.text(),
                 tally.packets, lost, stream.ssrc.value_or(0), stream.payload_type);
    }
    for (const auto& call : result.calls) {
      fmt::print("{}\tcall\t{}\t{:.2f}\t{} streams\t{:.1f} s\n", file_, call.label.application, call.label.confidence, call.streams.size(),
                 capture::seconds(call.end_time - call.start_time));
    }
    for (const auto& attempt : result.attempts) {
      fmt::print("{}\tattempt\t{}\tstage {}\toutcome {}\ttries {}\n", file_, attempt.application, static_cast<int>(attempt.stage), static_cast<int>(attempt.outcome), attempt.tries);
    }
  }

 private:
  struct Tally {
    std::uint64_t packets = 0;
    std::uint8_t bits = 16;
    std::int64_t highest = 0;
    std::set<std::int64_t> seen;
  };
  std::string file_;
  std::map<classify::StreamId, Tally> tallies_;
};

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string path = argv[i];
    Printer printer(path.substr(path.find_last_of('/') + 1));
    capture::CaptureRecords records;
    auto source = capture::open_source({path}, {}, records);
    if (!source) continue;
    classify::ClassifierOptions options;
    options.use_ndpi = false;
    classify::Classifier classifier(printer, options);
    capture::Anomalies anomalies;
    capture::Decoder decoder(classifier, anomalies);
    static_cast<void>(source.value()->run(decoder));
  }
}
