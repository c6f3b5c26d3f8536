#include "metrics/models/events.hpp"

#include <algorithm>
#include <numeric>

namespace callwitness::metrics::models {

Events events_of(std::span<const PathPacket> packets, Clock clock) {
  Events events;
  const std::size_t n = packets.size();
  const auto time_of = [&](std::uint32_t i) {
    return clock == Clock::sent && packets[i].is_sent_known() ? packets[i].sent : packets[i].arrival;
  };
  events.packet.resize(n);
  std::iota(events.packet.begin(), events.packet.end(), 0U);
  const auto earlier = [&](std::uint32_t a, std::uint32_t b) { return time_of(a) < time_of(b); };
  if (!std::is_sorted(events.packet.begin(), events.packet.end(), earlier)) std::stable_sort(events.packet.begin(), events.packet.end(), earlier);
  events.time.resize(n), events.gap.resize(n), events.bytes.resize(n), events.inverse.resize(n);
  events.lost.resize(n), events.counted.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    const auto& packet = packets[events.packet[i]];
    events.time[i] = time_of(events.packet[i]);
    events.gap[i] = i == 0 ? 0.0F : static_cast<float>(events.time[i] - events.time[i - 1]);
    events.bytes[i] = packet.bytes;
    events.lost[i] = packet.lost;
    events.counted[i] = packet.numbered;
    if (!packet.lost) events.largest = std::max(events.largest, packet.bytes);
  }
  if (n == 0) return events;
  std::vector<float> sizes = events.bytes;
  const auto middle = sizes.begin() + static_cast<std::ptrdiff_t>(n / 2);
  std::nth_element(sizes.begin(), middle, sizes.end());
  const float usual = std::max(1.0F, *middle);
  for (std::size_t i = 0; i < n; ++i) events.inverse[i] = 1.0F / std::max(events.bytes[i], usual);
  return events;
}

Events part_of(const Events& events, std::size_t first, std::size_t count) {
  first = std::min(first, events.size());
  count = std::min(count, events.size() - first);
  const auto cut = [&](const auto& from) {
    const auto begin = from.begin() + static_cast<std::ptrdiff_t>(first);
    return std::decay_t<decltype(from)>(begin, begin + static_cast<std::ptrdiff_t>(count));
  };
  Events part{cut(events.packet), cut(events.time), cut(events.gap), cut(events.bytes), cut(events.inverse), cut(events.lost), cut(events.counted), 0};
  if (count > 0) part.gap.front() = 0;
  for (std::size_t i = 0; i < count; ++i)
    if (!part.lost[i]) part.largest = std::max(part.largest, part.bytes[i]);
  return part;
}

}  // namespace callwitness::metrics::models
