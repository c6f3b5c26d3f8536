#include "metrics/paths/readable_losses.hpp"

#include "metrics/statistics.hpp"

#include <algorithm>
#include <cmath>

namespace callwitness::metrics {
namespace {

constexpr double by_chance = 3;               ///< packets that must be missing for one to show (95 %)
constexpr double by_beat = 0.012;             ///< jitter moves that many packets to a neighbour's place
constexpr double by_count = 0.02;             ///< ends that begin and stop at other times
constexpr double alike_sizes = 0.15;

struct Passed { double count = 0, size = 0; };   ///< median size

Passed passed(const Arm& arm) {
  std::vector<double> sizes;
  for (const auto& packet : arm.packets)
    if (!packet.lost) sizes.push_back(packet.bytes);
  const double count = static_cast<double>(sizes.size());
  return {count, median(std::move(sizes))};
}

}  // namespace

ReadableLosses readable_losses(const Arm& arm, std::span<const Arm> arms) {
  const auto mine = passed(arm);
  if (mine.count == 0) return {};
  if (arm.source == LossSource::sequence) return {LossReading::by_number, std::min(1.0, by_chance / mine.count)};
  if (arm.source == LossSource::cadence && arm.packet_times.own > 0 && arm.duration() > 0) {
    // Fewer: holes too long for losses one by one, the talker's pauses or losses in a row. More: the beat isn't the sender's.
    const double places = arm.duration() / arm.packet_times.own;
    if (std::abs(places - static_cast<double>(arm.packets.size())) <= by_beat * places) return {LossReading::by_beat, by_beat};
  }
  const auto own = std::find_if(arms.begin(), arms.end(), [&](const Arm& other) { return other.whole_flow && other.flow == arm.flow && other.direction != arm.direction; });
  if (own == arms.end() || !arm.whole_flow) return {};
  const auto ours = passed(*own);
  const bool alike = mine.size > 0 && std::abs(ours.size / mine.size - 1) <= alike_sizes, as_many = std::abs(mine.count - ours.count) <= by_count * ours.count;
  return alike && as_many ? ReadableLosses{LossReading::by_own_count, by_count} : ReadableLosses{};
}

}  // namespace callwitness::metrics
