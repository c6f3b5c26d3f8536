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

/// "fastest second of the other traffic: 3.81 Mbit/s"
std::string number(const Page& page, const std::string& key, double value) {
  const auto name = "number." + key;
  const auto text = key.ends_with("_bps") ? rate_text(value) : number_text(value);
  return (page.words.has(name) ? page.word(name) : page.left_to_right(key)) + page.words.text("colon") + page.left_to_right(text);
}

void alternatives(Page& page, const Finding& finding) {
  if (finding.alternatives.empty()) {
    page.out << "<p class=\"note\">" << page.word("none.alternatives_here") << "</p>\n";
    return;
  }
  page.table({"explanation", "status", "reason"});
  for (const auto& alternative : finding.alternatives) {
    page.row();
    page.cell(for_html(sentence_case(page.words.text("alternative." + std::string(alternative.key)))));
    const auto status = std::string(name_of(alternative.status));
    page.out << "<td class=\"s\"><b class=\"" << status << "\">" << page.word("status." + status) << "</b></td>";
    std::string reason = for_html(page.plain.reason(alternative));
    for (const auto& [key, value] : alternative.numbers) reason += " · " + number(page, key, value);
    page.cell(reason);
    page.end_row();
  }
  page.end_table();
}

/// The detector's own numbers, under the names that analysis.json and docs/methods know them by.
void numbers(Page& page, const Finding& finding) {
  if (finding.numbers.empty() && !finding.rate_bps && !finding.count) return;
  page.out << "<p class=\"note\">" << page.word("numbers.detector") << "</p>\n<dl class=\"numbers\" dir=\"ltr\">";
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
    page.out << "<h3 id=\"f" << i + 1 << "\">" << page.left_to_right(fmt::format("f{}", i + 1)) << " " << page.word("kind." + std::string(name_of(finding.kind))) << "</h3>\n<p>" << page.prose.finding(finding)
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
    page.cell(page.prose.step(attempt));
    page.cell(page.left_to_right(attempt.target.raw()));
    page.cell(page.left_to_right(std::to_string(attempt.tries)));
    page.cell(page.word("outcome." + std::string(name_of(attempt.outcome))));
    page.end_row();
  }
  page.end_table();
}

namespace {

std::string joined(const Page& page, const std::set<std::string>& texts) {
  std::string list;
  for (const auto& text : texts) list += (list.empty() ? "" : page.comma()) + page.left_to_right(text);
  return list;
}

/// Over how many captures, hours and ends the calls are spread.
void spread(Page& page, const Analysis& analysis) {
  std::set<std::string> hours, ours, theirs;
  for (const auto& call : analysis.classification.calls) {
    const auto since_midnight = call.start_time - std::chrono::floor<std::chrono::days>(call.start_time);
    hours.insert(fmt::format("{:02}h", std::chrono::duration_cast<std::chrono::hours>(since_midnight).count()));
    ours.insert(call.local_endpoint.address.text());
    theirs.insert(call.remote_endpoint.address.text());
  }
  constexpr std::size_t most_named = 6;
  if (theirs.size() > most_named) theirs = {std::to_string(theirs.size())};
  if (ours.size() > most_named) ours = {std::to_string(ours.size())};
  page.out << "<p>" << page.told("repeat.spread", {{"captures", page.left_to_right(std::to_string(analysis.captures.size()))}, {"hours", joined(page, hours)},
                                                   {"ours", joined(page, ours)}, {"theirs", joined(page, theirs)}}) << "</p>\n";
}

}  // namespace

void write_repeatability(Page& page, const Analysis& analysis) {
  page.heading("repeatability");
  const auto& calls = analysis.classification.calls;
  if (const auto* leading = leading_finding(analysis); leading != nullptr && !leading->calls.empty()) {
    std::set<classify::CallId> showing;
    for (const auto& finding : analysis.findings)
      if (finding.kind == leading->kind && finding.application == leading->application) showing.insert(finding.calls.begin(), finding.calls.end());
    std::vector<const classify::Call*> alike;
    for (const auto& call : calls)
      if (call.label.application == leading->application) alike.push_back(&call);
    if (!alike.empty())
      page.out << "<p>" << page.told(leading->application.empty() ? "repeat.calls.unnamed" : "repeat.calls", {{"n", page.left_to_right(std::to_string(showing.size()))}, {"of", page.left_to_right(std::to_string(alike.size()))},
                                                      {"application", page.prose.application(leading->application)}}) << "</p>\n";
    if (alike.size() > 1) {
      page.table({"call", "from", "network", "shown"});
      for (std::size_t i = 0; i < alike.size() && i < most_rows; ++i) {
        page.row();
        page.cell(page.left_to_right(fmt::format("c{}", static_cast<std::uint32_t>(alike[i]->id) + 1)));
        page.cell(page.when(alike[i]->start_time));
        page.cell(page.left_to_right(alike[i]->local_endpoint.address.text() + " ↔ " + alike[i]->remote_endpoint.address.text()));
        page.cell(page.word(showing.contains(alike[i]->id) ? "word.yes" : "word.no"));
        page.end_row();
      }
      page.end_table();
    }
  }
  if (!calls.empty()) spread(page, analysis);
  page.paragraph("repeat.one");
}

}  // namespace callwitness::report
