// All meters of one stream, fed packet by packet: O(1), and no allocation but for seconds, gaps and samples.
#pragma once

#include "classify/media.hpp"
#include "metrics/analysis.hpp"
#include "metrics/meters/cadence.hpp"
#include "metrics/meters/clock.hpp"
#include "metrics/meters/clock_steps.hpp"
#include "metrics/meters/delay.hpp"
#include "metrics/meters/jitter.hpp"
#include "metrics/meters/jitter_buffer.hpp"
#include "metrics/meters/seconds.hpp"
#include "metrics/meters/sequence.hpp"
#include "metrics/stream_relations.hpp"

#include <deque>

namespace callwitness::metrics {

class alignas(64) StreamMeter {
 public:
  StreamMeter(const classify::Stream& stream, capture::Time origin);

  struct Kept {                             ///< what the trace wants to know of the packet
    std::int32_t extended_sequence = TracePacket::no_sequence;
    bool duplicate = false;
    std::uint16_t repeats_undone = 0;       ///< packets of the stream before it that weren't repeats after all: numbered up to this one
  };
  /// `unsequenced_budget`: records that streams without a sequence may still keep, over all of them.
  Kept add(const classify::MediaPacket& packet, std::size_t& unsequenced_budget);

  /// A jump of the transit time that has stayed, told once. `source` and the like are the caller's to fill in.
  std::optional<TransitJump> settled_jump() { return jump_open_ ? look_at_jump() : std::nullopt; }
  /// It was the capturing machine's clock: what was measured since goes on from before it.
  void undo_jump();

  /// Asks for the memory that the next packet will need; then, once that has come, for what it leads to.
  void fetch() const {
    for (std::size_t line = 0; line < 5; ++line) __builtin_prefetch(reinterpret_cast<const char*>(this) + 64 * line, 1);
  }
  void fetch_further() const { __builtin_prefetch(sequence_.next_seen(), 1); }

  /// Everything that needs only this stream; direction, call and round trips come from the analyzer.
  /// `reported_loss`: what the peer says it lost of this stream, ratio; 0: nothing, or no word of it.
  /// `relation`: what the capture's other streams say of its numbers.
  void measure(const classify::Stream& stream, const std::optional<double>& round_trip_ms, double reported_loss, const StreamRelation& relation,
               StreamMeasures& measures, StreamObservation& observation);
  /// Valid while this is.
  NumberedStream numbered(const classify::Stream& stream) const;
  capture::Time first_time() const { return first_time_; }
  capture::Time last_time() const { return last_time_; }
  std::uint64_t packets() const { return packets_; }

 private:
  struct SampledTransit { capture::Time time; double transit_s; };
  /// A payload type with its clock (RFC 3550 5.1): what is timed of one stream in one unit.
  struct TypeMeter {
    std::int16_t payload_type = -1;
    std::uint32_t rate = 0;                 ///< Hz; 0: not known yet
    double seconds_per_tick = 0;
    std::uint64_t packets = 0, payload_bytes = 0;
    std::uint32_t step = 0, step_votes = 0; ///< of timestamps between neighbours, the commonest (Boyer-Moore)
    std::vector<TimedPacket> waiting;       ///< until the rate is known
    std::size_t try_at = 32;
    bool ever_failed = false;
  };
  /// The state before a jump of the transit time, until it is known whether the network made it.
  struct Jump {
    bool told = false;
    std::uint16_t packets = 0;              ///< timed since
    std::uint32_t late = 0;                 ///< thrown away by the adaptive buffer since, in `second`
    std::uint32_t second = 0;
    capture::Time before, after;
    double seconds = 0, transit_s = 0;
    JitterMeter jitter;
    JitterBuffers buffers;
    std::size_t samples = 0;
  };
  void watch_jump();
  std::optional<TransitJump> look_at_jump();
  bool repeated_payload(const classify::MediaPacket& packet);
  void remember_unsequenced(const classify::MediaPacket& packet, std::size_t& budget);
  TypeMeter& type_of(const classify::MediaPacket& packet);
  void time(const classify::MediaPacket& packet, bool repeated, bool follows);
  void await_clock(TypeMeter& type, const TimedPacket& packet);
  void set_clock(TypeMeter& type, std::uint32_t rate);
  void timing(const TypeMeter& type, const TimedPacket& packet);
  bool keeps_time(double arrival_s, double media_s, const TimedPacket& packet) const;
  void tell_clocks(const classify::Stream& stream);
  const TypeMeter* main_type(const classify::Stream& stream) const;
  std::optional<CadenceEstimate> unsequenced_estimate(const classify::Stream& stream) const;
  std::vector<float> measure_delay(StreamMeasures& measures, StreamObservation& observation) const;
  void fill_series(StreamMeasures& measures, std::span<const MissingRun> runs, std::span<const float> delays);
  void rate_quality(const classify::Stream& stream, std::span<const MissingRun> runs, double reported_loss, StreamMeasures& measures);
  struct Speech;                            ///< a payload type as the E-model reads it
  std::vector<Speech> speech_of(const classify::Stream& stream) const;
  void describe_losses(std::span<const MissingRun> runs, std::int64_t first, double packet_time_ms,
                       StreamMeasures& measures, StreamObservation& observation) const;

  static constexpr std::size_t waiting_limit = 2'048;
  static constexpr std::size_t type_limit = 8;
  static constexpr std::size_t sample_limit = 65'536;
  static constexpr std::size_t unsequenced_limit = 262'144;

  // First what every packet touches, in as few lines of the processor's cache as it takes.
  capture::Time origin_, first_time_, last_time_;
  std::uint64_t packets_ = 0, bytes_ = 0, payload_bytes_ = 0;
  std::uint32_t type_at_ = 0;               ///< place in types_ of the newest timed packet
  bool has_sequence_ = false;
  bool restarted_ = false;                  ///< the counter began anew since the last timed packet
  bool newest_is_timed_ = false;            ///< the newest number's packet was timed
  bool jump_open_ = false;
  std::uint32_t newest_media_ = 0;
  // Timing: arrival and media time of the packet before, and the transit time built from their differences.
  bool timing_started_ = false;
  std::uint32_t previous_media_ = 0, timed_rate_ = 0;
  capture::Time previous_time_;
  double transit_s_ = 0, least_transit_s_ = 0;
  JitterMeter jitter_;
  std::int64_t next_sample_ = 0;            ///< index of the tenth of a second that wants a sample
  JitterBuffers buffers_;
  Seconds<StreamSecond> seconds_;
  SequenceMeter sequence_;
  std::uint64_t repeats_ = 0;
  std::uint32_t told_rate_ = 0;             ///< of formats with one clock, as the stream began
  std::int64_t sample_step_ns_ = 100'000'000;
  std::deque<SampledTransit> transits_;     // grows without moving: there are thousands of these
  std::vector<TypeMeter> types_;
  Jump jump_;
  std::vector<UnsequencedPacket> unsequenced_;
  bool unsequenced_complete_ = true;
  struct Recent { std::uint32_t hash = 0; capture::Time time; };
  std::array<Recent, 8> recent_{};
  std::uint8_t next_recent_ = 0;
};

}  // namespace callwitness::metrics
