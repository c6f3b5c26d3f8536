// The comparison in words and a table.
#include "report/comparison_writer.hpp"
#include "report/encode.hpp"
#include "report/prose.hpp"
#include "report/text_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

namespace callwitness::report {
namespace {

using metrics::ComparedMeasure;

std::string value(const std::optional<double>& number) { return number ? fmt::format("{:.4g}", *number) : "-"; }

/// In the unit that a person reads; `difference`: of two such values, so loss in points and rates as a ratio.
std::string shown(const ComparedMeasure& measure, const std::optional<double>& number, bool difference) {
  if (!number) return "-";
  const char* sign = difference ? "+" : "";
  const auto text = [&](const char* format, double of) { return fmt::format(fmt::runtime(fmt::format("{{:{}{}}}", sign, format)), of); };
  if (measure.metric == "bitrate_bps") return difference ? fmt::format("× {:.2f}", *number) : rate_text(*number);
  if (measure.metric == "loss_ratio") return text(".2f", 100 * *number) + (difference ? " pp" : " %");
  if (measure.metric.ends_with("_ms")) return text(".1f", *number) + " ms";
  return text(".3g", *number);
}

std::string name_of(const Catalogue& words, const std::string& metric) {
  if (metric == "cuts_per_hour") return words.text("compare.cuts_per_hour");
  return words.text("column." + (metric == "rtt_ms" ? "rtt" : metric.substr(0, metric.find('_'))));
}

std::string headline(const metrics::Comparison& comparison, const Catalogue& words) {
  if (comparison.key == "suspect_shows_interference") {
    const bool met = std::any_of(comparison.measures.begin(), comparison.measures.end(), [](const auto& m) { return m.n_baseline > 0 && m.n_suspect > 0; });
    return words.text("compare.shows") + (met ? "" : " " + words.text("compare.no_counterpart"));
  }
  if (comparison.verdict_class == metrics::ComparisonClass::differential) return words.text("compare.differ");
  return words.text(comparison.verdict_class == metrics::ComparisonClass::no_difference ? "compare.alike" : "compare.too_little");
}

}  // namespace

std::string comparison_sentence(const metrics::Comparison& comparison) {
  const auto compared = std::count_if(comparison.measures.begin(), comparison.measures.end(), [](const auto& m) { return m.p_value.has_value(); });
  if (comparison.key == "suspect_shows_interference")
    return fmt::format("The suspect side shows what the baseline does not (findings consistent with interference: {}). One contrast names no culprit.", comparison.findings.size());
  if (comparison.verdict_class == metrics::ComparisonClass::differential) {
    std::string which;
    for (const auto& measure : comparison.measures)
      if (measure.differs)
        which += fmt::format("{}{} {} {} -> {} (n = {} and {}, corrected p = {:.2g})", which.empty() ? "" : "; ", measure.application, measure.metric, value(measure.baseline),
                             value(measure.suspect), measure.n_baseline, measure.n_suspect, measure.p_value.value_or(1));
    return "The two sides differ: " + which + ". This alone does not say why.";
  }
  if (comparison.verdict_class == metrics::ComparisonClass::no_difference) {
    std::string smallest;
    for (const auto& measure : comparison.measures)
      if (measure.smallest_detectable)
        smallest += fmt::format("{}{} {}", smallest.empty() ? "" : ", ", measure.metric, value(measure.smallest_detectable));
    return fmt::format("No difference found in {} comparisons. The smallest that would have shown: {}.", compared, smallest.empty() ? "not told" : smallest);
  }
  return "One side holds too little, or too little in common with the other, to compare.";
}

void write_compare_text(const metrics::Comparison& comparison, const WriteOptions& options, std::ostream& out) {
  const Prose prose(options.language);
  const auto& words = prose.catalogue();
  static constexpr const char* classes[] = {"class.differential", "class.no_difference", "class.insufficient"};
  out << words.text(classes[static_cast<std::size_t>(comparison.verdict_class)]) << "\n  " << headline(comparison, words) << '\n';
  for (const auto& reason : comparison.not_comparable) out << "  " << words.text("compare.not." + reason) << '\n';
  for (const auto& finding : comparison.findings) out << "  " << words.text("compare.only", {{"finding", prose.finding(finding)}}) << '\n';
  if (const auto& together = comparison.together; together.finding)
    out << "  " << prose.standing(together.verdict) << ' '
        << words.text("compare.together", {{"occasions", std::to_string(together.occasions)}, {"spared", std::to_string(together.beside_spared)}}) << '\n';
  if (comparison.measures.empty()) return;
  std::vector<std::vector<std::string>> rows = {{words.text("column.application"), words.text("column.quantity"), words.text("column.direction"), words.text("column.baseline"),
                                                 words.text("column.suspect"), words.text("column.effect"), "p", "n", words.text("column.smallest")}};
  for (const auto& measure : comparison.measures) {
    auto effect = shown(measure, measure.effect, true);
    if (measure.effect_low && measure.effect_high) effect += fmt::format(" [{}, {}]", shown(measure, measure.effect_low, true), shown(measure, measure.effect_high, true));
    if (measure.differs) effect += " *";
    rows.push_back({prose.application(measure.application), name_of(words, measure.metric), prose.direction(measure.direction), shown(measure, measure.baseline, false),
                    shown(measure, measure.suspect, false), effect, measure.p_value ? fmt::format("{:.2g}", *measure.p_value) : "-",
                    fmt::format("{} / {}", measure.n_baseline, measure.n_suspect), shown(measure, measure.smallest_detectable, true)});
  }
  out << '\n';
  out << text_table(rows, 3, "  ");
}

}  // namespace callwitness::report
