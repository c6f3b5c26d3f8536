// RTP found by behaviour: one header proves nothing, several that go together do.
#pragma once

#include "classify/protocols/rtp.hpp"

#include <array>
#include <optional>
#include <vector>

namespace callwitness::classify {

/// What one way's packets of one SSRC and one sequence space look like.
/// In lines of the processor's cache: what an accepted stream's packet touches comes first.
struct alignas(64) RtpTrack {
  static constexpr std::size_t type_slots = 6;
  std::uint32_t ssrc = 0;
  Way way = Way::forward;
  std::optional<StreamId> stream;
  std::uint16_t highest = 0;
  std::uint32_t last_timestamp = 0;
  Time last_time;
  std::array<std::uint64_t, 2> types_seen{};        ///< bit per payload type
  std::uint64_t packets = 0;
  std::uint64_t payload_bytes = 0, advances = 0;
  std::uint64_t ticks = 0;                          ///< sum of forward timestamp steps while time ran alike
  std::array<std::int8_t, type_slots> types{-1, -1, -1, -1, -1, -1};
  std::array<std::uint32_t, type_slots> type_packets{};
  std::uint8_t auxiliary_types = 0;                 ///< bit per slot of `types`: its packets are auxiliary
  std::uint64_t markers = 0;
  std::uint64_t same_timestamp = 0;
  std::uint64_t skipped = 0, late = 0;              ///< numbers jumped over, and those that came after all
  /// Beside other streams: packets with a payload, those that bear a timestamp of the stream `repeated` (of another payload
  /// type), and of these the ones that came when it was done with that.
  std::uint32_t weighed = 0, repeats = 0, later = 0, repeated = 0;
  std::uint16_t good = 0, bad = 0, distinct = 0;    ///< steps while on trial
  std::uint32_t first_timestamp = 0, last_event = 0;
  Time first_time;
  std::vector<MediaPacket> backlog;                 ///< empty once accepted
  int dialog = -1;                                  ///< that announced it; -1: none
  bool over = false;                                ///< its dialog has ended: what comes next is another stream
  bool has_type(std::uint8_t type) const { return types_seen[type >> 6] >> (type & 63) & 1; }
  /// The most frequent type, of those that carry media if there are any; -1: none.
  int main_type() const;
};

/// What is known of a flow from elsewhere.
struct RtpContext {
  bool announced = false;    ///< SDP or RTSP named an endpoint
  bool negotiated = false;   ///< STUN or DTLS on the same flow
  Bytes payload = {};        ///< behind the RTP header, as captured
  bool redundant = false;    ///< its payload type is RED's (RFC 2198): beside a codec of its own in the stream it is auxiliary
};

class RtpTracker {
 public:
  /// More SSRCs of one flow than this are no conference but somebody's random bytes.
  static constexpr std::size_t stream_limit = 256;
  static constexpr std::size_t trial_limit = 16;
  static constexpr std::uint16_t packets_to_accept = 5;

  struct Outcome {
    RtpTrack* track = nullptr;   ///< null: not taken
    bool accepted_now = false;   ///< backlog (this packet included) is to be told, then cleared
  };
  /// `packet` gets its RTP fields. Ordinal, time and lengths are the caller's.
  Outcome on_packet(const RtpHeader& header, Way way, MediaPacket& packet, const RtpContext& context);
  /// What is known of a payload type, a way.
  struct TypeFacts {
    Way way = Way::forward;
    std::uint8_t payload_type = 0;
    bool auxiliary = false, redundant = false, asked = false;
    std::uint32_t clock_rate_hz = 0;         ///< 0: not yet
    std::uint64_t version = 0;               ///< Dialogs::version() when signalling was asked for it
  };
  TypeFacts& facts_of(Way way, std::uint8_t payload_type);
  std::uint64_t dialogs_version = 0;         ///< when the tracks were last held against signalling
  std::vector<RtpTrack>& tracks() { return tracks_; }
  const std::vector<RtpTrack>& tracks() const { return tracks_; }
  std::size_t accepted() const { return accepted_; }
  /// Where a way's next packet will probably be counted; null: nowhere yet.
  const RtpTrack* expected(Way way) const {
    const auto last = last_[static_cast<std::size_t>(way)];
    return last < tracks_.size() ? tracks_.data() + last : nullptr;
  }

 private:
  /// A timestamp, whose it is, and when it was last there.
  struct Seen {
    std::uint32_t timestamp = 0, ssrc = 0, milliseconds = 0;
    bool used = false;
  };
  static constexpr std::size_t seen_limit = 256;   ///< seconds of a few streams' frames, by the timestamp's low bits
  RtpTrack* find(Way way, const RtpHeader& header);
  void watch_timestamps(Way way, bool accepted_now);
  void weigh_timestamp(RtpTrack& track, const RtpHeader& header, Time time);
  RtpTrack& start(Way way, const RtpHeader& header);
  bool convincing(const RtpTrack& track, const RtpContext& context) const;
  std::vector<RtpTrack> tracks_;
  std::vector<TypeFacts> types_;
  std::size_t accepted_ = 0;
  std::array<std::uint32_t, 2> last_{};   ///< of each way: the newest packet's track
  std::array<std::vector<Seen>, 2> seen_; ///< of each way; empty where one stream goes alone
};

}  // namespace callwitness::classify
