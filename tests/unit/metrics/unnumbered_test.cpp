// Losses of unnumbered packets, by the places on their sender's grid that stay empty.
#include "metrics/unnumbered.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <numeric>

using namespace callwitness::metrics;

namespace {

/// 2,000 packets, one in 20 ms. Every `late`-th comes 27 ms late, after the next; every `lost`-th never. 0: none.
std::uint32_t missing(int late, int lost) {
  std::vector<ArmPacket> media;
  for (int i = 0; i < 2'000; ++i) {
    if (lost > 0 && i % lost == lost / 2) continue;
    const bool is_late = late > 0 && i % late == late / 3;
    media.push_back({i * 0.02 + (i % 5) * 0.0004 + (is_late ? 0.027 : 0.0), 100, static_cast<std::uint32_t>(i), false, false});
  }
  std::sort(media.begin(), media.end(), [](const ArmPacket& a, const ArmPacket& b) { return a.time < b.time; });
  const Cadence cadence = read_cadence(media);
  CHECK(cadence.packet_time == 0.020);
  return std::accumulate(cadence.missing.begin(), cadence.missing.end(), 0u);
}

}  // namespace

TEST_CASE("a packet that comes late fills the place that it left empty") {
  CHECK(missing(0, 0) == 0);
  CHECK(missing(37, 0) == 0);      // a path with jitter and no losses was taken for a policer
  CHECK(missing(0, 50) == 40);
  CHECK(missing(37, 50) == 40);
}
