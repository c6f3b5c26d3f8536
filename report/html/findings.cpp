#include "report/encode.hpp"
#include "report/html/sections.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace callwitness::report {
namespace {

using metrics::Analysis;
using metrics::Finding;

void alternatives(Page& page, const Finding& finding) {
  if (finding.alternatives.empty()) return;
  page.table({"explanation", "status", "reason"});
  for (const auto& alternative : finding.alternatives) {
    page.row();
    page.cell(page.word("alternative." + std::string(alternative.key)));
    const auto status = std::string(name_of(alternative.status));
    page.cell("<b class=\"" + status + "\">" + page.word("status." + status) + "</b>");
    std::string reason = for_html(page.plain.reason(alternative));
    for (const auto& [key, value] : alternative.numbers) reason += " · " + page.left_to_right(key + " = " + number_text(value));
    page.cell(reason);
    page.end_row();
  }
  page.end_table();
}

/// The detector's own numbers, under the names that analysis.json and docs/methods know them by.
void numbers(Page& page, const Finding& finding) {
  if (finding.numbers.empty() && !finding.rate_bps && !finding.count) return;
  page.out << "<dl class=\"numbers\" dir=\"ltr\">";
  const auto row = [&](const std::string& name, const std::string& value) { page.out << "<div><dt>" << for_html(name) << "</dt><dd>" << for_html(value) << "</dd></div>"; };
  const auto whole = [](const std::optional<double>& value) { return value ? std::optional(std::round(*value)) : std::nullopt; };
  const auto interval = [](const std::optional<double>& low, const std::optional<double>& high) {
    return low && high ? " [" + number_text(*low) + ", " + number_text(*high) + "]" : std::string();
  };
  if (finding.rate_bps) row("rate_bps [95 %]", number_text(*whole(finding.rate_bps)) + interval(whole(finding.rate_bps_low), whole(finding.rate_bps_high)));
  if (finding.burst_bytes) row("burst_bytes", number_text(*whole(finding.burst_bytes)));
  if (finding.period_s) row("period_s [95 %]", number_text(*finding.period_s) + interval(finding.period_s_low, finding.period_s_high));
  if (finding.count) row("n (count)", std::to_string(*finding.count));
  for (const auto& [key, value] : finding.numbers) row(key, number_text(value));
  page.out << "</dl>\n";
}

}  // namespace

void write_findings(Page& page, const Analysis& analysis) {
  page.heading("findings");
  if (analysis.findings.empty()) page.paragraph("none.findings");
  for (std::size_t i = 0; i < analysis.findings.size() && i < most_rows; ++i) {
    const auto& finding = analysis.findings[i];
    page.out << "<h3 id=\"f" << i + 1 << "\">" << page.left_to_right(fmt::format("f{}", i + 1)) << " " << page.word("kind." + finding.kind) << "</h3>\n<p>" << page.prose.finding(finding)
             << "</p>\n<p class=\"note\">" << page.word("column.confidence") << page.words.text("colon") << page.left_to_right(fmt::format("{:.3f}", finding.confidence)) << " · "
             << page.when(finding.start_time) << " – " << page.when(finding.end_time) << "</p>\n";
    alternatives(page, finding);
    numbers(page, finding);
  }
  if (analysis.findings.empty()) page.paragraph("none.alternatives");
}

void write_attempts(Page& page, const Analysis& analysis) {
  const auto& attempts = analysis.classification.attempts;
  if (attempts.empty()) return;
  page.heading("attempts");
  page.table({"from", "application", "stage", "target", "tries", "outcome"});
  for (std::size_t i = 0; i < attempts.size() && i < most_rows; ++i) {
    const auto& attempt = attempts[i];
    page.row();
    page.cell(page.when(attempt.first_time));
    page.cell(page.prose.application(attempt.application));
    page.cell(page.word("stage." + std::string(name_of(attempt.stage))));
    page.cell(page.left_to_right(attempt.target.raw()));
    page.cell(page.left_to_right(std::to_string(attempt.tries)));
    page.cell(page.word("outcome." + std::string(name_of(attempt.outcome))));
    page.end_row();
  }
  page.end_table();
}

void write_repeatability(Page& page, const Analysis& analysis) {
  page.heading("repeatability");
  if (const auto* leading = leading_finding(analysis); leading != nullptr && !leading->calls.empty()) {
    std::set<classify::CallId> showing;
    for (const auto& finding : analysis.findings)
      if (finding.kind == leading->kind && finding.application == leading->application) showing.insert(finding.calls.begin(), finding.calls.end());
    const auto& calls = analysis.classification.calls;
    const auto of = std::count_if(calls.begin(), calls.end(), [&](const auto& call) { return call.label.application == leading->application; });
    if (of > 0)
      page.out << "<p>" << page.told("repeat.calls", {{"n", page.left_to_right(std::to_string(showing.size()))}, {"of", page.left_to_right(std::to_string(of))},
                                                      {"application", page.prose.application(leading->application)}}) << "</p>\n";
  }
  page.paragraph("repeat.one");
}

}  // namespace callwitness::report
