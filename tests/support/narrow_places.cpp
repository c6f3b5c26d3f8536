// The narrow places of tcp_model.hpp.
#include "tcp_model.hpp"

#include "metrics/statistics.hpp"

#include <algorithm>
#include <cmath>

namespace tests {

using callwitness::metrics::Random;

NarrowPlace token_bucket(double rate_bps, double depth_bytes) {
  return [=, tokens = depth_bytes, last = 0.0](double time, double bytes) mutable {
    tokens = std::min(depth_bytes, tokens + (time - last) * rate_bps / 8);
    last = time;
    if (tokens < bytes) return -1.0;
    tokens -= bytes;
    return time;
  };
}

NarrowPlace tail_drop_queue(double rate_bps, double queue_bytes) {
  return [=, free = 0.0](double time, double bytes) mutable {
    if (std::max(0.0, free - time) * rate_bps / 8 + bytes > queue_bytes + 1'500) return -1.0;
    free = std::max(free, time) + bytes * 8 / rate_bps;
    return free;
  };
}

NarrowPlace managed_queue(double rate_bps, double target) {
  return [=, free = 0.0, above = -1.0, next = 0.0, count = 0.0](double time, double bytes) mutable {
    const double wait = std::max(0.0, free - time);
    if (wait * rate_bps / 8 + bytes > rate_bps) return -1.0;     // a second's worth at most
    if (wait < target) {
      above = -1;
      count = 0;
    } else if (above < 0) {
      above = time;
      next = time + 0.1;
    } else if (time >= next) {
      ++count;
      next = time + 0.1 / std::sqrt(count);
      return -1.0;
    }
    free = std::max(free, time) + bytes * 8 / rate_bps;
    return free;
  };
}

NarrowPlace random_loss(double probability, std::uint64_t seed) {
  return [probability, random = Random(seed)](double time, double) mutable { return random.chance(probability) ? -1.0 : time; };
}

NarrowPlace burst_loss(double probability, double burst, std::uint64_t seed) {
  return [=, random = Random(seed), bad = false](double time, double) mutable {
    bad = bad ? !random.chance(1 / burst) : random.chance(probability / burst);
    return bad ? -1.0 : time;
  };
}

NarrowPlace radio_queue(double rate_bps, double queue_bytes, std::uint64_t seed) {
  return [=, random = Random(seed), free = 0.0, factor = 1.0, until = 0.0](double time, double bytes) mutable {
    for (; until < time; until += 0.2) factor = std::clamp(factor * std::exp(random.normal(0, 0.2)), 0.3, 2.0);
    if (std::max(0.0, free - time) * rate_bps * factor / 8 + bytes > queue_bytes + 1'500) return -1.0;
    free = std::max(free, time) + bytes * 8 / (rate_bps * factor);
    return free;
  };
}

NarrowPlace chain(std::vector<NarrowPlace> places) {
  return [places = std::move(places)](double time, double bytes) mutable {
    for (auto& place : places)
      if (time = place(time, bytes); time < 0) break;
    return time;
  };
}

NarrowPlace with_cross_traffic(NarrowPlace place, double rate_bps, double share, std::uint64_t seed) {
  return [place = std::move(place), rate_bps, share, random = Random(seed), next = 0.0, change = 0.0, on = false](double time, double bytes) mutable {
    constexpr double other_bytes = 1'200, usual_phase = 2;
    while (next < time) {
      if (next >= change) {
        on = !on;
        change += random.exponential(usual_phase);
        if (!on) next = std::max(next, change);
        continue;
      }
      place(next, other_bytes);
      next += random.exponential(other_bytes * 8 / (share * rate_bps));
    }
    return place(time, bytes);
  };
}

}  // namespace tests
