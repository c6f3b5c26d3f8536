// An analysis as write_json wrote it, read back: so that a report can be drawn, or drawn again, without the packets.
#pragma once

#include "capture/result.hpp"
#include "metrics/analysis.hpp"

#include <deque>
#include <memory>
#include <string>
#include <string_view>

namespace callwitness::report {

struct StoredAnalysis {
  std::unique_ptr<std::deque<std::string>> words;   ///< what the analysis's string views point into
  metrics::Analysis analysis;
};

/// True for text that begins as a JSON document does; captures don't.
bool looks_like_analysis(std::string_view beginning);

/// Reads the document of `--format json`, schema version 2. What is missing or of another type counts as not measured:
/// the text may come from a stranger. `name` is for the error, kind unreadable.
capture::Result<StoredAnalysis> read_analysis(std::string_view text, const std::string& name);

}  // namespace callwitness::report
