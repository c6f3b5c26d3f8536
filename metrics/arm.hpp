// An arm: the packets of one flow in one direction (or of some of its streams), with the lost ones put where they
// belong. What the rate detectors read; pure values, so that they can be tested without captures.
#pragma once

#include "metrics/observation.hpp"

#include <string_view>
#include <vector>

namespace callwitness::metrics {

struct ArmPacket {
  double time = 0;                 ///< seconds since the observation's start; of a lost packet: interpolated
  double bytes = 0;                ///< IP; of a lost packet: its neighbours' mean
  std::uint32_t ordinal = 0;       ///< 0: lost
  bool lost = false;
  bool after_silence = false;      ///< nothing came for ≥ 1.5 s before it: what a bucket held then is unknown
};

enum class LossSource : std::uint8_t { none, sequence, cadence };

struct Arm {
  FlowId flow{};
  std::optional<CallId> call;
  Direction direction = Direction::received;
  std::string_view application;
  std::vector<StreamId> streams;
  LossSource source = LossSource::none;
  double packet_time = 0;          ///< seconds, of a steady cadence; 0: none
  bool whole_flow = true;          ///< false: only the streams named
  std::vector<ArmPacket> packets;  ///< in time order
  std::uint64_t lost = 0;
  double duration() const { return packets.size() < 2 ? 0 : packets.back().time - packets.front().time; }
};

/// Silences from this on are no losses of a rate limit but an outage (or a pause).
inline constexpr double silence_seconds = 1.5;

/// Packet time of a steady stream by its gaps, in seconds; 0 where there is none. `gaps` in seconds.
double cadence_of(const std::vector<double>& gaps);

/// All arms worth fitting: whole flows, and where a flow carries audio and something else, each part too.
std::vector<Arm> arms_of(const Observation& observation);

}  // namespace callwitness::metrics
