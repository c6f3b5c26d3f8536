#include "app/commands.hpp"
#include "report/evidence/files.hpp"
#include "report/writer.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <sstream>

namespace callwitness::app {
namespace {

int terminal_width() {
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 60 ? size.ws_col : 100;
}

int status_of(const metrics::Analysis& analysis, const Options& options) {
  using metrics::VerdictClass;
  if (options.exit_verdict && analysis.verdict.verdict_class == VerdictClass::interference) return exit_status::interference;
  if (options.exit_verdict && analysis.verdict.verdict_class == VerdictClass::suspected) return exit_status::suspected;
  if (options.exit_verdict && analysis.verdict.verdict_class == VerdictClass::insufficient) return exit_status::insufficient;
  for (const auto& capture : analysis.captures)
    if (capture.damaged) return exit_status::damaged;
  return exit_status::done;
}

}  // namespace

capture::Result<void> print_text(const std::string& text, const Options& options) {
  if (!options.output.empty()) return report::create_file(options.output, text);
  std::cout << text << std::flush;
  if (std::cout) return {};
  return capture::Error{capture::Error::Kind::failed, "write the result to standard output", "the other end closed it or is full", ""};
}

capture::Result<int> print_analysis(const metrics::Analysis& analysis, const Options& options) {
  report::WriteOptions how;
  how.language = options.language;
  how.time_zone = options.time_zone;
  how.width = terminal_width();
  how.verbose = options.verbose;
  how.colour = options.output.empty() && isatty(STDOUT_FILENO) && std::getenv("NO_COLOR") == nullptr;
  std::ostringstream out;
  if (options.format == "json") report::write_json(analysis, out);
  else if (options.format == "ndjson") report::write_ndjson(analysis, out);
  else if (options.format == "csv") report::write_csv(analysis, out);
  else if (options.format == "markdown") report::write_markdown(analysis, how, out);
  else if (options.format == "html") report::write_html(analysis, how, out);
  else report::write_text(analysis, how, out);
  const auto printed = print_text(out.str(), options);
  if (!printed) return printed.error();
  return status_of(analysis, options);
}

}  // namespace callwitness::app
