// The subcommand `compare`.
#pragma once

#include "app/pipeline.hpp"

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace callwitness::app {

/// Analyses both sides and writes their comparison ("json", else text). True in `damaged`: some input was damaged.
capture::Result<void> compare_inputs(const std::vector<std::string>& baseline, const std::vector<std::string>& suspect,
                                     const PipelineOptions& options, std::string_view format, std::ostream& out, bool& damaged);

}  // namespace callwitness::app
