#include "capture/in_order.hpp"

#include <algorithm>
#include <array>

namespace callwitness::capture {

void InOrder::on_packets(std::span<const Packet> packets) {
  std::size_t passed = 0;
  for (; passed < packets.size() && !holding_; ++passed) {
    const Packet& packet = packets[passed];
    holding_ = is_late(packet);
    newest_ = holding_ ? newest_ : packet.time;    // after a clock that was set back, its own time counts
    any_ = true;
  }
  if (passed > 0) sink_.on_packets(packets.first(passed));
  for (const Packet& packet : packets.subspan(passed)) hold(packet);
}

void InOrder::hold(const Packet& packet) {
  if (packet.time < newest_ && !is_late(packet)) {
    release({}, true);
    newest_ = packet.time;
  }
  Held& held = held_[{packet.time, packet.ordinal}];
  held.bytes.assign(packet.bytes.begin(), packet.bytes.end());
  held.packet = packet;
  held.packet.bytes = held.bytes;
  held_bytes_ += held.bytes.size();
  newest_ = std::max(newest_, packet.time);
  release(newest_ - reach, false);
}

/// Hands on what is older than `until`, and more where too much is held.
void InOrder::release(Time until, bool all) {
  std::array<Packet, 32> batch;
  while (!held_.empty()) {
    std::size_t count = 0, bytes = 0;
    auto end = held_.begin();
    for (; end != held_.end() && count < batch.size(); ++end) {
      const bool crowded = held_.size() - count > packet_limit || held_bytes_ - bytes > byte_limit;
      if (!all && !crowded && end->first.first > until) break;
      bytes += end->second.bytes.size();
      batch[count++] = end->second.packet;
    }
    if (count == 0) return;
    sink_.on_packets(std::span(batch).first(count));
    held_bytes_ -= bytes;
    held_.erase(held_.begin(), end);
  }
}

void InOrder::on_idle(Time now) {
  release({}, true);
  sink_.on_idle(now);
}

void InOrder::finish() {
  release({}, true);
  sink_.finish();
}

}  // namespace callwitness::capture
