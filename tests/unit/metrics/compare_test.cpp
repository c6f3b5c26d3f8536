#include "metrics/compare.hpp"

#include <catch2/catch.hpp>

using namespace callwitness;
using metrics::ComparisonClass;

namespace {

/// One call of one received stream with the given loss ratio in every second.
metrics::Analysis call_with_loss(std::string_view application, double loss, std::size_t length_s, double bitrate = 64000) {
  metrics::Analysis analysis;
  classify::Stream stream;
  stream.label.application = application;
  stream.call = classify::CallId{0};
  classify::Call call;
  call.label.application = application;
  call.streams = {classify::StreamId{0}};
  analysis.classification.streams = {stream};
  analysis.classification.calls = {call};
  metrics::StreamMeasures measures;
  measures.call = classify::CallId{0};
  measures.direction = metrics::Direction::received;
  measures.lost = static_cast<std::uint64_t>(loss * 50 * static_cast<double>(length_s));
  for (std::size_t second = 0; second < length_s; ++second) {
    // A little spread, so that ranks exist.
    const double wiggle = static_cast<double>(second % 7) / 1000;
    measures.loss.values.push_back(loss > 0 ? loss + wiggle : wiggle / 10);
    measures.bitrate.values.push_back(bitrate * (1 + wiggle));
  }
  analysis.streams = {measures};
  analysis.verdict.verdict_class = loss > 0.02 ? metrics::VerdictClass::impaired : metrics::VerdictClass::clean;
  return analysis;
}

const metrics::ComparedMeasure& loss_of(const metrics::Comparison& comparison) {
  for (const auto& measure : comparison.measures) {
    if (measure.metric == "loss_ratio") return measure;
  }
  throw std::runtime_error("no loss compared");
}

metrics::Finding cap_at(double rate_bps, std::string_view application) {
  metrics::Finding cap;
  cap.kind = metrics::FindingKind::rate_cap;
  cap.mechanism = metrics::Mechanism::policer;
  cap.direction = metrics::Direction::received;
  cap.application = application;
  cap.rate_bps = rate_bps;
  cap.confidence = 0.995;
  return cap;
}

}  // namespace

TEST_CASE("two equal calls show no difference and say what would have shown", "[compare]") {
  const auto comparison = metrics::compare(call_with_loss("sip", 0.0, 120), call_with_loss("sip", 0.0, 120));
  CHECK(comparison.verdict_class == ComparisonClass::no_difference);
  CHECK(loss_of(comparison).n_baseline == 12);
  REQUIRE(loss_of(comparison).smallest_detectable);
  CHECK(*loss_of(comparison).smallest_detectable < 0.01);
}

TEST_CASE("persistent loss on one network only is a difference, with its effect", "[compare]") {
  const auto comparison = metrics::compare(call_with_loss("sip", 0.0, 120), call_with_loss("sip", 0.2, 120));
  CHECK(comparison.verdict_class == ComparisonClass::differential);
  CHECK(comparison.key == "suspect_loses_persistently");
  const auto& loss = loss_of(comparison);
  CHECK(*loss.effect == Approx(0.2).margin(0.01));
  CHECK(*loss.effect_low <= *loss.effect);
  CHECK(*loss.effect_high >= *loss.effect);
}

TEST_CASE("when everything suffers on the suspect network, no call is singled out", "[compare]") {
  auto suspect = call_with_loss("sip", 0.2, 120);
  suspect.verdict.key = "general_network_problem";
  CHECK(metrics::compare(call_with_loss("sip", 0.0, 120), suspect).verdict_class == ComparisonClass::no_difference);
}

TEST_CASE("too short calls and different applications are not compared", "[compare]") {
  CHECK(metrics::compare(call_with_loss("sip", 0.0, 15), call_with_loss("sip", 0.2, 15)).verdict_class ==
        ComparisonClass::insufficient);
  const auto comparison = metrics::compare(call_with_loss("sip", 0.0, 60), call_with_loss("viber", 0.2, 60));
  CHECK(comparison.verdict_class == ComparisonClass::insufficient);
  CHECK(comparison.not_comparable == std::vector<std::string>{"different_applications"});
}

TEST_CASE("a cap that only the suspect has is the difference; one that both have is none", "[compare]") {
  auto suspect = call_with_loss("sip", 0.2, 120);
  suspect.findings = {cap_at(40000, "sip")};
  suspect.verdict.verdict_class = metrics::VerdictClass::interference;
  const auto found = metrics::compare(call_with_loss("sip", 0.0, 120), suspect);
  CHECK(found.verdict_class == ComparisonClass::differential);
  CHECK(found.findings.size() == 1);
  CHECK(metrics::compare(suspect, suspect).verdict_class == ComparisonClass::no_difference);
}

TEST_CASE("a tunnel stands for a call only where it carried more than the cap", "[compare]") {
  auto baseline = call_with_loss("wireguard", 0.0, 120, 90000);
  classify::Flow flow;
  flow.role = classify::Role::tunnel;
  baseline.classification.flows = {flow};
  baseline.classification.calls[0].flows = {flow.id};
  baseline.streams[0].bitrate_bps = metrics::BitrateSummary{90000, 90000, 90000, 90000, 90000};
  auto suspect = call_with_loss("skype", 0.2, 120);
  suspect.findings = {cap_at(32000, "skype")};
  suspect.verdict.verdict_class = metrics::VerdictClass::interference;
  CHECK(metrics::compare(baseline, suspect).verdict_class == ComparisonClass::differential);
  baseline.streams[0].bitrate_bps = metrics::BitrateSummary{30000, 30000, 30000, 30000, 30000};
  CHECK(metrics::compare(baseline, suspect).verdict_class != ComparisonClass::differential);
}
