// Arrivals as senders and networks make them, for the statistics that read nothing else.
#pragma once

#include "metrics/models/leaky_bucket.hpp"
#include "metrics/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace made {

using callwitness::metrics::models::Arrival;
using callwitness::metrics::Random;

/// Voice of a codec with variable sizes, every `packet_time`; `talk`: it pauses about half of the time.
inline std::vector<Arrival> voice(std::uint64_t seed, double seconds, double low, double high, double packet_time = 0.02, bool talk = false) {
  Random random(seed);
  std::vector<Arrival> sent;
  double until = 0;
  bool talking = true;
  for (double t = 0; t < seconds; t += packet_time) {
    if (talk && t >= until) talking = !talking, until = t + random.exponential(talking ? 1.2 : 1.0);
    if (talking || !talk) sent.push_back({t, std::round(random.uniform(low, high))});
  }
  return sent;
}

/// Video that follows `target` bytes a second through frames of several packets, with now and then a large one; the target wanders.
inline std::vector<Arrival> video(std::uint64_t seed, double seconds, double target) {
  Random random(seed);
  std::vector<Arrival> sent;
  double rate = target;
  for (int frame = 0; frame / 30.0 < seconds; ++frame) {
    if (frame % 30 == 0) rate = std::clamp(rate * random.uniform(0.85, 1.2), 0.5 * target, 1.5 * target);
    double bytes = rate / 30 * random.uniform(0.6, 1.4) * (frame % 90 == 0 ? 4 : 1);
    for (double t = frame / 30.0; bytes > 60; t += 0.0004) {
      sent.push_back({t, std::round(std::min(bytes, 1150.0))});
      bytes -= 1150;
    }
  }
  return sent;
}

inline std::vector<Arrival> merged(std::vector<Arrival> a, const std::vector<Arrival>& b) {
  a.insert(a.end(), b.begin(), b.end());
  std::stable_sort(a.begin(), a.end(), [](const Arrival& x, const Arrival& y) { return x.time < y.time; });
  return a;
}

/// What a token bucket lets through between two times; outside it passes everything.
inline std::vector<Arrival> policed(const std::vector<Arrival>& sent, double rate, double depth, double from = 0, double to = 1e18) {
  std::vector<Arrival> passed;
  double tokens = depth, last = 0;
  for (const auto& packet : sent) {
    if (packet.time >= from && packet.time < to) {
      tokens = std::min(depth, tokens + rate * (packet.time - last));
      if (tokens < packet.bytes) {
        last = packet.time;
        continue;
      }
      tokens -= packet.bytes;
    }
    last = packet.time;
    passed.push_back(packet);
  }
  return passed;
}

/// A token bucket with a queue before it: late, and dropped only where `queue` bytes wait.
inline std::vector<Arrival> shaped(const std::vector<Arrival>& sent, double rate, double depth, double queue) {
  std::vector<Arrival> passed;
  double tokens = depth, at = 0;
  for (const auto& packet : sent) {
    const double now = std::max(packet.time, at);
    if ((now - packet.time) * rate > queue) continue;
    tokens = std::min(depth, tokens + rate * (now - at));
    const double wait = std::max(0.0, (packet.bytes - tokens) / rate);
    at = now + wait;
    tokens = std::max(0.0, tokens + rate * wait - packet.bytes);
    passed.push_back({at, packet.bytes});
  }
  return passed;
}

/// What passes of each `period`: its first `bytes`.
inline std::vector<Arrival> quota(const std::vector<Arrival>& sent, double period, double bytes) {
  std::vector<Arrival> passed;
  double used = 0;
  long window = -1;
  for (const auto& packet : sent) {
    const long now = static_cast<long>(packet.time / period);
    if (now != window) window = now, used = 0;
    if (used + packet.bytes > bytes) continue;
    used += packet.bytes;
    passed.push_back(packet);
  }
  return passed;
}

/// Random loss and jitter without overtaking.
inline std::vector<Arrival> over_a_line(std::uint64_t seed, const std::vector<Arrival>& sent, double loss = 0.003, double jitter = 0.002) {
  Random random(seed);
  std::vector<Arrival> came;
  double last = 0;
  for (const auto& packet : sent) {
    if (random.chance(loss)) continue;
    last = std::max(last, packet.time + 0.03 + random.uniform(0, jitter));
    came.push_back({last, packet.bytes});
  }
  return came;
}

/// Packets wait for the next of a radio's awakenings.
inline std::vector<Arrival> in_batches(std::uint64_t seed, const std::vector<Arrival>& sent, double shortest, double longest) {
  Random random(seed);
  std::vector<Arrival> came;
  double next = 0;
  for (const auto& packet : sent) {
    while (next < packet.time) next += random.uniform(shortest, longest);
    came.push_back({next + 0.0002, packet.bytes});
  }
  return came;
}

}  // namespace made
