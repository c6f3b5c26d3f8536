// Cuts that keep a beat: how few suffice, in what applications, and what is only mentioned.
#include "../../support/machine.hpp"

#include "metrics/interruptions.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <vector>

using namespace callwitness;
using metrics::period_of;
using tests::accused, tests::find, tests::has, tests::Machine, tests::peer, tests::Wire;

namespace {

/// Calls that go dead at `times` while we keep sending for five seconds, and are redialled three seconds after, the last one not.
template <class Talk>
metrics::Analysis cut_at(const std::vector<double>& times, Talk&& talk, double pages_until = 1e9) {
  Machine machine;
  double from = 2;
  for (std::size_t k = 0; k < times.size(); ++k) {
    talk(machine, static_cast<std::uint16_t>(30000 + 2 * k), from, times[k]);
    from = times[k] + 8;
  }
  machine.pages(std::min(pages_until, from + 40));
  return machine.analysis();
}

void rtp(Machine& machine, std::uint16_t port, double from, double cut) { machine.talk({peer, port, 23456, false}, from, cut + 5, cut, port); }

/// Bytes that nobody can read, every 20 ms each way.
void opaque(Machine& machine, std::uint16_t port, double from, double cut) {
  metrics::Random random(port);
  for (const bool sent : {true, false})
    for (double t = from; t < (sent ? cut + 5 : cut); t += 0.02) {
      std::vector<std::uint8_t> payload(60 + random.index(40));
      for (auto& byte : payload) byte = static_cast<std::uint8_t>(random.next() >> 24);
      machine.udp(t + (sent ? 0 : 0.007), {peer, port, 23456, false}, sent, payload);
    }
}

}  // namespace

TEST_CASE("a period allows for as much jitter as chance does not, and for missed beats", "[cuts]") {
  CHECK_FALSE(period_of({100, 200}).has_value());
  REQUIRE(period_of({100, 700, 1301}).has_value());
  CHECK(period_of({100, 700, 1301})->strict);
  CHECK(period_of({100, 700, 1301})->firm);
  // Two intervals that differ by four per cent: mentioned, no more. By six: nothing.
  REQUIRE(period_of({497, 1084, 1694}).has_value());
  CHECK_FALSE(period_of({497, 1084, 1694})->strict);
  CHECK_FALSE(period_of({497, 1084, 1694})->firm);
  CHECK_FALSE(period_of({100, 680, 1320}).has_value());
  // 100, 200, (300), 400, 500, 600.
  const auto missed = period_of({100, 200, 400, 500, 600});
  REQUIRE(missed.has_value());
  CHECK(missed->period == Approx(100));
  CHECK(missed->missed == 1);
  CHECK_FALSE(period_of({100, 130, 210, 450, 520}).has_value());
}

TEST_CASE("three exact beats suffice where everything else lives on, readable or not", "[cuts]") {
  const std::vector<double> exact{120, 240.2, 360};
  for (const auto talk : {&rtp, &opaque}) {
    const auto analysis = cut_at(exact, talk);
    const auto* cuts = find(analysis, "periodic_reset");
    REQUIRE(cuts != nullptr);
    CHECK(*cuts->count == 3);
    CHECK(*cuts->period_s == Approx(120).epsilon(0.01));
    CHECK(cuts->mechanism == "udp_blackhole");
    CHECK(accused(analysis));
  }
}

TEST_CASE("three calls that never come back may have been hung up: half a per cent is not exact enough", "[cuts]") {
  const auto analysis = cut_at({120, 240.8, 360}, &rtp);
  const auto* cuts = find(analysis, "periodic_reset");
  REQUIRE(cuts != nullptr);
  CHECK_FALSE(accused(analysis));
}

TEST_CASE("three beats that are off by two per cent are mentioned and accuse nobody", "[cuts]") {
  const auto analysis = cut_at({120, 238, 360}, &rtp);
  const auto* cuts = find(analysis, "periodic_reset");
  REQUIRE(cuts != nullptr);
  CHECK(cuts->confidence < 0.9);
  CHECK_FALSE(accused(analysis));
  CHECK(analysis.verdict.verdict_class == metrics::VerdictClass::impaired);
}

TEST_CASE("three cuts at any time are outages", "[cuts]") {
  const auto analysis = cut_at({120, 230, 390}, &rtp);
  CHECK(has(analysis, "outage"));
  CHECK_FALSE(has(analysis, "periodic_reset"));
  CHECK_FALSE(accused(analysis));
}

TEST_CASE("other traffic rules out the line only where it lived through every cut", "[cuts]") {
  const auto wifi = [](const metrics::Analysis& analysis) {
    const auto* outage = find(analysis, "outage");
    REQUIRE(outage != nullptr);
    return *std::find_if(outage->alternatives.begin(), outage->alternatives.end(), [](const auto& alternative) { return alternative.key == "wifi"; });
  };
  const auto through_all = wifi(cut_at({120, 230, 390}, &rtp)), through_two = wifi(cut_at({120, 230, 390}, &rtp, 300));
  CHECK(through_all.status == metrics::AlternativeStatus::ruled_out);
  CHECK(through_all.reason == "others_stayed_alive");
  CHECK(through_two.status == metrics::AlternativeStatus::not_ruled_out);
  CHECK(through_two.reason == "others_alive_in_some");
}
