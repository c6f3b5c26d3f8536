// The one pipeline: source → decoder → classifier → analyzer. Live and offline both run this.
#pragma once

#include "capture/source.hpp"
#include "classify/classifier.hpp"
#include "metrics/analysis.hpp"

#include <string>
#include <vector>

namespace callwitness::app {

struct PipelineOptions {
  capture::SourceOptions source;
  classify::ClassifierOptions classifier;
};

/// Analyses capture inputs from beginning to end.
capture::Result<metrics::Analysis> analyze_inputs(const std::vector<std::string>& inputs, const PipelineOptions& options);

}  // namespace callwitness::app
