// One TCP connection: handshake, round trips, resets with what tells forged ones, how it ended.
#pragma once

#include "classify/call.hpp"

#include <array>
#include <optional>
#include <vector>

namespace callwitness::classify {

class TcpTracker {
 public:
  static constexpr std::size_t reset_limit = 16;   ///< told of one flow; a storm of resets says no more

  struct Observed {
    std::optional<RoundTrip> round_trip;            ///< of the handshake
    std::optional<std::pair<Way, Duration>> turn_around;  ///< whose end answered (by its way), how fast
  };
  Observed on_segment(const Flow& flow, Way way, const Datagram& datagram, std::vector<Reset>& resets);
  bool fin() const { return sides_[0].fin || sides_[1].fin; }
  bool reset() const { return !own_resets_.empty(); }
  bool close_notify() const { return close_notify_; }
  Time closed_at() const { return closed_at_; }
  std::optional<Time> goodbye() const { return goodbye_; }   ///< of the first FIN or close_notify
  /// A SYN that can't belong to this connection any more: the ports are used again.
  bool superseded_by(Way way, const Datagram& datagram) const;
  bool established() const { return established_; }

 private:
  struct Side {
    std::uint32_t initial = 0, next = 0, segments = 0, data_segments = 0;
    std::uint32_t good_checksums = 0, bad_checksums = 0;
    bool syn = false, known = false, fin = false, client_hello_last = false;
    Time last_time;
    std::uint8_t time_to_live = 0;
    std::uint32_t time_to_live_votes = 0;
    std::uint16_t ip_id = 0;
    std::uint32_t ip_id_steps = 0, ip_id_jumps = 0, ip_id_zero = 0;
    std::optional<std::uint32_t> probe;             ///< an end of data waiting for its acknowledgement
    Time probe_time;
    std::optional<Duration> minimum_round_trip;     ///< from this way's data to the answer
  };
  void note_reset(const Flow& flow, Way way, const Datagram& datagram, std::vector<Reset>& resets);
  void note_round_trip(Way way, const Datagram& datagram);

  std::array<Side, 2> sides_;
  std::vector<std::uint32_t> own_resets_;           ///< indices into the classifier's list
  Time syn_time_, syn_ack_time_, closed_at_;
  std::optional<Way> syn_ack_way_;
  std::optional<Time> goodbye_;
  bool handshake_told_ = false, established_ = false, close_notify_ = false;
};

/// A TLS record with a ClientHello, a TLS or DTLS alert.
bool is_client_hello(Bytes payload);
bool is_tls_alert(Bytes payload);

}  // namespace callwitness::classify
