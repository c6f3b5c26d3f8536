// An arm: the packets of one flow in one direction (or of some of its streams), with the lost ones put where they
// belong. What the rate detectors read; pure values, so that they can be tested without captures.
#pragma once

#include "metrics/finding.hpp"
#include "metrics/observation.hpp"

#include <span>
#include <string_view>
#include <vector>

namespace callwitness::metrics {

struct ArmPacket {
  double time = 0;                 ///< seconds since the observation's start; of a lost packet: interpolated
  double bytes = 0;                ///< IP; of a lost packet: its neighbours' mean
  std::uint32_t ordinal = 0;       ///< of a lost packet: of the one before it in its stream; 0: unknown
  bool lost = false;
  bool after_silence = false;      ///< nothing came for ≥ 1.5 s before it: what a bucket held then is unknown
  std::uint16_t media_tenths_ms = 0;   ///< media a packet since the one before, by its stream's timestamps, in 0.1 ms; 0: unknown
};

enum class LossSource : std::uint8_t { none, sequence, cadence };

/// Seconds between packets as they were sent; 0: unknown.
struct PacketTimes {
  double own = 0;                  ///< by the sender's media clock, or by a cadence that its arrivals keep
  double other = 0;                ///< by the cadence of the same flow's other direction
};

struct Arm {
  FlowId flow{};
  std::optional<CallId> call;
  Direction direction = Direction::received;
  std::string_view application;
  std::vector<StreamId> streams;
  LossSource source = LossSource::none;
  PacketTimes packet_times;
  bool whole_flow = true;          ///< false: only the streams named
  std::vector<ArmPacket> packets;  ///< in time order
  std::uint64_t lost = 0;
  double duration() const { return packets.size() < 2 ? 0 : packets.back().time - packets.front().time; }
};

/// Silences from this on are no losses of a rate limit but an outage (or a pause).
inline constexpr double silence_seconds = 1.5;

/// What is missing where nothing at all came for silence_seconds.
enum class Silences : std::uint8_t { left_empty, filled };

/// The arm with its packets at the times when they were sent, by its streams' media clocks: what a queue or a radio behind
/// a bucket did to them is undone. Nothing where no stream has such a clock.
std::optional<Arm> at_sending_times(const Observation& observation, const Arm& arm, Silences silences = Silences::left_empty);

/// The arm with the losses of its silences as well. Nothing where its losses aren't read from numbers.
std::optional<Arm> with_silences_filled(const Observation& observation, const Arm& arm);

/// Whether a stream's packets tell by their numbers what is missing.
bool is_numbered(const Observation& observation, std::uint16_t stream);

/// All arms worth fitting: whole flows, and where a flow carries audio and something else, each part too.
std::vector<Arm> arms_of(const Observation& observation);

}  // namespace callwitness::metrics
