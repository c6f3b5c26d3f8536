// The shaper's fit on hand-made arms: a queue spaces packets by their size and doesn't care about what it dropped.
#include "metrics/fits/serialisation.hpp"
#include "metrics/statistics.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

using namespace callwitness::metrics;

namespace {

struct Offered { double time = 0, bytes = 0; };

/// A talker of 20 ms packets whose sizes wander around `mean_bytes`.
std::vector<Offered> talk(double seconds, double mean_bytes, double deviation, std::uint64_t seed) {
  Random random(seed);
  std::vector<Offered> packets;
  for (double t = 0; t < seconds; t += 0.02) packets.push_back({t, std::max(60.0, mean_bytes + random.normal(0, deviation))});
  return packets;
}

enum class Pause { before, after };   ///< a packet waits for its own size, or (a bucket in debt, HTB) for its predecessor's

/// What comes out of a queue of `limit` bytes that drains at `rate_bps`.
std::vector<ArmPacket> shaped(const std::vector<Offered>& packets, double rate_bps, double limit, Pause pause, double from = 0) {
  std::vector<ArmPacket> out;
  double free = 0;
  std::uint32_t ordinal = 0;
  for (const auto& packet : packets) {
    if (packet.time < from) {
      out.push_back({packet.time, packet.bytes, ++ordinal});
      continue;
    }
    const double backlog = std::max(0.0, free - packet.time) * rate_bps / 8, time = packet.bytes * 8 / rate_bps;
    ArmPacket arrived;
    arrived.bytes = packet.bytes;
    if (backlog + packet.bytes > limit) {
      arrived.lost = true;
      arrived.time = out.empty() ? packet.time : out.back().time + 1e-6;
    } else {
      const double begin = std::max(free, packet.time);
      free = begin + time;
      arrived.time = pause == Pause::before ? free : begin;
      arrived.ordinal = ++ordinal;
    }
    out.push_back(arrived);
  }
  return out;
}

}  // namespace

TEST_CASE("a queue that drains at a constant rate is told by the spacing of its packets") {
  for (const auto pause : {Pause::before, Pause::after}) {
    const auto fit = fit_shaper(shaped(talk(60, 150, 30, 3), 50'000, 3000, pause), {0.02});
    REQUIRE(fit.has_value());
    CHECK(fit->mechanism);
    CHECK(fit->rate_bps == Approx(50'000).epsilon(0.005));
    CHECK(fit->rate_low < 50'000);
    CHECK(fit->rate_high > 50'000);
    CHECK(fit->correlation > 0.95);
  }
}

// A busy relay or receiver moves packets by milliseconds, so that gaps hardly follow sizes any more.
TEST_CASE("a queue is told through jitter by losses that leave no trace in the gaps") {
  Random random(11);
  auto packets = shaped(talk(60, 150, 30, 3), 48'000, 3000, Pause::before);
  double last = 0;
  for (auto& packet : packets) {
    packet.time = std::max(last + 1e-6, packet.time + random.normal(0, 0.004));
    last = packet.time;
  }
  const auto fit = fit_shaper(packets, {});
  REQUIRE(fit.has_value());
  CHECK(fit->correlation < 0.7);
  CHECK(fit->mechanism);
  // A radio behind it loses as many again: those leave gaps twice as long.
  for (auto& packet : packets) packet.lost = packet.lost || random.chance(0.2);
  const auto blurred = fit_shaper(packets, {});
  CHECK_FALSE((blurred && blurred->mechanism));
}

// 150 bytes each 20 ms are 60 kbit/s. Of 32 the plateau lies far below what passed before; of 57 what passed before strays into it.
TEST_CASE("a queue that begins in mid-call is told, and since when") {
  for (const double rate : {32'000.0, 57'000.0}) {
    const auto fit = fit_shaper(shaped(talk(90, 150, 30, 3), rate, 3000, Pause::before, 30), {0.02});
    REQUIRE(fit.has_value());
    CHECK(fit->mechanism);
    CHECK(fit->rate_bps == Approx(rate).epsilon(0.005));
    CHECK(fit->start == Approx(30).margin(3));
    CHECK(fit->end == Approx(90).margin(3));
  }
}

TEST_CASE("a queue that begins and ends in mid-call is told, since when and until when") {
  for (const double rate : {32'000.0, 50'000.0}) {
    auto packets = shaped(talk(70, 150, 30, 3), rate, 3000, Pause::before, 30);
    for (const auto& packet : talk(20, 150, 30, 4)) packets.push_back({70.5 + packet.time, packet.bytes, 1});
    const auto fit = fit_shaper(packets, {0.02});
    REQUIRE(fit.has_value());
    CHECK(fit->mechanism);
    CHECK(fit->rate_bps == Approx(rate).epsilon(0.005));
    CHECK(fit->start == Approx(30).margin(3));
    CHECK(fit->end == Approx(70).margin(3));
  }
}

TEST_CASE("traffic that only becomes slower is no queue") {
  auto packets = talk(40, 150, 30, 3);
  for (auto packet : talk(40, 80, 16, 4)) packets.push_back({packet.time + 40, packet.bytes});
  const auto fit = fit_shaper(shaped(packets, 1e9, 1e9, Pause::before), {0.02});
  CHECK_FALSE((fit && fit->mechanism));
}

// 20 ms and 150 bytes, or 40 ms and 300, for eight seconds each: gaps that grow with size, off the usual packet time.
TEST_CASE("a sender that changes its packet time is no queue, where its timestamps tell") {
  Random random(9);
  std::vector<ArmPacket> packets;
  std::uint32_t ordinal = 0;
  for (double t = 0; t < 64;) {
    const bool two = static_cast<int>(t / 8) % 2 == 1;
    t += two ? 0.04 : 0.02;
    packets.push_back({t + random.uniform(0, 0.002), two ? 300.0 : 150.0, ++ordinal, false, false, static_cast<std::uint16_t>(two ? 400 : 200)});
  }
  const auto told = fit_shaper(packets, {0.02});
  CHECK_FALSE((told && told->mechanism));
  for (auto& packet : packets) packet.media_tenths_ms = 0;
  const auto untold = fit_shaper(packets, {0.02});
  CHECK((untold && untold->mechanism));   // which is why the timestamps are asked
}

TEST_CASE("a queue is told where timestamps tell each packet's time, too") {
  for (const double rate : {30'000.0, 50'000.0, 56'000.0}) {   // of 60: half of the packets are lost, or few
    auto packets = shaped(talk(60, 150, 30, 3), rate, 3000, Pause::before);
    for (auto& packet : packets) packet.media_tenths_ms = 200;
    const auto fit = fit_shaper(packets, {0.02});
    REQUIRE(fit.has_value());
    CHECK(fit->mechanism);
    CHECK(fit->rate_bps == Approx(rate).epsilon(0.005));
  }
}

// A full queue of bytes turns the large packets away, so that the gaps around its losses are those of other sizes.
TEST_CASE("a full queue that drops the large packets more often is still a queue") {
  Random random(5);
  auto packets = talk(60, 100, 10, 5);
  for (auto& packet : packets)
    if (random.chance(0.5)) packet.bytes = 200;
  const auto fit = fit_shaper(shaped(packets, 52'000, 2500, Pause::after), {0.02});
  REQUIRE(fit.has_value());
  CHECK(fit->mechanism);
}

// Sizes that hardly vary, blurred by a busy receiver: the gaps are even and off the sender's own packet time.
TEST_CASE("a queue is told through a receiver's jitter by an even gap that isn't the sender's") {
  auto arrivals = shaped(talk(60, 115, 7, 9), 36'000, 1500, Pause::before);
  Random random(9);
  for (auto& packet : arrivals) packet.time += random.uniform(0, 0.006);
  std::sort(arrivals.begin(), arrivals.end(), [](const auto& a, const auto& b) { return a.time < b.time; });
  const auto fit = fit_shaper(arrivals, {0.02});
  REQUIRE(fit.has_value());
  CHECK(fit->correlation < 0.7);
  CHECK(fit->mechanism);
  CHECK(fit->rate_bps == Approx(36'000).epsilon(0.005));
  // The same blur on the sender's own gaps says nothing.
  auto sent = talk(60, 115, 7, 9);
  std::vector<ArmPacket> blurred;
  std::uint32_t ordinal = 0;
  for (const auto& packet : sent) blurred.push_back({packet.time + random.uniform(0, 0.006), packet.bytes, ++ordinal});
  const auto own = fit_shaper(blurred, {0.02});
  CHECK((!own || !own->mechanism));
}

TEST_CASE("the sender's own pace is no shaper") {
  std::vector<ArmPacket> steady, losing;
  Random random(7);
  std::uint32_t ordinal = 0;
  for (const auto& packet : talk(60, 150, 30, 7)) steady.push_back({packet.time + random.uniform(0, 0.002), packet.bytes, ++ordinal});
  const auto fit = fit_shaper(steady, {0.02});
  CHECK((!fit || !fit->mechanism));
  // Losses without a queue leave gaps twice as long.
  losing = steady;
  for (auto& packet : losing) packet.lost = random.chance(0.15);
  const auto with_losses = fit_shaper(losing, {0.02});
  CHECK((!with_losses || !with_losses->mechanism));
  // A constant bitrate is a plateau of the codec's.
  std::vector<ArmPacket> constant;
  for (double t = 0; t < 60; t += 0.02) constant.push_back({t, 200, ++ordinal});
  const auto plateau = fit_shaper(constant, {0.02});
  CHECK((!plateau || !plateau->mechanism));
}

TEST_CASE("jitter on single packets doesn't hide a queue from the sender's own clock") {
  Random random(9);
  std::vector<ArmPacket> packets;
  for (std::uint32_t k = 0; k < 3000; ++k) packets.push_back({0.022 * k + std::abs(random.normal(0, 0.004)), 200, k + 1, false, false});
  std::sort(packets.begin(), packets.end(), [](const ArmPacket& a, const ArmPacket& b) { return a.time < b.time; });
  const auto fit = fit_shaper(packets, {0.02});
  REQUIRE(fit.has_value());
  CHECK(fit->mechanism);
  CHECK_FALSE(fit_shaper(packets, {0.022})->mechanism);
}

TEST_CASE("spacing that a sender may have of itself is no shaper's, unless our own end shows another") {
  const auto each = [](double gap) {
    std::vector<ArmPacket> packets;
    for (std::uint32_t k = 0; k * gap < 60; ++k) packets.push_back({gap * k, 100, k + 1, false, false});
    return packets;
  };
  for (const double frame : {0.020, 0.030, 0.032, 1024 / 44100.0, 2 / 64.0, 1 / 30.0}) CHECK_FALSE(fit_shaper(each(frame), {})->mechanism);
  CHECK(fit_shaper(each(0.0275), {})->mechanism);
  CHECK(fit_shaper(each(0.029), {0, 0.02})->mechanism);
  CHECK_FALSE(fit_shaper(each(0.030), {0, 0.02})->mechanism);
  CHECK_FALSE(fit_shaper(each(0.0206), {0, 0.02})->mechanism);
  CHECK_FALSE(fit_shaper(each(0.0395), {0, 0.02})->mechanism);
}
