// Which findings accuse, and of what: shared by the verdict of one observation and of several.
#pragma once

#include "metrics/analysis.hpp"

#include <string_view>

namespace callwitness::metrics {

/// True for a finding that a verdict of interference may rest on. docs/methods/verdict.md
bool accuses(const Finding& finding);

/// D4: other traffic of the same minutes was spared what the finding tells.
bool spares_others(const Finding& finding);

}  // namespace callwitness::metrics
