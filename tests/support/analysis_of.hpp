// The whole pipeline up to the analysis, for tests: file -> packets -> flows -> measures. No nDPI child.
#pragma once

#include "capture/decoder.hpp"
#include "capture/source.hpp"
#include "classify/classifier.hpp"
#include "metrics/analyzer.hpp"

#include <memory>
#include <optional>
#include <string>

namespace callwitness::tests {

inline std::optional<metrics::Analysis> analysis_of(const std::string& path) {
  capture::CaptureRecords records;
  auto source = capture::open_source({path}, {}, records);
  if (!source) return std::nullopt;
  capture::Anomalies anomalies;
  metrics::Analyzer analyzer(records);
  classify::ClassifierOptions options;
  options.use_ndpi = false;
  classify::Classifier classifier(analyzer, options);
  capture::Decoder decoder(classifier, anomalies);
  if (!source.value()->run(decoder)) return std::nullopt;
  return analyzer.take_analysis();
}

}  // namespace callwitness::tests
