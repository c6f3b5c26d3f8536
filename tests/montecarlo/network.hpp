// Models of networks: each element takes packets in time order and lets them pass, late or not at all.
#pragma once

#include "metrics/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace montecarlo {

using callwitness::metrics::Random;

struct SimPacket {
  double sent = 0, arrival = 0;   ///< seconds
  double bytes = 0;               ///< IP
  int flow = 0;
  bool is_call = false;
  bool is_video = false;
};

class Element {
 public:
  virtual ~Element() = default;
  /// False: dropped. May put off `packet.arrival`.
  virtual bool pass(SimPacket& packet) = 0;
};

using Selector = std::function<bool(const SimPacket&)>;
inline Selector everything() { return [](const SimPacket&) { return true; }; }
inline Selector the_call() { return [](const SimPacket& p) { return p.is_call; }; }

/// A line with a first-in-first-out queue of so many bytes (also a shaper, for a selector).
class Queue final : public Element {
 public:
  Queue(double rate_bps, double queue_bytes, Selector selector, double from = 0, double until = 1e9) : rate_(rate_bps), queue_(queue_bytes), selector_(std::move(selector)), from_(from), until_(until) {}
  bool pass(SimPacket& packet) override {
    if (!selector_(packet) || packet.arrival < from_ || packet.arrival > until_) return true;
    const double backlog = std::max(0.0, free_ - packet.arrival) * rate_ / 8;
    if (backlog + packet.bytes > queue_ + 1500) return false;
    free_ = std::max(free_, packet.arrival) + packet.bytes * 8 / rate_;
    packet.arrival = free_;
    return true;
  }

 private:
  double rate_, queue_;
  Selector selector_;
  double from_, until_, free_ = 0;
};

/// A line whose rate changes from time to time: a mobile phone at the edge of a cell.
class FadingLine final : public Element {
 public:
  struct Step { double from, rate_bps; };
  FadingLine(std::vector<Step> steps, double queue_bytes) : steps_(std::move(steps)), queue_(queue_bytes) {}
  bool pass(SimPacket& packet) override {
    // What waits and what is sent at most is counted in bytes, whatever the rate becomes meanwhile.
    while (now_ < packet.arrival) {
      while (step_ + 1 < steps_.size() && steps_[step_ + 1].from <= now_) ++step_;
      const double until = step_ + 1 < steps_.size() ? std::min(packet.arrival, steps_[step_ + 1].from) : packet.arrival;
      backlog_ = std::max(0.0, backlog_ - (until - now_) * steps_[step_].rate_bps / 8);
      now_ = until;
    }
    if (backlog_ + packet.bytes > queue_ + 1500) return false;
    backlog_ += packet.bytes;
    double left = backlog_, time = now_;
    for (std::size_t step = step_;; ++step) {
      const double rate = steps_[step].rate_bps / 8, until = step + 1 < steps_.size() ? steps_[step + 1].from : 1e18;
      if (time + left / rate <= until) {
        packet.arrival = time + left / rate;
        return true;
      }
      left -= (until - time) * rate;
      time = until;
    }
  }

 private:
  std::vector<Step> steps_;
  double queue_, backlog_ = 0, now_ = 0;
  std::size_t step_ = 0;
};

/// A home router's fair queue (fq_codel, CAKE): whose packets wait gets an even share of the line, and all of them together
/// no more than the call leaves; drops come from a queue that stands, seldom at first.
class FairQueue final : public Element {
 public:
  FairQueue(Random& random, double rate_bps, double longest_s) : random_(random), rate_(rate_bps), longest_(longest_s) {}
  bool pass(SimPacket& packet) override {
    const double now = packet.arrival, bits = packet.bytes * 8;
    double& free = free_[packet.is_call ? call : packet.flow];
    const double waits = std::max(0.0, free - now);
    if (waits > longest_ || random_.chance(0.02 * std::clamp(waits / 0.1 - 1, 0.0, 1.0))) return false;
    free = std::max(free, now) + 1e-9;   // so that it counts among those who wait
    const auto waiting = std::count_if(free_.begin(), free_.end(), [&](const auto& flow) { return flow.second > now; });
    free += bits * static_cast<double>(waiting) / rate_;
    if (packet.is_call) {
      served_.push_back({free, bits});
    } else {
      together_ = std::max(together_, now) + bits / std::max(0.05 * rate_, rate_ - call_rate(now));
      free = std::max(free, together_);
    }
    packet.arrival = free;
    return true;
  }

 private:
  static constexpr int call = -1;
  static constexpr double recent_s = 0.2;
  struct Served { double time, bits; };
  /// What the call got of late.
  double call_rate(double now) {
    while (!served_.empty() && served_.front().time < now - recent_s) served_.pop_front();
    double bits = 0;
    for (const auto& served : served_)
      if (served.time <= now) bits += served.bits;
    return bits / recent_s;
  }
  Random& random_;
  double rate_, longest_, together_ = 0;
  std::map<int, double> free_;   ///< flow: when its last packet will have left
  std::deque<Served> served_;
};

class Policer final : public Element {
 public:
  struct Step { double from, rate_bps; };
  Policer(std::vector<Step> steps, double depth, Selector selector) : steps_(std::move(steps)), depth_(depth), tokens_(depth), selector_(std::move(selector)) {}
  bool pass(SimPacket& packet) override {
    if (!selector_(packet) || packet.arrival < steps_.front().from) return true;
    double rate = 0;
    for (const auto& step : steps_)
      if (packet.arrival >= step.from) rate = step.rate_bps;
    tokens_ = std::min(depth_, tokens_ + (packet.arrival - last_) * rate / 8);
    last_ = packet.arrival;
    if (tokens_ < packet.bytes) return false;
    tokens_ -= packet.bytes;
    return true;
  }

 private:
  std::vector<Step> steps_;
  double depth_, tokens_, last_ = 0;
  Selector selector_;
};

/// So many bytes in every period, and nothing more until the next begins.
class Quota final : public Element {
 public:
  Quota(double period_s, double bytes, Selector selector) : period_(period_s), bytes_(bytes), selector_(std::move(selector)) {}
  bool pass(SimPacket& packet) override {
    if (!selector_(packet)) return true;
    if (const double index = std::floor(packet.arrival / period_); index != index_) index_ = index, used_ = 0;
    if (used_ + packet.bytes > bytes_) return false;
    used_ += packet.bytes;
    return true;
  }

 private:
  double period_, bytes_, index_ = -1, used_ = 0;
  Selector selector_;
};

/// Gilbert-Elliott: bursts of loss.
class Bursts final : public Element {
 public:
  Bursts(Random& random, double every_s, double length_s, double loss_inside) : random_(random), every_(every_s), length_(length_s), loss_(loss_inside), next_(random.exponential(every_s)) {}
  bool pass(SimPacket& packet) override {
    while (packet.arrival > next_ + now_) {
      next_ += now_ + random_.exponential(every_);
      now_ = random_.exponential(length_);
    }
    return packet.arrival < next_ || !random_.chance(loss_);
  }

 private:
  Random& random_;
  double every_, length_, loss_, next_, now_ = 0.05;
};

class RandomLoss final : public Element {
 public:
  RandomLoss(Random& random, double ratio, Selector selector = everything()) : random_(random), ratio_(ratio), selector_(std::move(selector)) {}
  bool pass(SimPacket& packet) override { return !selector_(packet) || !random_.chance(ratio_); }

 private:
  Random& random_;
  double ratio_;
  Selector selector_;
};

/// Holds everything back for a while, again and again (Wi-Fi scans, LTE handovers, host stalls); may lose some of it.
class Holds final : public Element {
 public:
  Holds(Random& random, double every_s, double length_s, double loss_inside) : random_(random), every_(every_s), length_(length_s), loss_(loss_inside), phase_(random.uniform(0, every_s)) {}
  bool pass(SimPacket& packet) override {
    const double at = std::fmod(packet.arrival + phase_, every_);
    if (at < length_) {
      if (random_.chance(loss_)) return false;
      packet.arrival += length_ - at;
    }
    return true;
  }

 private:
  Random& random_;
  double every_, length_, loss_, phase_;
};

/// Nothing of the selected packets passes within the intervals.
class Blackout final : public Element {
 public:
  Blackout(std::vector<std::pair<double, double>> intervals, Selector selector) : intervals_(std::move(intervals)), selector_(std::move(selector)) {}
  bool pass(SimPacket& packet) override {
    if (!selector_(packet)) return true;
    for (const auto& [from, to] : intervals_)
      if (packet.arrival >= from && packet.arrival < to) return false;
    return true;
  }

 private:
  std::vector<std::pair<double, double>> intervals_;
  Selector selector_;
};

/// Delay and jitter, in order.
class Delay final : public Element {
 public:
  Delay(Random& random, double delay_s, double jitter_s) : random_(random), delay_(delay_s), jitter_(jitter_s) {}
  bool pass(SimPacket& packet) override {
    double& last = packet.is_call ? last_call_ : last_;   // a shaper's late packets don't hold up the others
    packet.arrival = std::max(last + 1e-6, packet.arrival + delay_ + std::abs(random_.normal(0, jitter_)));
    last = packet.arrival;
    return true;
  }

 private:
  Random& random_;
  double delay_, jitter_, last_ = 0, last_call_ = 0;
};

struct Path {
  std::vector<std::unique_ptr<Element>> elements;
  bool pass(SimPacket& packet) {
    for (auto& element : elements)
      if (!element->pass(packet)) return false;
    return true;
  }
};

}  // namespace montecarlo
