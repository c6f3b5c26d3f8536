// The upper half of the ladder, on analyses made by hand.
#include "metrics/compare.hpp"
#include "metrics/verdict/together.hpp"

#include <catch2/catch.hpp>

using namespace callwitness;
using metrics::Analysis;
using metrics::VerdictClass;

namespace {

const capture::Time june{std::chrono::seconds(1'780'000'000)};
constexpr std::uint32_t first_network = 0x0a010203, second_network = 0x0a020203;

/// A call of `application` that began `hours` after the first one.
Analysis observed(double hours, std::string_view application = "skype", std::uint32_t local = first_network) {
  Analysis analysis;
  classify::Call call;
  call.label.application = application;
  call.start_time = june + std::chrono::seconds(static_cast<std::int64_t>(3600 * hours));
  call.end_time = call.start_time + std::chrono::minutes(5);
  call.local = capture::IpAddress::v4(local);
  analysis.classification.calls.push_back(call);
  analysis.verdict.verdict_class = VerdictClass::clean;
  analysis.verdict.key = "no_impairment_found";
  analysis.verdict.rung = 2;
  return analysis;
}

/// The same, policed at `rate`; `contrast`: others exceeded it.
Analysis policed(double hours, double rate = 40'000, bool contrast = true, std::uint32_t local = first_network) {
  auto analysis = observed(hours, "skype", local);
  metrics::Finding cap;
  cap.kind = metrics::FindingKind::rate_cap;
  cap.mechanism = metrics::Mechanism::policer;
  cap.application = "skype";
  cap.direction = metrics::Direction::received;
  cap.calls = {classify::CallId{0}};
  cap.rate_bps = rate;
  cap.confidence = 0.99;
  cap.scope.scope_class = contrast ? metrics::ScopeClass::call : metrics::ScopeClass::unknown;
  analysis.findings.push_back(cap);
  analysis.verdict.verdict_class = VerdictClass::interference;
  analysis.verdict.key = "consistent_with_throttling";
  return analysis;
}

metrics::Together together(const std::vector<Analysis>& all) {
  std::vector<const Analysis*> pointers;
  for (const auto& analysis : all) pointers.push_back(&analysis);
  return metrics::judge_together(pointers);
}

}  // namespace

TEST_CASE("one observation stays on its rung", "[together]") {
  const auto told = together({policed(0)});
  CHECK(told.verdict.rung == 2);
  CHECK(told.verdict.key == "consistent_with_throttling");
  CHECK(told.occasions == 1);
}

TEST_CASE("the same cap an hour later, beside spared traffic both times, is strong evidence at E3", "[together]") {
  const auto told = together({policed(0, 40'000), policed(1, 41'000)});
  CHECK(told.verdict.rung == 3);
  CHECK(told.verdict.key == "strong_evidence_of_throttling");
  CHECK(told.occasions == 2);
  CHECK(told.beside_spared == 2);
}

TEST_CASE("twice in one hour, twice in one capture, or another cap is no repetition", "[together]") {
  CHECK(together({policed(0), policed(0.9)}).verdict.rung == 2);
  CHECK(together({policed(0), policed(0)}).occasions == 1);
  CHECK(together({policed(0, 40'000), policed(5, 50'000)}).verdict.key == "consistent_with_throttling");
}

TEST_CASE("without traffic that was spared, repetition alone is no strong evidence", "[together]") {
  const auto told = together({policed(0, 40'000, false), policed(24, 40'000, false)});
  CHECK(told.verdict.rung == 3);
  CHECK(told.verdict.key == "consistent_with_throttling");
  CHECK(together({policed(0, 40'000, true), policed(24, 40'000, false)}).verdict.key == "consistent_with_throttling");
}

TEST_CASE("as many observations of the same application without it take the repetition away", "[together]") {
  const auto told = together({policed(0), policed(5), observed(10), observed(15)});
  CHECK(told.not_shown.size() == 2);
  CHECK(told.verdict.rung == 2);
  CHECK(together({policed(0), policed(5), observed(10)}).verdict.rung == 3);
}

TEST_CASE("another network without it makes E4 of what was repeated, and only of that", "[together]") {
  const auto told = together({policed(0), policed(5), observed(10, "skype", second_network)});
  CHECK(told.contrasts == std::vector<std::size_t>{2});
  CHECK(told.verdict.rung == 4);
  const auto once = together({policed(0), observed(10, "skype", second_network)});
  CHECK(once.contrasts.size() == 1);
  CHECK(once.verdict.rung == 2);
  CHECK(once.verdict.key == "consistent_with_throttling");
}

TEST_CASE("another application over the other network says nothing", "[together]") {
  const auto told = together({policed(0), policed(5), observed(10, "sip", second_network)});
  CHECK(told.contrasts.empty());
  CHECK(told.verdict.rung == 3);
}

TEST_CASE("a tunnel is a contrast where it carried more than the cap", "[together]") {
  for (const double rate : {45'000.0, 80'000.0}) {
    auto tunnel = observed(1, "wireguard");
    metrics::StreamMeasures stream;
    stream.direction = metrics::Direction::received;
    stream.bitrate_bps = metrics::BitrateSummary{rate, rate, rate, rate, rate};
    tunnel.streams.push_back(stream);
    CHECK(together({policed(0), policed(5), tunnel}).contrasts.size() == (rate > 50'000 ? 1 : 0));
  }
}

TEST_CASE("the far end's capture of the stream, whole there, is a contrast", "[together]") {
  auto suspect = policed(0);
  auto far = observed(0, "rtp", second_network);
  for (auto* analysis : {&suspect, &far}) {
    classify::Stream identity;
    identity.ssrc = 0x1234;
    analysis->classification.streams.push_back(identity);
    metrics::StreamMeasures measures;
    measures.start_time = june;
    measures.end_time = june + std::chrono::minutes(5);
    measures.direction = analysis == &far ? metrics::Direction::sent : metrics::Direction::received;
    measures.lost = analysis == &far ? 0u : 100u;
    analysis->streams.push_back(measures);
  }
  suspect.findings.front().streams = {classify::StreamId{0}};
  CHECK(together({suspect, far}).contrasts.size() == 1);
  far.streams.front().lost = 90;
  CHECK(together({suspect, far}).contrasts.empty());
}

TEST_CASE("what no observation accuses, they don't accuse together", "[together]") {
  auto impaired = observed(0);
  impaired.verdict.verdict_class = VerdictClass::impaired;
  impaired.verdict.key = "general_network_problem";
  const auto told = together({observed(3), impaired, impaired});
  CHECK_FALSE(told.finding.has_value());
  CHECK(told.verdict.key == "general_network_problem");
  CHECK(told.verdict.rung == 2);
}

// Trap: the direct path loses here and there, the VPN's doesn't; nobody singled the call out.
TEST_CASE("a VPN that is better only because its path is raises nothing", "[together][traps]") {
  auto direct = observed(0);
  direct.verdict.verdict_class = VerdictClass::impaired;
  direct.verdict.key = "unexplained_impairment";
  auto later = direct;
  later.classification.calls.front().start_time += std::chrono::hours(5);
  const auto told = together({direct, later, observed(1, "wireguard")});
  CHECK(told.verdict.verdict_class == VerdictClass::impaired);
  CHECK(told.verdict.rung == 2);
  CHECK(metrics::compare(observed(1, "wireguard"), direct).verdict_class != metrics::ComparisonClass::differential);
}

TEST_CASE("a comparison of June and November that both show the cap is no difference, and E3", "[together]") {
  const auto comparison = metrics::compare(policed(0), policed(24 * 150));
  CHECK(comparison.verdict_class != metrics::ComparisonClass::differential);
  CHECK(comparison.together.verdict.rung == 3);
  CHECK(comparison.together.verdict.key == "strong_evidence_of_throttling");
}
