// Models of homes and phones: access points that change, two links for one, radios that sleep, a modem's own shaper.
#pragma once

#include "network.hpp"

#include <array>
#include <map>
#include <string_view>
#include <utility>

namespace montecarlo {

struct World;

/// The far end's line, which somebody there uploads through now and then: a queue that nobody here sees, kept full by TCP.
class FarUpload final : public Element {
 public:
  FarUpload(double rate_bps, double queue_bytes, std::vector<std::pair<double, double>> uploads) : rate_(rate_bps / 8), queue_(queue_bytes), uploads_(std::move(uploads)) {}
  bool pass(SimPacket& packet) override {
    if (!packet.is_call) return true;
    for (constexpr double step = 0.005; now_ < packet.sent; now_ += step) {
      const bool busy = std::any_of(uploads_.begin(), uploads_.end(), [&](const auto& upload) { return now_ >= upload.first && now_ < upload.second; });
      // Additive increase, multiplicative decrease once a round trip and queue.
      upload_ = busy ? upload_ + 0.02 * rate_ * step / 0.1 : 0.9 * rate_;
      backlog_ = std::max(0.0, backlog_ + ((busy ? upload_ : 0) - rate_) * step);
      if (backlog_ > queue_) backlog_ = queue_, upload_ *= now_ > slowed_ + 0.3 ? 0.7 : 1, slowed_ = now_ > slowed_ + 0.3 ? now_ : slowed_;
    }
    if (backlog_ + packet.bytes > queue_) return false;
    backlog_ += packet.bytes;
    packet.arrival += backlog_ / rate_;
    return true;
  }

 private:
  double rate_, queue_, backlog_ = 0, upload_ = 0, now_ = 0, slowed_ = 0;
  std::vector<std::pair<double, double>> uploads_;
};

/// A phone that goes from one access point to another: gaps, and behind each another delay.
class Roaming final : public Element {
 public:
  struct Change { double from, to, delay_s; };
  Roaming(Random& random, std::vector<Change> changes, double loss_inside) : random_(random), changes_(std::move(changes)), loss_(loss_inside) {}
  bool pass(SimPacket& packet) override {
    double delay = 0;
    for (const auto& change : changes_) {
      if (packet.arrival >= change.from && packet.arrival < change.to) {
        if (random_.chance(loss_)) return false;
        packet.arrival = change.to;                   // the new access point got what the old one had kept
      }
      if (packet.arrival >= change.to) delay = change.delay_s;
    }
    packet.arrival = last_ = std::max(last_ + 2e-5, packet.arrival + delay);
    return true;
  }

 private:
  Random& random_;
  std::vector<Change> changes_;
  double loss_, last_ = 0;
};

/// Two links that share the packets, by turns or a run of them (a flowlet) each: they overtake one another.
class Bonded final : public Element {
 public:
  struct Link { double rate_bps, queue_bytes, delay_s, loss; };
  /// `flowlet_s`: a pause after which the link may change; 0: by turns. `share`: of the first link.
  Bonded(Random& random, std::array<Link, 2> links, double flowlet_s, double share) : random_(random), links_(links), flowlet_(flowlet_s), share_(share) {}
  bool pass(SimPacket& packet) override {
    auto& state = flows_[packet.flow];
    if (packet.arrival >= state.last + flowlet_) {
      state.due += share_;
      state.link = flowlet_ > 0 ? (random_.chance(share_) ? 0 : 1) : state.due >= 1 ? 0 : 1;
      if (state.due >= 1) state.due -= 1;
    }
    state.last = packet.arrival;
    const auto& link = links_[state.link];
    double& free = free_[state.link];
    if (random_.chance(link.loss) || std::max(0.0, free - packet.arrival) * link.rate_bps / 8 + packet.bytes > link.queue_bytes + 1500) return false;
    free = std::max(free, packet.arrival) + packet.bytes * 8 / link.rate_bps;
    packet.arrival = free + link.delay_s;
    return true;
  }

 private:
  struct Flow { double last = -1e9, due = 0; std::size_t link = 0; };
  Random& random_;
  std::array<Link, 2> links_;
  double flowlet_, share_;
  std::map<int, Flow> flows_;
  std::array<double, 2> free_{};
};

/// A radio that sleeps and wakes at beacons: what comes meanwhile is kept, as many packets as fit, and handed over at once.
class Sleeping final : public Element {
 public:
  /// `awake_s`: after a burst of other traffic the radio stays awake that long; 0: it sleeps regardless.
  Sleeping(Random& random, double every_s, std::size_t kept, double loss_asleep, double awake_s) : random_(random), every_(every_s), awake_(awake_s), loss_(loss_asleep), kept_(kept) {}
  bool pass(SimPacket& packet) override {
    if (!packet.is_call) others_ = packet.arrival;
    const double index = std::floor(packet.arrival / every_);
    if (index != index_) index_ = index, waiting_ = 0;
    constexpr double air_s = 0.0003;
    if (awake_ > 0 && packet.arrival < others_ + awake_) return packet.arrival = last_ = std::max(last_ + air_s, packet.arrival), true;
    if (waiting_ >= kept_ || random_.chance(loss_)) return false;
    ++waiting_;
    packet.arrival = last_ = std::max(last_ + air_s, (index + 1) * every_);
    return true;
  }

 private:
  Random& random_;
  double every_, awake_, loss_, index_ = -1, others_ = -1e9, last_ = 0;
  std::size_t kept_, waiting_ = 0;
};

/// A plan's cap in the modem, for everything alike: a bucket, and a queue behind it.
class PlanShaper final : public Element {
 public:
  PlanShaper(double rate_bps, double queue_bytes, double burst_bytes) : rate_(rate_bps), queue_(queue_bytes), burst_(burst_bytes) {}
  bool pass(SimPacket& packet) override {
    const double backlog = std::max(0.0, free_ - packet.arrival) * rate_ / 8;
    if (backlog + packet.bytes > queue_ + 1500) return false;
    free_ = std::max(free_, packet.arrival - burst_ * 8 / rate_) + packet.bytes * 8 / rate_;
    packet.arrival = std::max(packet.arrival, free_);
    return true;
  }

 private:
  double rate_, queue_, burst_, free_ = 0;
};

std::vector<std::string_view> homes();

/// What a home adds to the scenario: the line it has, and what stands behind the line.
struct Home {
  std::string_view name;
  double seconds = 0, offered = 0;        ///< bit/s of the call
  bool video = false;
  double line = 0, queue = 0;             ///< the line's, to be changed
  bool own_line = false;                  ///< what limits is among its elements already: no other line
  std::vector<std::unique_ptr<Element>> last;   ///< after everything else
};
void furnish(Home& home, World& world);

}  // namespace montecarlo
