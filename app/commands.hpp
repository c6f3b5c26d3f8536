// One function a subcommand, one file a function. Each returns the exit status, or the error that main tells.
#pragma once

#include "app/options.hpp"
#include "metrics/analysis.hpp"

namespace callwitness::app {

/// Exit statuses that scripts rely on.
namespace exit_status {
inline constexpr int done = 0, failed = 1, usage = 2, unreadable = 3, damaged = 4, verification = 5, interference = 10, insufficient = 11, suspected = 12;
}

#define COMMAND(name) capture::Result<int> name(const Options& options);
#include "app/commands.def"
#undef COMMAND

/// Writes the analysis as --format and -o say and returns the exit status that it deserves.
capture::Result<int> print_analysis(const metrics::Analysis& analysis, const Options& options);
/// Writes text to -o (which must not exist) or to standard output.
capture::Result<void> print_text(const std::string& text, const Options& options);

}  // namespace callwitness::app
