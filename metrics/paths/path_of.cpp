#include "metrics/paths/path_of.hpp"

#include "metrics/contrast.hpp"
#include "metrics/fits/sending_times.hpp"
#include "metrics/statistics.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
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

/// Sending times of a stream that counts but has no clock, where its numbers keep a voice's packet time: then each number is a time.
void time_by_number(std::vector<models::PathPacket*>& stream) {
  constexpr double packet_times[] = {0.01, 0.02, 0.03, 0.04, 0.06};
  constexpr double alike = 0.01, pause_s = 0.4, shortest_s = 5;
  constexpr std::size_t fewest = 100;
  for (std::size_t begin = 0; begin < stream.size();) {
    // As far as nobody pauses: a silence without losses.
    std::size_t end = begin + 1;
    while (end < stream.size() && (stream[end]->lost || stream[end - 1]->lost || stream[end]->arrival - stream[end - 1]->arrival < pause_s)) ++end;
    const double seconds = stream[end - 1]->arrival - stream[begin]->arrival, each = seconds / static_cast<double>(std::max<std::size_t>(1, end - 1 - begin));
    for (const double packet_time : packet_times) {
      if (end - begin < fewest || seconds < shortest_s || std::abs(each / packet_time - 1) > alike) continue;
      std::vector<double> late;
      for (std::size_t i = begin; i < end; ++i)
        if (!stream[i]->lost) late.push_back(stream[i]->arrival - packet_time * static_cast<double>(i - begin));
      const double least = quantile(std::move(late), 0.02);
      for (std::size_t i = begin; i < end; ++i) stream[i]->sent = least + packet_time * static_cast<double>(i - begin);
    }
    begin = end;
  }
}

void time_without_clocks(std::vector<models::PathPacket>& packets) {
  std::map<std::uint16_t, std::vector<models::PathPacket*>> streams;
  for (auto& p : packets)
    if (p.numbered) streams[p.stream].push_back(&p);
  for (auto& [stream, members] : streams)
    if (std::none_of(members.begin(), members.end(), [](const auto* p) { return p->is_sent_known(); })) time_by_number(members);
}

/// Sending times of streams whose delay wanders far more than another's of the same path: what is sent again carries the time of
/// its first sending, and some senders hold video back. A queue would hold up all alike.
void forget_odd_clocks(std::vector<models::PathPacket>& packets) {
  constexpr double many_times = 5, least_s = 0.03, reference_share = 0.1;
  std::map<std::uint16_t, std::vector<double>> delays;
  std::size_t all = 0;
  for (const auto& p : packets)
    if (!p.lost && p.is_sent_known()) delays[p.stream].push_back(p.arrival - p.sent), ++all;
  std::map<std::uint16_t, double> spread;
  double least = 1e9;
  for (auto& [stream, values] : delays) {
    const bool counts = static_cast<double>(values.size()) >= reference_share * static_cast<double>(all);
    const double middle = quantile(values, 0.9) - quantile(values, 0.1);
    spread[stream] = middle;
    if (counts) least = std::min(least, middle);
  }
  for (auto& p : packets)
    if (const auto found = spread.find(p.stream); found != spread.end() && found->second > std::max(least_s, many_times * least)) p.sent = models::unknown_time;
}

/// Streams that send one packet at a time, as voice does; video sends frames of several, and paces them as it likes.
std::vector<std::uint16_t> one_by_one(const std::vector<models::PathPacket>& packets) {
  constexpr double apart_s = 0.002, mostly = 0.9;
  struct Steps { double last = -1; std::size_t apart = 0, all = 0; };
  std::map<std::uint16_t, Steps> streams;
  for (const auto& p : packets) {
    if (p.lost || !p.is_sent_known()) continue;
    auto& steps = streams[p.stream];
    steps.apart += std::abs(p.sent - steps.last) >= apart_s;
    ++steps.all;
    steps.last = p.sent;
  }
  std::vector<std::uint16_t> found;
  for (const auto& [stream, steps] : streams)
    if (static_cast<double>(steps.apart) >= mostly * static_cast<double>(steps.all)) found.push_back(stream);
  return found;
}

/// Lost packets as late as others near them were, not in the middle of a gap: there they would stand more evenly than what came,
/// and the time since the packet before would tell what was lost.
void spread_lost(std::vector<models::PathPacket>& packets) {
  constexpr std::size_t back = 3;                        // the delay of the third before: independent of the last one's
  struct Delays { std::array<double, back> last{}; std::size_t count = 0; };
  std::unordered_map<std::uint16_t, Delays> by_stream;
  const auto voices = one_by_one(packets);
  for (auto& p : packets) {
    if (!p.is_sent_known() || !std::binary_search(voices.begin(), voices.end(), p.stream)) continue;
    auto& delays = by_stream[p.stream];
    if (!p.lost) delays.last[delays.count++ % back] = p.arrival - p.sent;
    else if (delays.count >= back) p.arrival = p.sent + delays.last[delays.count++ % back];
  }
  std::stable_sort(packets.begin(), packets.end(), [](const auto& a, const auto& b) { return a.arrival < b.arrival; });
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
  time_without_clocks(path.packets);
  forget_odd_clocks(path.packets);
  spread_lost(path.packets);
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
