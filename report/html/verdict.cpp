#include "report/encode.hpp"
#include "report/html/sections.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace callwitness::report {
namespace {

using metrics::Analysis;

/// Told apart without colour, too.
const char* sign_of(metrics::VerdictClass verdict) {
  static constexpr const char* signs[] = {"✖", "‽", "!", "✓", "?"};
  return signs[static_cast<std::size_t>(verdict)];
}

class Facts {
 public:
  explicit Facts(Page& page) : page_(page) {}
  void add(std::string_view label, const std::string& value) {
    page_.out << "<div><dt>" << page_.word("fact." + std::string(label)) << "</dt><dd>" << page_.left_to_right(value) << "</dd></div>";
  }

 private:
  Page& page_;
};

/// Empty as well where nothing was lost of what could be counted, but not everything could: "0 %" would claim too much.
std::optional<double> worst_loss(const Analysis& analysis) {
  std::optional<double> worst;
  bool all = true;
  for (const auto& stream : analysis.streams) {
    if (stream.loss_ratio) worst = std::max(worst.value_or(0), *stream.loss_ratio);
    else all = all && stream.packets == 0;
  }
  return all || worst.value_or(0) > 0 ? worst : std::nullopt;
}

/// The few numbers that a reader takes away.
void facts(Page& page, const Analysis& analysis) {
  page.out << "<dl class=\"facts\">";
  Facts facts(page);
  if (const auto* leading = leading_finding(analysis)) {
    const auto number = [&](const char* key) {
      const auto found = leading->numbers.find(key);
      return found == leading->numbers.end() ? std::nullopt : std::optional(found->second);
    };
    if (leading->kind == metrics::FindingKind::rate_cap && leading->rate_bps) facts.add("cap", rate_text(*leading->rate_bps));
    if (leading->period_s) facts.add("period", span_text(*leading->period_s));
    if (leading->count && leading->kind != metrics::FindingKind::loss && leading->kind != metrics::FindingKind::blocking) facts.add("count", std::to_string(*leading->count));
    if (leading->kind == metrics::FindingKind::blocking) {
      if (const auto tries = number("tries")) facts.add("tries", fmt::format("{:.0f}", *tries));
      else if (leading->count) facts.add("tries", std::to_string(*leading->count));
    }
  }
  if (const auto loss = worst_loss(analysis)) facts.add("loss", percent_text(*loss));
  double talked = 0;
  for (const auto& call : analysis.classification.calls) talked += std::max(0.0, capture::seconds(call.end_time - call.start_time));
  facts.add("calls", std::to_string(analysis.classification.calls.size()));
  if (talked > 0) facts.add("duration", span_text(talked));
  if (analysis.verdict.verdict_class != metrics::VerdictClass::insufficient) facts.add("confidence", fmt::format("{:.3f}", analysis.verdict.confidence));
  page.out << "</dl>\n";
}

/// E0 … E4, the one reached marked.
void ladder(Page& page, const metrics::Verdict& verdict) {
  page.out << "<ol class=\"ladder\" aria-label=\"" << page.word("ladder") << "\">";
  for (int rung = 0; rung <= 4; ++rung)
    page.out << (rung == verdict.rung ? "<li aria-current=\"true\">" : "<li>") << "<b>" << page.left_to_right(fmt::format("E{}", rung)) << "</b> "
             << page.word(fmt::format("rung.{}", rung)) << "</li>";
  page.out << "</ol>\n";
}

}  // namespace

void write_verdict(Page& page, const Analysis& analysis) {
  const auto& verdict = analysis.verdict;
  const auto name = std::string(name_of(verdict.verdict_class));
  page.out << "<section class=\"verdict " << name << "\" aria-labelledby=\"verdict\">\n<p class=\"class\"><span class=\"sign\" aria-hidden=\"true\">"
           << sign_of(verdict.verdict_class) << "</span>" << page.word("class." + name) << "</p>\n<h2 id=\"verdict\">" << page.prose.headline(analysis) << "</h2>\n";
  const auto* leading = leading_finding(analysis);
  if (leading != nullptr) page.out << "<p>" << page.prose.finding(*leading) << "</p>\n";
  if (const auto missing = page.prose.lacking(analysis); !missing.empty()) page.out << "<p>" << missing << "</p>\n";
  if (const auto smallest = page.prose.smallest(verdict); !smallest.empty()) page.out << "<p>" << smallest << "</p>\n";
  facts(page, analysis);
  if (leading != nullptr) {
    for (const auto& [status, key] : {std::pair(metrics::AlternativeStatus::ruled_out, "verdict.excluded"), std::pair(metrics::AlternativeStatus::not_ruled_out, "verdict.remaining"),
                                      std::pair(metrics::AlternativeStatus::untestable, "verdict.untestable")})
      if (const auto list = page.prose.alternatives(*leading, status); !list.empty()) page.out << "<p>" << page.told(key, {{"list", list}}) << "</p>\n";
  }
  ladder(page, verdict);
  page.out << "<p class=\"note\">" << page.word("verdict.caveat") << "</p></section>\n";
  if (verdict.would_help.empty() || verdict.verdict_class == metrics::VerdictClass::insufficient) return;   // that says itself what to do
  page.out << "<h3>" << page.word("help") << "</h3>\n<ul class=\"help\">";
  for (const auto& key : verdict.would_help) page.out << "<li>" << page.word("help." + key) << "</li>";
  page.out << "</ul>\n<p class=\"note\">" << page.told("help.how", {{"compare", page.command("callwitness compare --baseline A --suspect B")}, {"report", page.command("callwitness report A B --each -o DIR")}})
           << "</p>\n";
}

void write_happened(Page& page, const Analysis& analysis) {
  page.heading("happened");
  std::optional<capture::Time> first, last;
  std::uint64_t packets = 0;
  for (const auto& capture : analysis.captures) {
    packets += capture.packets;
    if (capture.first_time && (!first || *capture.first_time < *first)) first = capture.first_time;
    if (capture.last_time && (!last || *capture.last_time > *last)) last = capture.last_time;
  }
  page.out << "<ul>\n";
  if (first && last) page.out << "<li>" << page.told("line.span", {{"start", page.when(*first)}, {"end", page.when(*last)}}) << "</li>\n";
  const auto& words = page.words;
  page.out << "<li>" << words.plural("count.captures", analysis.captures.size()) << page.comma() << words.plural("count.packets", packets) << page.comma()
           << words.plural("count.calls", analysis.classification.calls.size()) << page.comma() << words.plural("count.findings", analysis.findings.size()) << "</li>\n";
  std::vector<const metrics::Finding*> surest;
  for (const auto& finding : analysis.findings) surest.push_back(&finding);
  std::stable_sort(surest.begin(), surest.end(), [](const auto* a, const auto* b) { return a->confidence > b->confidence; });
  std::vector<std::string> lines;   // five in all, none twice
  for (const auto* finding : surest) {
    const auto line = page.prose.finding(*finding);
    if (lines.size() < 3 && std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(line);
  }
  if (lines.empty()) lines.push_back(page.word("none.findings"));
  for (const auto& line : lines) page.out << "<li>" << line << "</li>\n";
  page.out << "</ul>\n";
}

}  // namespace callwitness::report
