// What compare's JSON says of both captures together.
#include "metrics/compare.hpp"
#include "report/comparison_writer.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <sstream>

using namespace callwitness;

namespace {

nlohmann::json together_of(const metrics::Comparison& comparison) {
  std::ostringstream out;
  report::write_compare_json(comparison, out);
  return nlohmann::json::parse(out.str()).at("together");
}

}  // namespace

TEST_CASE("compare's JSON tells what both captures say together, and on how many occasions", "[together]") {
  metrics::Comparison comparison;
  auto& together = comparison.together;
  together.verdict.verdict_class = metrics::VerdictClass::interference;
  together.verdict.key = "strong_evidence_of_throttling";
  together.verdict.rung = 3;
  together.verdict.confidence = 0.991;
  together.occasions = 7;
  together.beside_spared = 6;
  together.shown = {0, 1, 2, 3, 4};
  together.not_shown = {5, 6};
  together.contrasts = {7, 8, 9};
  const nlohmann::json expected = {{"class", "interference"}, {"key", "strong_evidence_of_throttling"}, {"rung", "E3"}, {"confidence", 0.991}, {"occasions", 7},
                                   {"beside_spared", 6}, {"shown", 5}, {"not_shown", 2}, {"contrasts", 3}};
  CHECK(together_of(comparison) == expected);
}

TEST_CASE("compare's JSON takes it from where it is judged: a cap seen in both captures, an hour apart", "[together]") {
  const auto policed = [](int hour) {
    metrics::Analysis analysis;
    classify::Call call;
    call.label.application = "skype";
    call.start_time = capture::Time(std::chrono::seconds(1'780'000'000) + std::chrono::hours(hour));
    call.end_time = call.start_time + std::chrono::minutes(5);
    analysis.classification.calls.push_back(call);
    metrics::Finding cap;
    cap.kind = metrics::FindingKind::rate_cap;
    cap.mechanism = metrics::Mechanism::policer;
    cap.application = "skype";
    cap.direction = metrics::Direction::received;
    cap.calls = {classify::CallId{0}};
    cap.rate_bps = 40'000;
    cap.confidence = 0.99;
    cap.scope.scope_class = metrics::ScopeClass::call;
    analysis.findings.push_back(cap);
    analysis.verdict.verdict_class = metrics::VerdictClass::interference;
    analysis.verdict.key = "consistent_with_throttling";
    analysis.verdict.rung = 2;
    return analysis;
  };
  const auto twice = together_of(metrics::compare(policed(0), policed(2)));
  CHECK(twice.at("key") == "strong_evidence_of_throttling");
  CHECK(twice.at("rung") == "E3");
  CHECK(twice.at("shown") == 2);
  const auto none = together_of(metrics::compare({}, {}));
  CHECK(none.at("class") == "insufficient");
  CHECK(none.at("occasions") == 0);
  CHECK(none.at("shown") == 0);
}
