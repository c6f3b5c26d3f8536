#include "metrics/paths/readable_losses.hpp"

using namespace callwitness::metrics;

namespace {

Arm arm_of(Direction direction, std::size_t count, double gap, double bytes) {
  Arm arm;
  arm.direction = direction;
  for (std::size_t i = 0; i < count; ++i) {
    ArmPacket packet;
    packet.time = gap * static_cast<double>(i), packet.bytes = bytes;
    arm.packets.push_back(packet);
  }
  return arm;
}

}  // namespace

TEST_CASE("losses are read by number, by beat, by what our end sends, or not at all", "[metrics]") {
  auto received = arm_of(Direction::received, 1'000, 0.02, 110);
  std::vector<Arm> arms{received};
  CHECK(readable_losses(received, arms).reading == LossReading::unread);
  CHECK(readable_losses(received, arms).smallest == 1);
  received.source = LossSource::sequence;
  CHECK(readable_losses(received, arms).smallest == Approx(0.003));
  received.source = LossSource::cadence;
  received.packet_times.own = 0.02;
  CHECK(readable_losses(received, arms).reading == LossReading::by_beat);
  received.packet_times.own = 0.01;                                     // half of the places empty in rows: pauses, or losses
  CHECK(readable_losses(received, arms).reading == LossReading::unread);
  arms.push_back(arm_of(Direction::sent, 1'005, 0.02, 115));
  CHECK(readable_losses(received, arms).reading == LossReading::by_own_count);
  arms.back() = arm_of(Direction::sent, 1'300, 0.02, 115);
  CHECK(readable_losses(received, arms).reading == LossReading::unread);
}
