#include "app/pipeline.hpp"

#include "app/progress.hpp"
#include "capture/decoder.hpp"
#include "capture/in_order.hpp"
#include "classify/ndpi/labeller.hpp"
#include "metrics/analyzer.hpp"
#include "report/encode.hpp"

#include <fmt/format.h>

#include <iostream>

namespace callwitness::app {

namespace {

/// Version and the options that change the result.
metrics::Provenance provenance_of(const PipelineOptions& options) {
  metrics::Provenance provenance;
  provenance.version = CALLWITNESS_VERSION;
  if (options.classifier.use_ndpi) provenance.ndpi_version = classify::ndpi::library_version();
  if (!options.source.filter.empty()) provenance.options.push_back("-f " + options.source.filter);
  if (options.source.packet_limit != 0) provenance.options.push_back("-c " + std::to_string(options.source.packet_limit));
  for (const auto& address : options.classifier.local) provenance.options.push_back("--local " + address.text());
  return provenance;
}

/// Damage is told here too: whoever asked for JSON or -o would else see the exit status alone.
void tell_problems(capture::CaptureRecords& records, const capture::Anomalies& anomalies) {
  const auto tell = [](const std::string& problem) { std::cerr << "callwitness: " << report::for_terminal(problem) << '\n'; };
  for (const auto& record : records)
    for (const auto& problem : record.problems)
      if (record.damaged) tell(problem);
  const auto unknown = anomalies.counts().find("unknown_link_type");
  if (unknown == anomalies.counts().end() || records.empty()) return;
  tell(records.front().problems.emplace_back(fmt::format("{}: {} packets have a link layer that is not known here: they are left out; capture with tcpdump or dumpcap on Ethernet, Wi-Fi or \"any\"",
                                                   records.size() == 1 ? report::for_terminal(records.front().file) : "the captures", unknown->second)));
}

}  // namespace

void complete(metrics::Analysis& analysis, const capture::CaptureRecords& records, const capture::Anomalies& decoding,
              const PipelineOptions& options) {
  analysis.captures = records;
  if (!analysis.captures.empty()) {
    analysis.captures.front().anomalies.merge(decoding);
    analysis.captures.front().anomalies.merge(analysis.classification.anomalies);
  }
  analysis.provenance = provenance_of(options);
}

capture::Result<metrics::Analysis> analyze_inputs(const std::vector<std::string>& inputs,
                                                  const PipelineOptions& options) {
  capture::CaptureRecords records;
  capture::Anomalies anomalies;
  metrics::Analyzer analyzer(records);
  // Forks nDPI's child, so it comes before the source, which hashes what it reads in a thread of its own.
  classify::Classifier classifier(analyzer, options.classifier);
  auto source = capture::open_source(inputs, options.source, records);
  if (!source) return source.error();
  capture::Decoder decoder(classifier, anomalies);
  capture::InOrder in_order(decoder);
  Progress progress(in_order);
  const auto ran = source.value()->run(!options.quiet && Progress::is_wanted() ? static_cast<capture::PacketSink&>(progress) : in_order);
  if (!ran) return ran.error();
  tell_problems(records, anomalies);
  auto analysis = analyzer.take_analysis();
  complete(analysis, records, anomalies, options);
  return analysis;
}

}  // namespace callwitness::app
