#include "app/compare.hpp"

#include "metrics/compare.hpp"
#include "report/comparison_writer.hpp"

#include <algorithm>

namespace callwitness::app {

capture::Result<void> compare_inputs(const std::vector<std::string>& baseline, const std::vector<std::string>& suspect,
                                     const PipelineOptions& options, std::string_view format, std::ostream& out, bool& damaged) {
  auto first = analyze_inputs(baseline, options);
  if (!first) return first.error();
  auto second = analyze_inputs(suspect, options);
  if (!second) return second.error();
  const auto is_damaged = [](const metrics::Analysis& analysis) {
    return std::any_of(analysis.captures.begin(), analysis.captures.end(), [](const capture::CaptureRecord& record) { return record.damaged; });
  };
  damaged = is_damaged(first.value()) || is_damaged(second.value());
  const auto comparison = metrics::compare(std::move(first).value(), std::move(second).value());
  if (format == "json") report::write_compare_json(comparison, out);
  else report::write_compare_text(comparison, {}, out);
  return {};
}

}  // namespace callwitness::app
