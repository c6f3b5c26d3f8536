#include "app/commands.hpp"
#include "app/pipeline.hpp"
#include "metrics/compare.hpp"
#include "report/comparison_writer.hpp"

#include <algorithm>
#include <sstream>

namespace callwitness::app {

capture::Result<int> compare(const Options& options) {
  if (options.baseline.empty() || options.suspect.empty())
    return capture::Error{capture::Error::Kind::usage, "compare", "two captures are needed", "callwitness compare --baseline A --suspect B"};
  const auto pipeline = pipeline_options(options);
  if (!pipeline) return pipeline.error();
  auto baseline = analyze_inputs({options.baseline}, pipeline.value());
  if (!baseline) return baseline.error();
  auto suspect = analyze_inputs({options.suspect}, pipeline.value());
  if (!suspect) return suspect.error();
  const auto comparison = metrics::compare(std::move(baseline).value(), std::move(suspect).value());
  std::ostringstream text;
  if (options.format == "json") report::write_compare_json(comparison, text);
  else {
    report::WriteOptions how;
    how.language = options.language;
    report::write_compare_text(comparison, how, text);
  }
  const auto printed = print_text(text.str(), options);
  if (!printed) return printed.error();
  const auto damaged = [](const metrics::Analysis& analysis) {
    return std::any_of(analysis.captures.begin(), analysis.captures.end(), [](const capture::CaptureRecord& record) { return record.damaged; });
  };
  if (damaged(comparison.baseline) || damaged(comparison.suspect)) return exit_status::damaged;
  if (options.exit_verdict && comparison.verdict_class == metrics::ComparisonClass::differential) return exit_status::interference;
  if (options.exit_verdict && comparison.verdict_class == metrics::ComparisonClass::insufficient) return exit_status::insufficient;
  return exit_status::done;
}

}  // namespace callwitness::app
