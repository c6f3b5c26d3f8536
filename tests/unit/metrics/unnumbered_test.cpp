// What the gaps of a stream without numbers mean: losses, another packet time, or more frames in a packet.
#include "metrics/fits/unnumbered.hpp"
#include "metrics/statistics.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <numeric>
#include <vector>

using namespace callwitness::metrics;

namespace {

constexpr double minute = 60;

void arrive(std::vector<ArmPacket>& to, double time, double bytes = 120) { to.push_back({time, bytes, static_cast<std::uint32_t>(to.size() + 1), false, false}); }

/// A packet each `packet_time` through a bucket that `share` of them fill.
std::vector<ArmPacket> policed(double packet_time, double share) {
  std::vector<ArmPacket> passed;
  double tokens = 0;
  for (int k = 0; k * packet_time < minute; ++k) {
    tokens += share;
    if (tokens < 1) continue;
    tokens -= 1;
    arrive(passed, k * packet_time);
  }
  return passed;
}

std::size_t missing_of(const Cadence& cadence) { return std::accumulate(cadence.missing.begin(), cadence.missing.end(), std::size_t{0}); }

/// 2,000 packets, one in 20 ms. Every `late`-th comes 27 ms late, after the next; every `lost`-th never. 0: none.
std::size_t missing_where(int late, int lost) {
  std::vector<ArmPacket> media;
  for (int i = 0; i < 2'000; ++i) {
    if (lost > 0 && i % lost == lost / 2) continue;
    const bool is_late = late > 0 && i % late == late / 3;
    media.push_back({i * 0.02 + (i % 5) * 0.0004 + (is_late ? 0.027 : 0.0), 100, static_cast<std::uint32_t>(i), false, false});
  }
  std::sort(media.begin(), media.end(), [](const ArmPacket& a, const ArmPacket& b) { return a.time < b.time; });
  const auto cadence = read_cadence(media);
  CHECK(cadence.packet_time == 0.020);
  return missing_of(cadence);
}

}  // namespace

TEST_CASE("packets missing from a cadence are counted, nearly every second one too", "[unnumbered]") {
  for (const double share : {0.95, 0.7, 0.53}) {
    const auto cadence = read_cadence(policed(0.02, share));
    CHECK(cadence.packet_time == Approx(0.02));
    CHECK(static_cast<double>(missing_of(cadence)) == Approx(3000 * (1 - share)).epsilon(0.02));
  }
}

TEST_CASE("whole cadences lack nothing", "[unnumbered]") {
  for (const double packet_time : {0.01, 0.02, 0.03, 0.04, 0.06}) {
    const auto cadence = read_cadence(policed(packet_time, 1));
    CHECK(cadence.packet_time == Approx(packet_time));
    CHECK(missing_of(cadence) == 0);
  }
}

TEST_CASE("arrivals at random keep no phase", "[unnumbered]") {
  Random random(5);
  std::vector<ArmPacket> packets;
  for (double t = 0; t < minute; t += random.exponential(0.02)) arrive(packets, t);
  CHECK(read_cadence(packets).packet_time == 0);
}

TEST_CASE("two frames in one packet are no loss", "[unnumbered]") {
  std::vector<ArmPacket> packets;
  for (double t = 0; t < minute;) {
    const bool both = static_cast<int>(t) % 4 == 3;
    arrive(packets, t, both ? 200 : 120);
    t += both ? 0.04 : 0.02;
  }
  const auto cadence = read_cadence(packets);
  CHECK(cadence.packet_time == Approx(0.02));
  CHECK(cadence.missing.empty());
}

TEST_CASE("loud spells have larger packets and lose more of them: that is loss", "[unnumbered]") {
  std::vector<ArmPacket> packets;
  for (int k = 0; k < 3000; ++k) {
    const bool loud = k / 100 % 2 == 0;
    if (!loud || k % 3 != 1) arrive(packets, 0.02 * k, loud ? 140 : 70);
  }
  CHECK(missing_of(read_cadence(packets)) == Approx(500).margin(5));
}

TEST_CASE("a sender that halves its packets for seconds loses none", "[unnumbered]") {
  std::vector<ArmPacket> packets;
  for (double t = 0; t < minute; t += static_cast<int>(t) % 10 < 5 ? 0.02 : 0.04) arrive(packets, t);
  const auto cadence = read_cadence(packets);
  CHECK(cadence.packet_time == Approx(0.02));
  CHECK(missing_of(cadence) <= 12);   // where it changes over
}

TEST_CASE("a packet that comes late fills the place that it left empty", "[unnumbered]") {
  CHECK(missing_where(0, 0) == 0);
  CHECK(missing_where(37, 0) == 0);      // a path with jitter and no losses was taken for a policer
  CHECK(missing_where(0, 50) == 40);
  CHECK(missing_where(37, 50) == 40);
}
