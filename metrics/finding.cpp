#include "metrics/finding.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

namespace callwitness::metrics {
namespace {

constexpr std::string_view kind_names[] = {
#define KIND(name, accusation) #name,
#include "metrics/finding_kinds.def"
#undef KIND
};
constexpr Accusation accusations[] = {
#define KIND(name, accusation) Accusation::accusation,
#include "metrics/finding_kinds.def"
#undef KIND
};
constexpr std::string_view mechanism_names[] = {
#define MECHANISM(name) #name,
#include "metrics/mechanisms.def"
#undef MECHANISM
};

}  // namespace

std::string_view name_of(FindingKind kind) { return kind_names[static_cast<std::size_t>(kind)]; }

std::string_view name_of(Mechanism mechanism) {
  return mechanism == Mechanism::none ? std::string_view() : mechanism_names[static_cast<std::size_t>(mechanism)];
}

std::optional<FindingKind> finding_kind_named(std::string_view name) {
  const auto found = std::find(std::begin(kind_names), std::end(kind_names), name);
  if (found == std::end(kind_names)) return std::nullopt;
  return static_cast<FindingKind>(found - std::begin(kind_names));
}

Mechanism mechanism_named(std::string_view name) {
  const auto found = std::find(std::begin(mechanism_names), std::end(mechanism_names), name);
  return found == std::end(mechanism_names) ? Mechanism::none : static_cast<Mechanism>(found - std::begin(mechanism_names));
}

std::string_view name_of(Accusation accusation) {
  static constexpr std::string_view names[] = {"", "throttling", "blocking", "resets"};
  return names[static_cast<std::size_t>(accusation)];
}

Accusation accusation_of(FindingKind kind) { return accusations[static_cast<std::size_t>(kind)]; }

std::string_view name_of(ScopeClass scope) {
  static constexpr std::string_view names[] = {"unknown", "stream", "call", "application", "host", "everything"};
  return names[static_cast<std::size_t>(scope)];
}

std::string_view words_of(const Strength& strength) {
  // ENFSI Guideline for Evaluative Reporting, 2015: likelihood ratios of 2, 10, 100, 1,000 and 10,000.
  static constexpr struct { double least; std::string_view word; } scale[] = {
      {4, "very_strong"}, {3, "strong"}, {2, "moderately_strong"}, {1, "moderate"}, {0.30103, "weak"}};
  for (const auto& step : scale)
    if (strength.log10_likelihood_ratio >= step.least) return step.word;
  return "none";
}

double Finding::number(const char* name) const {
  const auto found = numbers.find(name);
  return found == numbers.end() ? 0.0 : found->second;
}

bool Finding::leaves_open(std::string_view alternative) const {
  return std::any_of(alternatives.begin(), alternatives.end(), [&](const Alternative& other) { return other.key == alternative && other.status != AlternativeStatus::ruled_out; });
}

}  // namespace callwitness::metrics
