// The comparison as one JSON document. Its parts that an analysis has too are written by the same code.
#include "report/encode.hpp"
#include "report/comparison_writer.hpp"
#include "report/prose.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <sstream>

namespace callwitness::report {
namespace {

using nlohmann::json;

json number(const std::optional<double>& value) {
  if (!value || !std::isfinite(*value)) return nullptr;
  // Small p-values would vanish in fixed decimals: nine significant digits instead.
  if (*value == 0) return 0.0;
  const double scale = std::pow(10.0, 8 - std::floor(std::log10(std::abs(*value))));
  return std::isfinite(scale) ? std::round(*value * scale) / scale : 0.0;
}

json document_of(const metrics::Analysis& analysis) {
  std::ostringstream text;
  write_json(analysis, text);
  return json::parse(text.str(), nullptr, false);
}

json side(const json& document) {
  return {{"captures", document.value("captures", json::array())}, {"calls", document.value("calls", json::array())},
          {"findings", document.value("findings", json::array())}, {"verdict", document.value("verdict", json(nullptr))}};
}

json measure_record(const metrics::ComparedMeasure& measure) {
  return {{"application", measure.application.empty() ? json(nullptr) : json(measure.application)},
          {"metric", measure.metric},
          {"direction", measure.direction == metrics::Direction::sent ? "sent" : "received"},
          {"baseline", number(measure.baseline)},
          {"suspect", number(measure.suspect)},
          {"effect", number(measure.effect)},
          {"effect_low", number(measure.effect_low)},
          {"effect_high", number(measure.effect_high)},
          {"p_value", number(measure.p_value)},
          {"n_baseline", measure.n_baseline},
          {"n_suspect", measure.n_suspect},
          {"smallest_detectable", number(measure.smallest_detectable)},
          {"differs", measure.differs}};
}

json together_record(const metrics::Together& together) {
  return {{"class", name_of(together.verdict.verdict_class)}, {"key", together.verdict.key}, {"rung", fmt::format("E{}", together.verdict.rung)},
          {"confidence", number(together.verdict.confidence)}, {"occasions", together.occasions}, {"beside_spared", together.beside_spared},
          {"shown", together.shown.size()}, {"not_shown", together.not_shown.size()}, {"contrasts", together.contrasts.size()}};
}

}  // namespace

void write_compare_json(const metrics::Comparison& comparison, std::ostream& out) {
  static constexpr const char* classes[] = {"differential", "no_difference", "insufficient"};
  metrics::Analysis only_new = comparison.suspect;
  only_new.findings = comparison.findings;
  const json baseline = document_of(comparison.baseline), suspect = document_of(comparison.suspect), fresh = document_of(only_new);
  json measures = json::array();
  for (const auto& measure : comparison.measures) measures.push_back(measure_record(measure));
  json document = {{"schema_version", baseline.value("schema_version", json("2.0.0"))},
                   {"tool", baseline.value("tool", json(nullptr))},
                   {"baseline", side(baseline)},
                   {"suspect", side(suspect)},
                   {"measures", measures},
                   {"findings", fresh.value("findings", json::array())},
                   {"not_comparable", comparison.not_comparable},
                   {"together", together_record(comparison.together)},
                   {"verdict", {{"class", classes[static_cast<std::size_t>(comparison.verdict_class)]},
                                {"key", comparison.key},
                                {"confidence", number(comparison.confidence)},
                                {"summary", comparison_sentence(comparison)}}}};
  out << for_json(document.dump(1, ' ', false, json::error_handler_t::replace)) << '\n';
}

}  // namespace callwitness::report
