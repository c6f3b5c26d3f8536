#include "metrics/paths/path_of.hpp"

#include "metrics/contrast.hpp"
#include "metrics/fits/sending_times.hpp"

#include <algorithm>
#include <unordered_map>

namespace callwitness::metrics {
namespace {

/// Sending times of lost packets, by the packet before and how many after it they stood.
std::unordered_map<std::uint64_t, double> lost_by_place(const Arm& sent) {
  std::unordered_map<std::uint64_t, double> times;
  std::unordered_map<std::uint32_t, std::uint32_t> counts;
  for (const auto& packet : sent.packets)
    if (packet.lost) times.emplace(std::uint64_t{packet.ordinal} << 32U | counts[packet.ordinal]++, packet.time);
  return times;
}

}  // namespace

models::Path path_of(const Observation& observation, const Arm& arm) {
  models::Path path;
  const auto* flow = find_flow(observation, arm.flow);
  const auto whole = with_silences_filled(observation, arm);
  if (flow == nullptr || !whole) return path;
  const auto times = sending_times(observation, *flow, arm.direction);
  const auto sent = at_sending_times(observation, arm, Silences::filled);
  const auto lost_sent = sent ? lost_by_place(*sent) : std::unordered_map<std::uint64_t, double>();
  std::unordered_map<std::uint32_t, std::uint32_t> counts;
  path.packets.reserve(whole->packets.size());
  for (const auto& packet : whole->packets) {
    models::PathPacket to;
    to.arrival = packet.time;
    to.bytes = static_cast<float>(packet.bytes);
    to.ordinal = packet.ordinal;
    to.lost = packet.lost;
    const auto traced = std::lower_bound(flow->trace.begin(), flow->trace.end(), packet.ordinal, [](const TracePacket& p, std::uint32_t wanted) { return p.ordinal < wanted; });
    if (traced != flow->trace.end() && traced->ordinal == packet.ordinal) {
      to.stream = traced->stream;
      to.numbered = is_numbered(observation, traced->stream);
      const bool clocked = !times.empty() && traced->has_media_time && traced->stream < observation.streams.size() && observation.streams[traced->stream].clock_rate_hz > 0;
      if (clocked && !packet.lost) to.sent = times[static_cast<std::size_t>(traced - flow->trace.begin())];
      if (clocked && packet.lost)
        if (const auto found = lost_sent.find(std::uint64_t{packet.ordinal} << 32U | counts[packet.ordinal]++); found != lost_sent.end()) to.sent = found->second;
    }
    path.packets.push_back(to);
  }
  return path;
}

models::Path joined(std::span<const models::Path* const> paths) {
  models::Path all;
  std::uint16_t first = 0;
  for (const auto* path : paths) {
    std::uint16_t highest = 0;
    const auto middle = static_cast<std::ptrdiff_t>(all.packets.size());
    for (auto packet : path->packets) {
      highest = std::max(highest, packet.stream);
      packet.stream = static_cast<std::uint16_t>(packet.stream + first);
      all.packets.push_back(packet);
    }
    std::inplace_merge(all.packets.begin(), all.packets.begin() + middle, all.packets.end(), [](const auto& a, const auto& b) { return a.arrival < b.arrival; });
    first = static_cast<std::uint16_t>(first + highest + 1);
  }
  return all;
}

}  // namespace callwitness::metrics
