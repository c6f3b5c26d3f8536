// The one pipeline: source → decoder → classifier → analyzer. Live and offline both run this.
#pragma once

#include "app/options.hpp"
#include "capture/source.hpp"
#include "classify/classifier.hpp"
#include "metrics/analysis.hpp"

#include <string>
#include <vector>

namespace callwitness::app {

struct PipelineOptions {
  capture::SourceOptions source;
  classify::ClassifierOptions classifier;
  bool quiet = true;   ///< no progress on the terminal
};

/// Analyses capture inputs from beginning to end.
capture::Result<metrics::Analysis> analyze_inputs(const std::vector<std::string>& inputs, const PipelineOptions& options);

/// What of the command line concerns the pipeline. Error kind: usage.
capture::Result<PipelineOptions> pipeline_options(const Options& options);
/// Version and the options that change the result, for the analysis.
/// What an analysis owes to its captures and to how it was asked for; `decoding`: the decoder's anomalies.
void complete(metrics::Analysis& analysis, const capture::CaptureRecords& records, const capture::Anomalies& decoding,
              const PipelineOptions& options);

}  // namespace callwitness::app
