#include "metrics/meters/segments.hpp"

#include <algorithm>

namespace callwitness::metrics {

namespace {
constexpr std::int64_t tick_ns = 10'000;
constexpr std::int64_t most_ticks = 0xfffffffe;      // 11.9 hours
constexpr std::uint32_t most_bytes = 1U << 31;       // beyond, relative numbers would be ambiguous
constexpr std::uint32_t ticks_per_delay = 10;
}  // namespace

std::uint32_t SegmentTrace::since_start(capture::Time time) const {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>((time - start_).count() / tick_ns, 0, most_ticks));
}

bool SegmentTrace::add(const capture::Datagram& datagram) {
  if (over_) return false;
  if (segments_.empty()) {
    start_ = datagram.time;
    first_ = datagram.tcp->sequence;
    header_bytes_ = static_cast<std::uint16_t>(std::min<std::uint32_t>(datagram.ip_length - std::min(datagram.payload_length, datagram.ip_length), 255));
  }
  const std::uint32_t begin = datagram.tcp->sequence - first_;
  if (begin >= most_bytes) return false;             // sent before the first one kept
  const std::uint32_t payload = std::min<std::uint32_t>(datagram.payload_length, 0xffff);
  const bool copy = !segments_.empty() && begin == last_begin_ && datagram.ip_id == last_ip_id_ && datagram.ip_id != 0;
  const bool probe = payload == 1 && begin + 1 == highest_;
  last_begin_ = begin;
  last_ip_id_ = datagram.ip_id;
  if (copy || probe) return false;
  over_ = segments_.size() >= limit || begin + payload >= most_bytes || (datagram.time - start_).count() / tick_ns > most_ticks;
  if (over_) return false;
  segments_.push_back({since_start(datagram.time), begin, static_cast<std::uint32_t>(datagram.ordinal), static_cast<std::uint16_t>(payload), 0});
  highest_ = std::max(highest_, begin + payload);
  return true;
}

void SegmentTrace::acknowledge(const capture::Datagram& datagram) {
  if (acknowledged_ == segments_.size()) return;
  const std::uint32_t number = datagram.tcp->acknowledgement - first_;
  if (number > most_bytes || number > highest_) return;
  const std::uint32_t now = since_start(datagram.time);
  for (; acknowledged_ < segments_.size(); ++acknowledged_) {
    Segment& segment = segments_[acknowledged_];
    if (segment.begin + segment.payload > number) return;
    const std::uint32_t delay = now < segment.time ? 0 : (now - segment.time) / ticks_per_delay;
    segment.delay = static_cast<std::uint16_t>(delay > 0xffff ? 0 : std::max<std::uint32_t>(delay, 1));
  }
}

SegmentRecord SegmentTrace::take() {
  SegmentRecord record{start_, header_bytes_, {}};
  record.segments.reserve(segments_.size());
  while (!segments_.empty()) {                       // frees its blocks on the way: never twice in memory
    record.segments.push_back(segments_.front());
    segments_.pop_front();
  }
  return record;
}

}  // namespace callwitness::metrics
