// Where lost packets had stood, worked out by hand.
#include "metrics/fits/lost_places.hpp"

#include <catch2/catch.hpp>

using namespace callwitness;
using metrics::ArmPacket;
using metrics::NumberedPacket;

namespace {

/// Video of 25 frames a second on a clock of 90 kHz: two full packets of 1,140 bytes and a last one of 400, 1 ms apart.
struct Video {
  std::vector<NumberedPacket> packets;
  std::int32_t sequence = 0;
  std::uint32_t ordinal = 0;

  explicit Video(int frames, bool marked = true) {
    for (int frame = 0; frame < frames; ++frame)
      for (int k = 0; k < 3; ++k) packets.push_back(packet(0.04 * frame + 0.001 * k, frame, k == 2 ? 400 : 1140, marked && k == 2));
  }
  NumberedPacket packet(double time, int frame, double bytes, bool ends) {
    return {sequence++, {time, bytes, ++ordinal, false, false}, 0xfffff000u + 3600u * static_cast<std::uint32_t>(frame), true, ends};
  }
};

std::vector<ArmPacket> placed(const NumberedPacket& before, const NumberedPacket& after, std::uint32_t count, const metrics::Spacing& spacing) {
  std::vector<ArmPacket> to;
  metrics::place_lost(to, before, after, count, spacing);
  for (const auto& packet : to) {
    CHECK(packet.lost);
    CHECK(packet.ordinal == before.packet.ordinal);
  }
  return to;
}

void check(const std::vector<ArmPacket>& packets, const std::vector<std::pair<double, double>>& expected) {
  REQUIRE(packets.size() == expected.size());
  for (std::size_t i = 0; i < packets.size(); ++i) {
    CHECK(packets[i].time == Approx(expected[i].first));
    CHECK(packets[i].bytes == Approx(expected[i].second));
  }
}

}  // namespace

TEST_CASE("video's spacing is told by its media times and markers", "[lost-places]") {
  const auto spacing = metrics::spacing_of(Video(22).packets);
  CHECK(spacing.frames);
  CHECK(spacing.in_frame == Approx(0.001));
  CHECK(spacing.frame_ticks == 3600);
  CHECK(spacing.full_bytes == 1140);
  CHECK(spacing.frame_packets == 3);
  // 44 gaps of 1 ms, 21 of 38 ms.
  CHECK(spacing.usual == Approx(0.001));
}

TEST_CASE("without markers, or with few frames, a stream has no frames", "[lost-places]") {
  CHECK_FALSE(metrics::spacing_of(Video(22, false).packets).frames);
  CHECK_FALSE(metrics::spacing_of(Video(9).packets).frames);
  CHECK(metrics::spacing_of(std::span<const NumberedPacket>()).usual == metrics::silence_seconds);
}

TEST_CASE("what is lost within a frame is as large as the frame's other packets", "[lost-places]") {
  const Video video(22);
  const auto spacing = metrics::spacing_of(video.packets);
  // The first packet and the short last one of the first frame came, 2 ms apart.
  check(placed(video.packets[0], video.packets[2], 1, spacing), {{0.001, 1140}});
}

TEST_CASE("a frame's lost end follows the packet before, a frame's lost beginning precedes the packet after", "[lost-places]") {
  const Video video(22);
  const auto spacing = metrics::spacing_of(video.packets);
  check(placed(video.packets[1], video.packets[3], 1, spacing), {{0.002, 1140}});
  // The marker came: what is missing belongs to the next frame, whose second packet came at 41 ms.
  check(placed(video.packets[2], video.packets[4], 1, spacing), {{0.04, 1140}});
  // Two of it: only its end came, at 42 ms.
  check(placed(video.packets[2], video.packets[5], 2, spacing), {{0.04, 1140}, {0.041, 1140}});
}

TEST_CASE("whole frames that are lost stand at their own times", "[lost-places]") {
  const Video video(22);
  const auto spacing = metrics::spacing_of(video.packets);
  // From the end of the first frame (2 ms) to the beginning of the third (80 ms): the second began half-way, at 41 ms. Its
  // last packet has the mean size of 400 and 1,140.
  check(placed(video.packets[2], video.packets[6], 3, spacing), {{0.041, 1140}, {0.042, 1140}, {0.043, 770}});
}

TEST_CASE("a media clock that jumps asks for no more frames than were lost", "[lost-places]") {
  const Video video(22);
  auto spacing = metrics::spacing_of(video.packets);
  spacing.frame_ticks = 1;
  auto after = video.packets[6];
  after.media_time = video.packets[2].media_time + (1U << 30);
  // One packet, in the first of 2^30 frames: as good as at once.
  check(placed(video.packets[2], after, 1, spacing), {{0.002, 770}});
}

TEST_CASE("without frames the lost are the usual time apart, at their neighbours' mean size", "[lost-places]") {
  const NumberedPacket before{7, {1.0, 100, 3, false, false}}, after{10, {1.4, 200, 4, false, false}};
  metrics::Spacing spacing;
  spacing.usual = 0.02;
  check(placed(before, after, 2, spacing), {{1.02, 150}, {1.04, 150}});
  spacing.usual = 1.5;   // unknown: evenly
  check(placed(before, after, 3, spacing), {{1.1, 150}, {1.2, 150}, {1.3, 150}});
}
