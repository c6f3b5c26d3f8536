// What a passive observer learns of a TCP connection: round trips, retransmissions, data acknowledged but never captured.
#pragma once

#include "capture/datagram.hpp"
#include "classify/flow.hpp"
#include "metrics/observation.hpp"

#include <array>
#include <memory>
#include <vector>

namespace callwitness::metrics {

class TcpMeter {
 public:
  void add(classify::Way way, const capture::Datagram& datagram);
  /// Directions are those of Way: forward as sent. `turn` exchanges them. Round trips are those of sent data, which
  /// the remote end acknowledges; where the local end is not known, the longer of the two ways'.
  TcpObservation observation(bool turn, bool local_known) const;
  bool lost_anything() const { return !losses_.empty(); }
  /// Asked (SYNs, or data one way only) and never answered.
  bool unanswered() const {
    if (!syn_answered_) return syn_count_ >= 2;
    return (sides_[0].payload_bytes > 0) != (sides_[1].payload_bytes > 0);
  }

 private:
  struct Hole { std::uint32_t begin = 0, end = 0; };
  struct Pending { std::uint32_t end = 0; capture::Time time; bool valid = false; };
  struct Flight {                               ///< once data is seen: a flood of SYNs need not pay for it
    std::array<Hole, 16> holes{};               ///< not captured yet
    std::array<Pending, 8> pending{};           ///< segments whose acknowledgement gives a round trip
  };
  /// Data acknowledged before the file showed it: never captured, or captured earlier and written later (two one-way captures
  /// behind each other). Contiguous; a new stretch replaces one that is apart.
  struct Owed {
    std::uint32_t begin = 0, end = 0, filled = 0;
    std::uint64_t times = 0;                    ///< acknowledgements that counted as unseen
    capture::Time last;                         ///< of them
  };
  struct Side {
    bool started = false;
    std::uint32_t next = 0;                     ///< highest sequence captured, plus one
    std::uint64_t segments = 0, retransmissions = 0, unseen = 0, payload_bytes = 0;
    std::unique_ptr<Flight> flight;
    std::uint8_t hole_count = 0, next_pending = 0;
    Owed owed;
    std::uint32_t highest_acknowledged = 0;     ///< by the other side
    bool acknowledged = false;
    std::uint32_t last_begin = 0, last_length = 0;   ///< of the last segment, to know a mirror port's second copy
    std::uint16_t last_ip_id = 0;
    std::vector<float> samples;                 ///< ms to its acknowledgement, every 2^k-th once the limit is reached
    std::uint32_t sample_stride = 1, sample_count = 0;
    capture::Duration least{};
  };
  void data(Side& side, classify::Way way, const capture::Datagram& datagram);
  void acknowledge(Side& acknowledged, const capture::Datagram& datagram);
  static std::uint32_t fill_holes(Side& side, std::uint32_t begin, std::uint32_t end);
  static void sample(Side& side, capture::Duration round_trip);
  static void owe(Side& side, std::uint32_t begin, std::uint32_t end, capture::Time time);
  static bool pay(Side& side, std::uint32_t begin, std::uint32_t length, capture::Time time);
  static std::uint64_t unseen(const Side& side);

  static constexpr std::size_t sample_limit = 256, loss_limit = 4'096;
  std::array<Side, 2> sides_{};
  bool syn_seen_ = false, syn_answered_ = false;
  capture::Time syn_time_;
  std::optional<capture::Duration> handshake_;
  unsigned syn_count_ = 0;
  std::vector<TcpObservation::Loss> losses_;
};

}  // namespace callwitness::metrics
