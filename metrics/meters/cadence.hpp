// Losses of streams without a sequence number: by the steps of their media times, or by the cadence of their arrivals.
// Both answer only behind a gate (docs/methods/cadence.md): a wrong count is worse than none.
#pragma once

#include "metrics/meters/sequence.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace callwitness::metrics {

struct UnsequencedPacket {
  capture::Time time;
  std::uint32_t media_time = 0;
  std::uint32_t ordinal = 0;
  std::uint32_t ip_bytes = 0;
  bool has_media_time = false;
};

struct CadenceEstimate {
  std::uint64_t expected = 0, lost = 0;
  double packet_time_ms = 0;
  std::vector<MissingRun> runs;             ///< numbers count frames from the first
};

/// By media time: the stream's usual step is a frame, larger steps are frames missing. Null where steps vary.
std::optional<CadenceEstimate> count_by_media_time(std::vector<UnsequencedPacket> packets, double ticks_per_second);

/// By arrivals: the median gap snapped to a usual packet time, talk spurts split at silences. Null behind the gate.
std::optional<CadenceEstimate> count_by_cadence(const std::vector<UnsequencedPacket>& packets);

}  // namespace callwitness::metrics
