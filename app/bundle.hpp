// One observation of an evidence bundle: its analysis, its page and the packets that show it.
#pragma once

#include "app/options.hpp"
#include "report/analysis_reader.hpp"
#include "report/writer.hpp"

#include <string>
#include <vector>

namespace callwitness::app {

struct Observed {
  std::string label;                   ///< how the user calls it; else the file's name
  report::StoredAnalysis stored;       ///< the analysis that the page tells
  report::BundleFacts facts;
  bool damaged = false;
};

/// Analyses captures as one observation and writes evidence.pcapng, analysis.json and report.html into the new folder
/// `data`. The packets kept are chosen so that they give the same findings; where they can't, the facts say what differs.
capture::Result<Observed> observe_captures(const std::vector<std::string>& inputs, const Options& options, const std::string& data);

/// The same for an analysis made earlier: no packets, and analysis.json is a copy, byte for byte.
capture::Result<Observed> observe_analysis(const std::string& input, const Options& options, const std::string& data);

/// True for a file that holds an analysis, or a bundle's folder.
bool is_analysis(const std::string& path);

capture::Result<void> make_folder(const std::string& path);

}  // namespace callwitness::app
