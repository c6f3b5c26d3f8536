#include "metrics/meters/sequence.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>
#include <set>

using namespace callwitness;
using metrics::SequenceMeter;

namespace {
using Seen = SequenceMeter::Seen;

struct Feed {
  SequenceMeter meter;
  std::int64_t clock_ms = 0;
  std::uint32_t ordinal = 0;
  explicit Feed(unsigned bits = 16) : meter(bits) {}
  Seen operator()(std::uint32_t sequence, std::int64_t step_ms = 20) {
    clock_ms += step_ms;
    return meter.add(sequence, capture::Time(std::chrono::milliseconds(clock_ms)), ++ordinal, 200).seen;
  }
};
}  // namespace

TEST_CASE("A steady stream loses nothing across the wrap") {
  for (const unsigned bits : {8U, 16U, 24U, 32U}) {
    Feed feed(bits);
    const std::uint32_t mask = bits == 32 ? 0xffffffffU : (1U << bits) - 1;
    for (std::uint32_t i = 0; i < 1000; ++i) feed((mask - 300 + i) & mask);
    CHECK(feed.meter.expected() == 1000);
    CHECK(feed.meter.lost() == 0);
  }
}

TEST_CASE("Losses, repeats and late packets are told apart") {
  Feed feed;
  for (const auto sequence : {10U, 11U, 14U, 14U, 13U, 13U, 15U, 20U}) feed(sequence);
  CHECK(feed.meter.expected() == 11);             // 10 ... 20
  CHECK(feed.meter.unique() == 6);                // 10 11 13 14 15 20
  CHECK(feed.meter.lost() == 5);
  CHECK(feed.meter.duplicates() == 2);
  CHECK(feed.meter.reordered() == 1);
  CHECK(feed.meter.longest_run() == 4);
  REQUIRE(feed.meter.runs().size() == 2);
  CHECK(feed.meter.runs()[0].first == 2);         // number 12
  CHECK(feed.meter.runs()[0].count == 1);
}

TEST_CASE("A late packet before the wrap is no 65,535 losses") {
  Feed feed;
  for (const auto sequence : {65533U, 65535U, 0U, 65534U, 1U}) feed(sequence);
  CHECK(feed.meter.expected() == 5);
  CHECK(feed.meter.lost() == 0);
  CHECK(feed.meter.reordered() == 1);
}

TEST_CASE("Packets before the first one lower the minimum") {
  Feed feed;
  for (const auto sequence : {100U, 97U, 98U, 101U}) feed(sequence);
  CHECK(feed.meter.expected() == 5);
  CHECK(feed.meter.lost() == 1);
  CHECK(feed.meter.reordered() == 2);
}

TEST_CASE("A restarted counter goes on without losses, a forged number changes nothing") {
  Feed feed;
  for (std::uint32_t i = 0; i < 100; ++i) feed(1000 + i);
  CHECK(feed(40'000) == Seen::stray);
  for (std::uint32_t i = 100; i < 200; ++i) feed(1000 + i);
  CHECK(feed.meter.lost() == 0);
  CHECK(feed.meter.expected() == 200);
  for (std::uint32_t i = 0; i < 50; ++i) feed(30'000 + i);
  CHECK(feed.meter.lost() == 0);
  CHECK(feed.meter.expected() == 250);
  CHECK(feed.meter.resynchronisations() == 1);
  for (std::uint32_t i = 0; i < 50; ++i) feed(5 + i);      // backwards
  CHECK(feed.meter.lost() == 0);
  CHECK(feed.meter.expected() == 300);
}

TEST_CASE("Random numbers on every packet inflate nothing") {
  Feed feed;
  std::mt19937 random(7);
  for (int i = 0; i < 10'000; ++i) feed(random() & 0xffff);
  CHECK(feed.meter.lost() < 10'000);
}

TEST_CASE("An outage is a loss of its length") {
  Feed feed;
  for (std::uint32_t i = 0; i < 500; ++i) feed(i);
  feed(500 + 6'000, 6'000 * 20 + 20);
  for (std::uint32_t i = 1; i < 100; ++i) feed(6'500 + i);
  CHECK(feed.meter.lost() == 6'000);
  CHECK(feed.meter.longest_run() == 6'000);
}

TEST_CASE("Any order of loss, repetition and delay gives the counts of a set") {
  std::mt19937 random(11);
  for (int round = 0; round < 50; ++round) {
    std::vector<std::pair<double, std::uint32_t>> arrivals;
    const std::uint32_t start = random() & 0xffff;
    for (std::uint32_t i = 0; i < 3'000; ++i) {
      if (random() % 20 == 0) continue;
      const double late = random() % 10 == 0 ? static_cast<double>(random() % 40) : 0;
      arrivals.push_back({i + late, i});
      if (random() % 15 == 0) arrivals.push_back({i + late + static_cast<double>(random() % 60), i});
    }
    std::stable_sort(arrivals.begin(), arrivals.end());
    Feed feed;
    std::set<std::uint32_t> unique;
    std::uint32_t highest = 0, lowest = UINT32_MAX;
    std::uint64_t duplicates = 0, reordered = 0;
    for (const auto& [when, number] : arrivals) {
      feed((start + number) & 0xffff);
      if (!unique.insert(number).second) ++duplicates;
      else if (number < highest) ++reordered;
      highest = std::max(highest, number);
      lowest = std::min(lowest, number);
    }
    CHECK(feed.meter.expected() == highest - lowest + 1);
    CHECK(feed.meter.unique() == unique.size());
    CHECK(feed.meter.duplicates() == duplicates);
    CHECK(feed.meter.reordered() == reordered);
    std::uint64_t missing = 0;
    for (const auto& run : feed.meter.runs()) missing += run.count;
    CHECK(missing == feed.meter.lost());
  }
}
