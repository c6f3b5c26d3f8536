// After how much flows die: amounts of people's calls, of servers killed at random, and of limits made here.
#include "metrics/models/dead_after.hpp"
#include "metrics/models/regular_cuts.hpp"
#include "metrics/statistics.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

using namespace callwitness::metrics;
using models::DeathAmount;
using models::DeathUnit;

namespace {

struct Voice { double packet_time = 0.02, loss = 0; std::size_t least = 90, most = 150; };

/// A call until `dies` says so, after each packet that comes.
DeathAmount call(Random& random, const Voice& voice, const std::function<bool(const DeathAmount&)>& dies) {
  DeathAmount amount;
  const double theirs = random.uniform(0.02, 0.3), ours = random.uniform(0, 0.02);
  for (double at = 0; at < 120; at += voice.packet_time) {
    if (at >= ours) ++amount.packets_up, amount.bytes_up += voice.least + random.index(voice.most - voice.least);
    if (at < theirs || random.chance(voice.loss)) continue;
    ++amount.packets_down;
    amount.bytes_down += voice.least + random.index(voice.most - voice.least);
    amount.seconds = at;
    amount.seconds_of_theirs = at - theirs;
    if (dies(amount)) break;
  }
  return amount;
}

std::vector<DeathAmount> calls(Random& random, std::size_t n, const Voice& voice, const std::function<bool(const DeathAmount&)>& dies) {
  std::vector<DeathAmount> all;
  for (std::size_t i = 0; i < n; ++i) all.push_back(call(random, voice, dies));
  return all;
}

bool names(const models::DeadAfter& found, DeathUnit unit) {
  return found.best.unit == unit || std::any_of(found.alternatives.begin(), found.alternatives.end(), [&](const auto& other) { return other.unit == unit; });
}

}  // namespace

TEST_CASE("flows that die after N packets are told, N to the packet", "[events]") {
  Random random(4201);
  std::size_t told = 0, named = 0;
  for (int i = 0; i < 100; ++i) {
    const auto limit = static_cast<std::uint64_t>(random.uniform(25, 500));
    const auto found = models::dead_after(calls(random, 4, {}, [&](const DeathAmount& a) { return a.packets_down >= limit; }), 0);
    REQUIRE(found.has_value());
    told += found->best.strength >= models::least_strength_to_accuse ? 1 : 0;
    named += names(*found, DeathUnit::packets_down) ? 1 : 0;
    if (found->best.unit != DeathUnit::packets_down) continue;
    CHECK(found->best.limit == static_cast<double>(limit));
    CHECK(found->best.high >= static_cast<double>(limit));
  }
  CHECK(told >= 95);
  CHECK(named == 100);
}

TEST_CASE("flows that die after so many bytes are told within a packet, packets and seconds not claimed for them", "[events]") {
  Random random(4202);
  std::size_t told = 0;
  for (int i = 0; i < 50; ++i) {
    const double limit = random.uniform(15'000, 60'000);
    const auto found = models::dead_after(calls(random, 5, {0.02, 0, 60, 1200}, [&](const DeathAmount& a) { return static_cast<double>(a.bytes_down) + 1200 > limit; }), 0);
    REQUIRE(found.has_value());
    told += found->best.strength >= models::least_strength_to_tell ? 1 : 0;
    CHECK(names(*found, DeathUnit::bytes_down));
    if (found->best.unit == DeathUnit::bytes_down) CHECK(found->best.limit == Approx(limit).margin(2400));
  }
  CHECK(told >= 47);
}

TEST_CASE("at a constant packet rate packets and seconds are one thing, and both are named", "[events]") {
  Random random(4203);
  const auto found = models::dead_after(calls(random, 5, {0.02, 0, 160, 161}, [](const DeathAmount& a) { return a.seconds_of_theirs >= 8.5; }), 0);
  REQUIRE(found.has_value());
  CHECK(names(*found, DeathUnit::seconds_of_theirs));
  CHECK(names(*found, DeathUnit::packets_down));
}

TEST_CASE("people's calls, and servers that die at random, die after nothing in particular", "[events]") {
  Random random(4204);
  for (const double sigma : {0.3, 0.5, 0.8}) {
    std::size_t told = 0, accusing = 0;
    for (int i = 0; i < 300; ++i) {
      const double usual = random.uniform(10, 100);
      std::vector<DeathAmount> all;
      for (int k = 0; k < 3 + i % 3; ++k) {
        const double lived = usual * std::exp(sigma * random.normal());
        all.push_back(call(random, {0.02, 0.005}, [&](const DeathAmount& a) { return a.seconds >= lived; }));
      }
      const auto found = models::dead_after(all, 0.005);
      told += found && found->best.strength >= models::least_strength_to_tell ? 1 : 0;
      accusing += all.size() >= 4 && found && found->best.strength >= models::least_strength_to_accuse ? 1 : 0;
    }
    INFO(sigma);
    CHECK(told <= 6);
    CHECK(accusing <= 1);
  }
}

TEST_CASE("two flows never suffice to accuse, nor one far end, nor survivors", "[events]") {
  const models::DeadAfterEvidence sure{4, 2, 2, 0, 3.5, 0, false};
  CHECK(models::dead_after_accuses(sure));
  const auto lacks = [&](auto&& change) {
    auto evidence = sure;
    change(evidence);
    return !models::dead_after_accuses(evidence);
  };
  CHECK(lacks([](auto& e) { e.flows = 3; }));
  CHECK(lacks([](auto& e) { e.far_ends = 1; }));
  CHECK(lacks([](auto& e) { e.others_alive = 1; }));
  CHECK(lacks([](auto& e) { e.others_dead = 1; }));
  CHECK(lacks([](auto& e) { e.survivors = 1; }));
  CHECK(lacks([](auto& e) { e.told_by_server = true; }));
  const std::vector<DeathAmount> two{{10, 25, 1000, 2500, 1, 1}, {10, 25, 1000, 2500, 1, 1}};
  const auto found = models::dead_after(two, 0);
  REQUIRE(found.has_value());
  CHECK(found->best.strength < models::least_strength_to_accuse);
}

TEST_CASE("amounts of nothing are no amounts", "[events]") {
  const std::vector<DeathAmount> none(4);
  CHECK_FALSE(models::dead_after(none, 0).has_value());
}
