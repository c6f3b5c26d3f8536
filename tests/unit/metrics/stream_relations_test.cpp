// Streams that draw their numbers from one counter, and one stream seen on both sides of a relay.
#include "metrics/stream_relations.hpp"

#include <catch2/catch.hpp>

#include <functional>

using namespace callwitness;
using namespace callwitness::metrics;

namespace {

capture::Time at_ms(double ms) { return capture::Time(capture::from_seconds(ms / 1e3)); }

struct Made {
  SequenceMeter meter;
  NumberedStream numbered;
};

/// The numbers from `first` on for which `takes` is true, one in 10 ms.
Made made(std::uint32_t id, std::uint32_t flow, std::uint32_t ssrc, std::uint32_t first, int count, const std::function<bool(int)>& takes) {
  Made result;
  bool any = false;
  for (int i = 0; i < count; ++i) {
    if (!takes(i)) continue;
    result.meter.add((first + static_cast<std::uint32_t>(i)) & 0xffff, at_ms(i * 10.0), static_cast<std::uint32_t>(i + 1), 200);
    if (!any) result.numbered.first_time = at_ms(i * 10.0);
    result.numbered.last_time = at_ms(i * 10.0);
    any = true;
  }
  result.numbered.id = classify::StreamId{id};
  result.numbered.flow = classify::FlowId{flow};
  result.numbered.ssrc = ssrc;
  result.numbered.usable = true;
  return result;
}

std::vector<StreamRelation> related(std::vector<Made>& streams) {
  std::vector<NumberedStream> numbered;
  for (auto& each : streams) {
    each.numbered.first_raw = static_cast<std::uint16_t>(each.meter.first_raw());
    each.numbered.minimum = each.meter.oldest();
    each.numbered.maximum = each.meter.newest();
    each.numbered.runs = each.meter.runs();
    numbered.push_back(each.numbered);
  }
  return relate(numbered);
}

std::uint64_t lost(const StreamRelation& relation) {
  std::uint64_t sum = 0;
  for (const auto& run : relation.holes) sum += run.count;
  return sum;
}

constexpr std::uint32_t voice = 0xaaaa0001, picture = 0xbbbb0002, mending = 0xcccc0003;

}  // namespace

TEST_CASE("two and three streams of one counter lose nothing, across the wrap and after days") {
  std::vector<Made> streams;
  streams.push_back(made(0, 1, voice, 65'000, 3'000, [](int i) { return i % 7 < 3; }));
  streams.push_back(made(1, 1, picture, 65'000, 3'000, [](int i) { return i % 7 > 3; }));
  streams.push_back(made(2, 1, mending, 65'000, 3'000, [](int i) { return i % 7 == 3; }));
  const auto relations = related(streams);
  for (const auto& relation : relations) {
    REQUIRE(relation.counter_of);
    CHECK(lost(relation) == 0);
  }
  std::vector<Made> late;                                    // the second begins after a round of the counter
  late.push_back(made(0, 1, voice, 9, 100'000, [](int i) { return i < 80'000 || i % 2 == 0; }));
  late.push_back(made(1, 1, picture, 9, 100'000, [](int i) { return i >= 80'000 && i % 2 == 1; }));
  for (const auto& relation : related(late)) {
    REQUIRE(relation.counter_of);
    CHECK(lost(relation) == 0);
  }
}

TEST_CASE("what nobody has is lost, and told once") {
  std::vector<Made> streams;
  const auto dropped = [](int i) { return i % 50 == 20 || i % 50 == 21; };
  streams.push_back(made(0, 1, voice, 100, 2'000, [&](int i) { return i % 2 == 0 && !dropped(i); }));
  streams.push_back(made(1, 1, picture, 100, 2'000, [&](int i) { return i % 2 == 1 && !dropped(i); }));
  const auto relations = related(streams);
  REQUIRE(relations[0].counter_of);
  CHECK(lost(relations[0]) + lost(relations[1]) == 80);
}

TEST_CASE("two streams with counters of their own keep their losses") {
  for (const std::uint32_t apart : {0u, 500u, 30'000u}) {
    std::vector<Made> streams;
    streams.push_back(made(0, 1, voice, 100, 2'000, [](int i) { return i % 2 == 0; }));             // half of it lost
    streams.push_back(made(1, 1, picture, 100 + apart, 2'000, [](int i) { return i % 5 != 0; }));
    for (const auto& relation : related(streams)) CHECK_FALSE(relation.counter_of);
  }
  std::vector<Made> ways;                                                                           // and the two ways of a call
  ways.push_back(made(0, 1, voice, 100, 2'000, [](int i) { return i % 2 == 0; }));
  ways.push_back(made(1, 1, picture, 100, 2'000, [](int i) { return i % 2 == 1; }));
  ways[1].numbered.way = classify::Way::backward;
  for (const auto& relation : related(ways)) CHECK_FALSE(relation.counter_of);
}

TEST_CASE("a relay passes on what came to it; what is missing behind it alone is its own") {
  const auto arrived = [](int i) { return i % 26 != 7; };
  std::vector<Made> streams;
  streams.push_back(made(0, 1, voice, 65'500, 1'040, arrived));
  streams.push_back(made(1, 2, voice, 65'500, 1'040, [&](int i) { return arrived(i) && i % 100 != 50; }));
  const auto relations = related(streams);
  REQUIRE(relations[1].twin);
  CHECK(*relations[1].twin == classify::StreamId{0});
  CHECK(relations[1].missing_in_both == 40);
  CHECK(streams[1].numbered.missing() > 40);
  streams[1].numbered.ssrc = picture;                        // another stream that happens to lack the same
  for (const auto& relation : related(streams)) CHECK_FALSE(relation.twin);
}
