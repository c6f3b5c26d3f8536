// The whole pipeline over frames made in memory. No nDPI child.
#pragma once

#include "capture/decoder.hpp"
#include "capture/record.hpp"
#include "classify/classifier.hpp"
#include "metrics/analyzer.hpp"
#include "tcp_model.hpp"

namespace tests {

inline callwitness::metrics::Analysis analysis_of_frames(const std::vector<CapturedFrame>& frames) {
  using namespace callwitness;
  capture::CaptureRecords records;
  records.emplace_back();
  metrics::Analyzer analyzer(records);
  classify::ClassifierOptions options;
  options.use_ndpi = false;
  classify::Classifier classifier(analyzer, options);
  capture::Anomalies anomalies;
  capture::Decoder decoder(classifier, anomalies);
  std::uint64_t ordinal = 0;
  for (const auto& frame : frames) {
    capture::Packet packet;
    packet.time = capture::Time(std::chrono::seconds(1'700'000'000)) + capture::from_seconds(frame.time);
    packet.bytes = frame.bytes;
    packet.wire_length = static_cast<std::uint32_t>(frame.bytes.size());
    packet.link_type = capture::LinkType{1};
    packet.ordinal = ++ordinal;
    decoder.on_packet(packet);
  }
  decoder.finish();
  return analyzer.take_analysis();
}

}  // namespace tests
