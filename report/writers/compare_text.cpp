// The comparison in words and a table.
#include "report/comparison_writer.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace callwitness::report {
namespace {

std::string value(const std::optional<double>& number) { return number ? fmt::format("{:.4g}", *number) : "-"; }

}  // namespace

std::string comparison_sentence(const metrics::Comparison& comparison) {
  const auto compared = std::count_if(comparison.measures.begin(), comparison.measures.end(), [](const auto& m) { return m.p_value.has_value(); });
  if (comparison.key == "suspect_shows_interference")
    return fmt::format("The suspect side shows what the baseline does not: {} finding(s) consistent with interference. One contrast names no culprit.", comparison.findings.size());
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

void write_compare_text(const metrics::Comparison& comparison, const WriteOptions&, std::ostream& out) {
  out << comparison_sentence(comparison) << "\n\n";
  out << fmt::format("{:<14} {:<12} {:<9} {:>10} {:>10} {:>10} {:>23} {:>9} {:>9}\n", "application", "metric", "direction", "baseline", "suspect", "effect", "95 % interval", "p", "n");
  for (const auto& measure : comparison.measures)
    out << fmt::format("{:<14} {:<12} {:<9} {:>10} {:>10} {:>10} {:>23} {:>9} {:>9}{}\n", measure.application.empty() ? "-" : measure.application, measure.metric,
                       measure.direction == metrics::Direction::sent ? "sent" : "received", value(measure.baseline), value(measure.suspect), value(measure.effect),
                       fmt::format("{} .. {}", value(measure.effect_low), value(measure.effect_high)), value(measure.p_value),
                       fmt::format("{}/{}", measure.n_baseline, measure.n_suspect), measure.differs ? "  *" : "");
  for (const auto& finding : comparison.findings)
    out << fmt::format("only in the suspect: {} {}{}{}\n", finding.application, finding.kind, finding.mechanism.empty() ? "" : " " + finding.mechanism,
                       finding.rate_bps ? fmt::format(" at {:.1f} kbit/s", *finding.rate_bps / 1000) : "");
  if (const auto& together = comparison.together; together.finding)
    out << fmt::format("together: {} (E{}): seen on {} occasion(s) an hour or more apart, beside spared traffic in {}; contrasts without it: {}\n", together.verdict.key,
                       together.verdict.rung, together.occasions, together.beside_spared, together.contrasts.size());
  for (const auto& reason : comparison.not_comparable) out << "not comparable: " << reason << '\n';
}

}  // namespace callwitness::report
