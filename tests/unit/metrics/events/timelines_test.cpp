// Innocent and interfered evenings of calls, packet by packet: whom the events' findings may accuse or suspect, and what they tell.
#include "../../../support/machine.hpp"

#include "metrics/events/event_weight.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

using namespace callwitness;
using metrics::Random, metrics::Weight;
using tests::Machine, tests::peer, tests::sip, tests::Wire;

namespace {

/// TIMELINES=n: so many of each kind; few as a test.
std::size_t runs() {
  const char* told = std::getenv("TIMELINES");
  return told == nullptr ? 6 : std::strtoul(told, nullptr, 10);
}

enum class End { bye, both_stop, far_end_stops, died };

struct CallPlan { double lives = 0, goes_on = 4, redial = 5; End end = End::bye; std::uint32_t host = 0; };

/// An evening of calls one after the other, and the web beside them.
metrics::Analysis evening(const std::vector<CallPlan>& calls, bool with_pages = true) {
  Machine machine;
  double from = 2;
  for (std::size_t k = 0; k < calls.size(); ++k) {
    const auto& plan = calls[k];
    const Wire media{peer + plan.host, static_cast<std::uint16_t>(30000 + 2 * k), 23456, false};
    const auto id = "call" + std::to_string(k);
    const bool goes_on = plan.end == End::died || plan.end == End::far_end_stops;
    if (plan.end == End::bye) sip(machine, from - 1, id, true, "INVITE", 1, media.local_port);
    machine.talk(media, from, from + plan.lives + (goes_on ? plan.goes_on : 0), from + plan.lives, 100u + static_cast<std::uint32_t>(2 * k));
    if (plan.end == End::bye) sip(machine, from + plan.lives + 0.05, id, true, "BYE", 2, media.local_port);
    from += plan.lives + (goes_on ? plan.goes_on : 0) + plan.redial;
  }
  if (with_pages) machine.pages(from + 5);
  return machine.analysis();
}

/// The gravest that the findings of events allow.
Weight gravest(const metrics::Analysis& analysis) {
  Weight weight = Weight::none;
  for (const auto& finding : analysis.findings) weight = std::min(weight, metrics::weight_of_event(finding));
  return weight;
}

struct Tally { std::size_t runs = 0, accused = 0, suspected = 0, clean = 0, told = 0; };

Tally tally(std::uint64_t seed, const std::function<metrics::Analysis(Random&)>& make, const std::function<bool(const metrics::Analysis&)>& tells = {}) {
  Tally result;
  Random random(seed);
  for (std::size_t i = 0; i < runs(); ++i) {
    const auto analysis = make(random);
    const auto weight = gravest(analysis);
    ++result.runs;
    result.accused += weight == Weight::accuses ? 1 : 0;
    result.suspected += weight == Weight::suspects ? 1 : 0;
    result.clean += std::all_of(analysis.outcomes.begin(), analysis.outcomes.end(), metrics::may_be_clean) ? 1 : 0;
    result.told += tells && tells(analysis) ? 1 : 0;
  }
  if (std::getenv("TIMELINES") != nullptr) WARN("seed " << seed << ": runs " << result.runs << " accused " << result.accused << " suspected " << result.suspected << " clean " << result.clean << " told " << result.told);
  return result;
}

std::vector<CallPlan> people(Random& random, std::size_t n, End end, double sigma) {
  std::vector<CallPlan> calls;
  const double usual = random.uniform(15, 60);
  for (std::size_t k = 0; k < n; ++k) calls.push_back({usual * std::exp(sigma * random.normal()), random.uniform(0.5, 8), random.uniform(2, 30), end, static_cast<std::uint32_t>(random.index(3))});
  return calls;
}

/// Calls that a clock cuts every `period`, called again by software after its own try of some seconds.
std::vector<CallPlan> by_clock(Random& random, std::size_t n, double period) {
  std::vector<CallPlan> calls;
  double from = 2;
  for (std::size_t beat = 1; calls.size() < n; ++beat) {
    const double at = period * static_cast<double>(beat) + 0.3 * random.normal(), goes_on = random.uniform(3, 6), redial = random.uniform(0.2, 2.5);
    calls.push_back({at - from, goes_on, redial, End::died, 0});
    from = at + goes_on + redial;
  }
  return calls;
}

const metrics::Finding* told(const metrics::Analysis& analysis, metrics::FindingKind kind) {
  const auto at = std::find_if(analysis.findings.begin(), analysis.findings.end(), [&](const auto& finding) { return finding.kind == kind; });
  return at == analysis.findings.end() ? nullptr : &*at;
}

}  // namespace

TEST_CASE("evenings of calls that people end accuse nobody and are seldom suspected", "[timelines]") {
  const auto few = [](const Tally& tally) { return tally.accused == 0 && static_cast<double>(tally.suspected) <= std::max(1.0, 0.03 * static_cast<double>(tally.runs)); };
  const auto with_bye = tally(5101, [](Random& random) { return evening(people(random, 4 + random.index(5), End::bye, 0.6)); });
  CHECK(few(with_bye));
  CHECK(with_bye.clean == with_bye.runs);
  const auto stopped = tally(5102, [](Random& random) { return evening(people(random, 4 + random.index(5), End::both_stop, 0.6)); });
  CHECK(few(stopped));
  CHECK(stopped.clean == stopped.runs);
  CHECK(few(tally(5103, [](Random& random) { return evening(people(random, 3 + random.index(6), End::far_end_stops, 0.5)); })));
  CHECK(few(tally(5104, [](Random& random) { return evening(people(random, 3 + random.index(6), End::far_end_stops, 0.8), false); })));
}

TEST_CASE("a recording of one length that is called again and again accuses nobody", "[timelines]") {
  CHECK(tally(5105, [](Random& random) {
    const double length = random.uniform(12, 50);
    std::vector<CallPlan> calls;
    for (std::size_t k = 0; k < 4 + random.index(4); ++k) calls.push_back({length + 0.01 * random.normal(), random.uniform(1, 6), random.uniform(4, 30), End::far_end_stops, 0});
    return evening(calls);
  }).accused == 0);
}

TEST_CASE("cuts by the clock are told with their period, and no call of theirs may be clean", "[timelines]") {
  double period = 0;
  const auto cut = tally(5106, [&](Random& random) {
    period = random.uniform(25, 70);
    return evening(by_clock(random, 5 + random.index(3), period));
  }, [&](const metrics::Analysis& analysis) {
    const auto* finding = told(analysis, metrics::FindingKind::periodic_reset);
    return finding != nullptr && std::abs(*finding->period_s / period - 1) <= 0.01;
  });
  CHECK(cut.clean == 0);
  CHECK(static_cast<double>(cut.told) >= 0.95 * static_cast<double>(cut.runs));
  CHECK(static_cast<double>(cut.accused) >= 0.8 * static_cast<double>(cut.runs));
}

TEST_CASE("flows that die after N packets are told with N, and no call of theirs may be clean", "[timelines]") {
  double limit = 0;
  const auto died = tally(5107, [&](Random& random) {
    limit = std::floor(random.uniform(60, 900));
    std::vector<CallPlan> calls;
    for (std::size_t k = 0; k < 5 + random.index(4); ++k) calls.push_back({(limit - 0.5) * 0.02, random.uniform(4, 9), random.uniform(1, 15), End::died, static_cast<std::uint32_t>(k % 3)});
    return evening(calls);
  }, [&](const metrics::Analysis& analysis) {
    const auto* finding = told(analysis, metrics::FindingKind::dies_after);
    if (finding == nullptr) return false;
    const double said = finding->unit == "packets" ? *finding->limit / (finding->way == "both" ? 2 : 1) : finding->number("or_packets") / (finding->number("or_packets") > 1.5 * limit ? 2 : 1);
    return std::abs(said - limit) <= 1.5;
  });
  CHECK(died.clean == 0);
  CHECK(static_cast<double>(died.told) >= 0.95 * static_cast<double>(died.runs));
}
