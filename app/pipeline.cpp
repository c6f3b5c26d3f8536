#include "app/pipeline.hpp"

#include "capture/decoder.hpp"
#include "metrics/analyzer.hpp"

namespace callwitness::app {

capture::Result<metrics::Analysis> analyze_inputs(const std::vector<std::string>& inputs,
                                                  const PipelineOptions& options) {
  capture::CaptureRecords records;
  auto source = capture::open_source(inputs, options.source, records);
  if (!source) return source.error();
  capture::Anomalies anomalies;
  metrics::Analyzer analyzer(records);
  classify::Classifier classifier(analyzer, options.classifier);
  capture::Decoder decoder(classifier, anomalies);
  const auto ran = source.value()->run(decoder);
  if (!ran) return ran.error();
  auto analysis = analyzer.take_analysis();
  analysis.captures = records;
  if (!analysis.captures.empty()) analysis.captures.front().anomalies.merge(anomalies);
  return analysis;
}

}  // namespace callwitness::app
