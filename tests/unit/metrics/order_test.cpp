// Seconds and traces, fed out of order, come out in order.
#include "metrics/meters/seconds.hpp"
#include "metrics/meters/trace.hpp"

#include <catch2/catch.hpp>

using namespace callwitness::metrics;

TEST_CASE("seconds are found again wherever they lie, and told in order", "[metrics]") {
  Seconds<FlowSecond> seconds;
  CHECK(seconds.records().empty());
  for (const std::uint32_t second : {5u, 5u, 7u, 6u, 7u, 2u, 9u, 6u, 2u}) ++seconds.at(second).bytes[0];
  const auto told = [&] {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> all;
    for (const auto& record : seconds.records()) all.emplace_back(record.second, record.bytes[0]);
    return all;
  };
  CHECK(told() == std::vector<std::pair<std::uint32_t, std::uint32_t>>{{2, 2}, {5, 2}, {6, 2}, {7, 2}, {9, 1}});
  for (const std::uint32_t second : {9u, 8u, 10u}) ++seconds.at(second).bytes[0];   // and goes on after it was told
  CHECK(told() == std::vector<std::pair<std::uint32_t, std::uint32_t>>{{2, 2}, {5, 2}, {6, 2}, {7, 2}, {8, 1}, {9, 2}, {10, 1}});
}

TEST_CASE("a trace is told by ordinal, those of one ordinal as they came", "[metrics]") {
  Trace trace;
  CHECK(trace.size() == 0);
  CHECK(trace.find(1) == nullptr);
  const auto append = [&](std::uint32_t ordinal, std::uint16_t stream) {
    TracePacket packet;
    packet.ordinal = ordinal;
    packet.stream = stream;
    trace.append(packet);
  };
  for (const std::uint32_t ordinal : {10u, 11u, 3u, 5u, 12u, 4u}) append(ordinal, 0);   // two streams' beginnings
  append(11, 1);
  for (std::uint32_t ordinal = 13; ordinal < 13 + 3 * Trace::chunk_packets; ++ordinal) append(ordinal, 0);
  REQUIRE(trace.find(13 + 3 * Trace::chunk_packets - 1) != nullptr);
  REQUIRE(trace.find(200) != nullptr);
  CHECK(trace.find(200)->ordinal == 200);
  CHECK(trace.size() == 7 + 3 * Trace::chunk_packets);
  const auto all = trace.take();
  REQUIRE(all.size() == 7 + 3 * Trace::chunk_packets);
  CHECK(trace.size() == 0);
  for (std::size_t i = 1; i < all.size(); ++i) CHECK(all[i - 1].ordinal <= all[i].ordinal);
  CHECK(all[0].ordinal == 3);
  CHECK(all[4].stream == 0);
  CHECK(all[5].ordinal == 11);
  CHECK(all[5].stream == 1);
}
