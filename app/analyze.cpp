#include "app/commands.hpp"
#include "app/pipeline.hpp"

namespace callwitness::app {

capture::Result<int> analyze(const Options& options) {
  if (options.inputs.empty())
    return capture::Error{capture::Error::Kind::usage, "analyze", "no capture was named", "callwitness analyze FILE"};
  const auto pipeline = pipeline_options(options);
  if (!pipeline) return pipeline.error();
  const auto analysis = analyze_inputs(options.inputs, pipeline.value());
  if (!analysis) return analysis.error();
  return print_analysis(analysis.value(), options);
}

}  // namespace callwitness::app
