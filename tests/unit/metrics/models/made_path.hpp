// Paths as senders and networks make them, with both clocks, for the models of losses.
#pragma once

#include "metrics/models/path.hpp"
#include "metrics/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace made {

using callwitness::metrics::Random;
using callwitness::metrics::models::Path;
using callwitness::metrics::models::PathPacket;

/// A packet a packet time; sent and arrived at once, none lost yet.
inline Path steady(double seconds, double bytes = 200, double packet_time = 0.02) {
  Path path;
  for (std::uint32_t i = 0; packet_time * i < seconds; ++i) path.packets.push_back({packet_time * i, packet_time * i, static_cast<float>(bytes), i + 1, 0, false, true});
  return path;
}

/// A talker who pauses, with packets of many sizes.
inline Path talker(std::uint64_t seed, double seconds) {
  Random random(seed);
  Path path = steady(seconds), kept;
  double until = 0;
  bool talks = false;
  for (auto& packet : path.packets) {
    if (packet.sent >= until) talks = !talks, until = packet.sent + random.exponential(talks ? 1.5 : 1);
    packet.bytes = std::round(static_cast<float>(random.uniform(90, 210)));
    if (talks) kept.packets.push_back(packet);
  }
  return kept;
}

/// Video in frames of several packets, whose sender halves its rate where it loses and else raises it: a sawtooth around `rate`.
template <class Loses>
Path adaptive_video(std::uint64_t seed, double seconds, double rate, Loses loses) {
  Random random(seed);
  Path path;
  double now = 0.8 * rate;
  bool lost = false;
  std::uint32_t ordinal = 0;
  for (int frame = 0; frame / 25.0 < seconds; ++frame) {
    if (frame % 25 == 0) now = std::clamp(lost ? 0.6 * now : 1.08 * now, 0.3 * rate, 2 * rate), lost = false;
    double left = now / 25 * random.uniform(0.7, 1.3) * (frame % 75 == 0 ? 3 : 1);
    for (double t = frame / 25.0; left > 60; t += 3e-4, left -= 1100) {
      PathPacket packet{t, t, static_cast<float>(std::round(std::min(left, 1100.0))), ++ordinal, 0, false, true};
      packet.lost = loses(packet);
      lost = lost || packet.lost;
      path.packets.push_back(packet);
    }
  }
  return path;
}

/// A policer, packet by packet, from `from` to `until`.
struct Policer {
  double rate, depth, from = 0, until = 1e18;
  double tokens = depth, last = 0;
  bool operator()(const PathPacket& packet) {
    tokens = std::min(depth, tokens + rate * (packet.sent - last));
    last = packet.sent;
    if (packet.sent < from || packet.sent >= until) return false;
    if (tokens < packet.bytes) return true;
    tokens -= packet.bytes;
    return false;
  }
};

template <class Loses>
Path with_losses(Path path, Loses loses) {
  for (auto& packet : path.packets) packet.lost = loses(packet) || packet.lost;
  return path;
}

/// A queue of so many bytes that drains at `rate`: what doesn't fit is lost, the rest waits.
inline Path queued(Path path, double rate, double room) {
  double free_at = 0;
  for (auto& packet : path.packets) {
    const double backlog = std::max(0.0, free_at - packet.sent) * rate;
    packet.lost = backlog + packet.bytes > room;
    if (!packet.lost) free_at = std::max(free_at, packet.sent) + packet.bytes / rate;
    packet.arrival = packet.lost ? std::max(packet.sent, free_at) : free_at;
  }
  std::stable_sort(path.packets.begin(), path.packets.end(), [](const auto& a, const auto& b) { return a.arrival < b.arrival; });
  return path;
}

inline void jitter(Path& path, std::uint64_t seed, double most) {
  Random random(seed);
  for (auto& packet : path.packets) packet.arrival += random.uniform(0, most);
  std::stable_sort(path.packets.begin(), path.packets.end(), [](const auto& a, const auto& b) { return a.arrival < b.arrival; });
}

}  // namespace made
