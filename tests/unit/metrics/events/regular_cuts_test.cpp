// Beats of deaths against chance and against people, on timelines made here: how often each is told, and by whom.
#include "metrics/models/regular_cuts.hpp"
#include "metrics/statistics.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <vector>

using namespace callwitness::metrics;
using models::DeathTime;

namespace {

/// Calls that live for `age(i)` seconds each, called again some seconds after each death.
template <class Age>
std::vector<DeathTime> one_after_another(Random& random, std::size_t n, Age&& age) {
  std::vector<DeathTime> deaths;
  double time = random.uniform(0, 50);
  for (std::size_t i = 0; i < n; ++i) {
    const double lived = age();
    time += random.uniform(2, 20) + lived;
    deaths.push_back({time, lived, true});
  }
  return deaths;
}

/// A clock that kills every `period` seconds, off by `wander` of it (standard deviation), and misses a beat now and then.
std::vector<DeathTime> by_clock(Random& random, std::size_t n, double period, double wander, double misses = 0) {
  std::vector<DeathTime> deaths;
  double began = random.uniform(0, period / 2);
  for (std::size_t beat = 1; deaths.size() < n; ++beat) {
    if (beat > 1 && random.chance(misses)) continue;
    const double time = period * static_cast<double>(beat) + period * wander * random.normal();
    deaths.push_back({time, time - began, true});
    began = time + random.uniform(2, 15);
  }
  return deaths;
}

struct Rates { double told = 0, accusing = 0; };

template <class Make>
Rates rates(bool shown, std::size_t trials, Make&& make) {
  Rates rates;
  for (std::size_t i = 0; i < trials; ++i) {
    const auto found = models::regular_cuts(make(), shown);
    rates.told += found && found->strength() >= models::least_strength_to_tell ? 1 : 0;
    rates.accusing += found && found->strength() >= models::least_strength_to_accuse ? 1 : 0;
  }
  rates.told /= static_cast<double>(trials);
  rates.accusing /= static_cast<double>(trials);
  return rates;
}

}  // namespace

TEST_CASE("two deaths keep no beat", "[events]") {
  const std::vector<DeathTime> two{{100, 90, true}, {200, 90, true}};
  CHECK_FALSE(models::regular_cuts(two, true).has_value());
}

TEST_CASE("deaths at random keep a beat as rarely as their number lets chance do it", "[events]") {
  Random random(4101);
  const auto chance = [&](std::size_t n) {
    return rates(true, 400, [&] {
      const double average = random.uniform(60, 600);
      return one_after_another(random, n, [&] { return random.exponential(average); });
    });
  };
  CHECK(chance(3).told <= 0.05);
  CHECK(chance(4).accusing <= 0.01);
  CHECK(chance(6).told <= 0.01);
}

TEST_CASE("people who hang up without a goodbye keep no beat", "[events]") {
  Random random(4102);
  for (const double sigma : {0.3, 0.5, 0.8}) {
    const auto people = [&](std::size_t n) {
      return rates(false, 300, [&] {
        const double usual = random.uniform(60, 600);
        return one_after_another(random, n, [&] { return usual * std::exp(sigma * random.normal()); });
      });
    };
    INFO(sigma);
    CHECK(people(3).told <= 0.06);
    CHECK(people(4).accusing <= 0.01);
    CHECK(people(8).told <= 0.01);
  }
}

TEST_CASE("a clock is told from four cuts on, with its period, its missed beats, and as no age", "[events]") {
  Random random(4103);
  CHECK(rates(true, 200, [&] { return by_clock(random, 4, random.uniform(40, 600), 0.005); }).told >= 0.98);
  CHECK(rates(true, 200, [&] { return by_clock(random, 6, random.uniform(40, 600), 0.015, 0.1); }).accusing >= 0.95);
  std::size_t by_age = 0;
  for (int i = 0; i < 100; ++i) {
    const double period = random.uniform(40, 600);
    const auto found = models::regular_cuts(by_clock(random, 6, period, 0.002), true);
    REQUIRE(found.has_value());
    by_age += found->by_age() ? 1 : 0;
    CHECK(found->clock.period_s == Approx(period).epsilon(0.005));
    CHECK(found->clock.low_s < found->clock.period_s);
    CHECK(found->clock.high_s > found->clock.period_s);
  }
  CHECK(by_age <= 5);
  // 100, 200, (300), 400, 500, 600.
  const std::vector<DeathTime> missed{{100, 98, true}, {200, 95, true}, {400, 197, true}, {500, 96, true}, {600, 94, true}};
  const auto found = models::regular_cuts(missed, true);
  REQUIRE(found.has_value());
  CHECK(found->clock.period_s == Approx(100).epsilon(0.002));
  CHECK(found->clock.missed == 1);
  CHECK_FALSE(found->by_age());
}

TEST_CASE("a timer that starts with each call is told as an age, whenever people dial again", "[events]") {
  Random random(4104);
  for (int i = 0; i < 50; ++i) {
    const double lifetime = random.uniform(60, 600);
    const auto deaths = one_after_another(random, 5, [&] { return lifetime + 0.05 * random.normal(); });
    const auto found = models::regular_cuts(deaths, false);
    REQUIRE(found.has_value());
    CHECK(found->by_age());
    CHECK(found->strength() >= 3);
    CHECK(found->age.period_s == Approx(lifetime).epsilon(0.005));
  }
}

TEST_CASE("an age from before the capture says nothing, and takes nothing from the others", "[events]") {
  const std::vector<DeathTime> first_unknown{{300, 300, false}, {920, 600.1, true}, {1540, 599.9, true}, {2160, 600, true}};
  const auto found = models::regular_cuts(first_unknown, false);
  REQUIRE(found.has_value());
  CHECK(found->age.period_s == Approx(600).epsilon(0.001));
}

TEST_CASE("a beat accuses only by the clock, shown, and where others outlive it", "[events]") {
  const models::BeatEvidence sure{4, 3, 0, 3.5, true, false, false};
  CHECK(models::beat_accuses(sure));
  const auto lacks = [&](auto&& change) {
    auto evidence = sure;
    change(evidence);
    return !models::beat_accuses(evidence);
  };
  CHECK(lacks([](auto& e) { e.deaths = 3; }));
  CHECK(lacks([](auto& e) { e.strength = 2.9; }));
  CHECK(lacks([](auto& e) { e.shown = false; }));
  CHECK(lacks([](auto& e) { e.others_alive = 1; }));
  CHECK(lacks([](auto& e) { e.others_dead = 1; }));
  CHECK(lacks([](auto& e) { e.by_age = true; }));
  CHECK(lacks([](auto& e) { e.told_by_server = true; }));
}

TEST_CASE("hostile times neither hang nor overflow", "[events]") {
  std::vector<DeathTime> many;
  for (int i = 0; i < 5000; ++i) many.push_back({static_cast<double>(i) * 3, 1e-9, true});
  CHECK(models::regular_cuts(many, true).has_value());
  const std::vector<DeathTime> wild{{0, 1e12, true}, {0, 0, true}, {1e18, 1, true}, {1e18, 1, true}};
  CHECK(models::regular_cuts(wild, false).has_value());
}
