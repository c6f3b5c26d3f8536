#include "app/pipeline.hpp"

#include "app/progress.hpp"
#include "capture/decoder.hpp"
#include "classify/ndpi/labeller.hpp"
#include "metrics/analyzer.hpp"

namespace callwitness::app {

metrics::Provenance provenance_of(const PipelineOptions& options) {
  metrics::Provenance provenance;
  provenance.version = CALLWITNESS_VERSION;
  if (options.classifier.use_ndpi) provenance.ndpi_version = classify::ndpi::library_version();
  if (!options.source.filter.empty()) provenance.options.push_back("-f " + options.source.filter);
  if (options.source.packet_limit != 0) provenance.options.push_back("-c " + std::to_string(options.source.packet_limit));
  for (const auto& address : options.classifier.local) provenance.options.push_back("--local " + address.text());
  return provenance;
}

capture::Result<metrics::Analysis> analyze_inputs(const std::vector<std::string>& inputs,
                                                  const PipelineOptions& options) {
  capture::CaptureRecords records;
  auto source = capture::open_source(inputs, options.source, records);
  if (!source) return source.error();
  capture::Anomalies anomalies;
  metrics::Analyzer analyzer(records);
  classify::Classifier classifier(analyzer, options.classifier);
  capture::Decoder decoder(classifier, anomalies);
  Progress progress(decoder);
  const auto ran = source.value()->run(!options.quiet && Progress::is_wanted() ? static_cast<capture::PacketSink&>(progress) : decoder);
  if (!ran) return ran.error();
  auto analysis = analyzer.take_analysis();
  analysis.captures = records;
  if (!analysis.captures.empty()) analysis.captures.front().anomalies.merge(anomalies);
  analysis.provenance = provenance_of(options);
  return analysis;
}

}  // namespace callwitness::app
