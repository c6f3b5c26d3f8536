#include "capture/in_order.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <vector>

using namespace callwitness::capture;

namespace {

struct Kept final : PacketSink {
  std::vector<double> times;
  std::vector<std::uint8_t> first_bytes;
  bool finished = false;
  void on_packet(const Packet& packet) override {
    times.push_back(seconds(packet.time.time_since_epoch()));
    first_bytes.push_back(packet.bytes.front());
  }
  void finish() override { finished = true; }
};

/// Gives the times, in seconds, in one batch whose bytes are gone afterwards.
void give(InOrder& in_order, const std::vector<double>& times) {
  static std::uint64_t ordinal = 0;
  std::vector<std::uint8_t> bytes(times.size());
  std::vector<Packet> packets(times.size());
  for (std::size_t i = 0; i < times.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(std::llround(times[i] * 1e3));
    packets[i].time = Time(from_seconds(times[i]));
    packets[i].bytes = {&bytes[i], 1};
    packets[i].ordinal = ++ordinal;
  }
  in_order.on_packets(packets);
  std::fill(bytes.begin(), bytes.end(), std::uint8_t{0xff});
}

}  // namespace

TEST_CASE("frames in order go through as they come") {
  Kept kept;
  InOrder in_order(kept);
  give(in_order, {1, 1, 1.5, 2});
  CHECK(kept.times == std::vector<double>{1, 1, 1.5, 2});
}

TEST_CASE("after the first frame out of order all come in order, with their own bytes") {
  Kept kept;
  InOrder in_order(kept);
  give(in_order, {1, 0.999});                                      // the first can't be helped
  for (int i = 0; i < 50; ++i) give(in_order, {1.01 + i * 0.02, 1.006 + i * 0.02});
  in_order.finish();
  CHECK(kept.finished);
  REQUIRE(kept.times.size() == 102);
  CHECK(std::is_sorted(kept.times.begin() + 1, kept.times.end()));
  for (std::size_t i = 0; i < kept.times.size(); ++i) CHECK(kept.first_bytes[i] == static_cast<std::uint8_t>(std::llround(kept.times[i] * 1e3)));
}

TEST_CASE("a clock set back, and one capture behind another, are left as they are") {
  Kept kept;
  InOrder in_order(kept);
  give(in_order, {100, 101, 5, 6, 5.99, 7, 3, 4});
  in_order.finish();
  CHECK(kept.times == std::vector<double>{100, 101, 5, 6, 5.99, 7, 3, 4});
}

TEST_CASE("a flood in one instant is bounded") {
  Kept kept;
  InOrder in_order(kept);
  give(in_order, {1, 0.999});
  for (int i = 0; i < 500; ++i) give(in_order, std::vector<double>(40, 1.001));
  CHECK(kept.times.size() + InOrder::packet_limit >= 20'000);
  in_order.finish();
  CHECK(kept.times.size() == 20'002);
}
