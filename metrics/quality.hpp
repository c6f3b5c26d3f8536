// How a call fared, in the few numbers that tell whether it was impaired and whether it could be read well enough to call it
// clean. docs/methods/verdict.md
#pragma once

#include "metrics/analysis.hpp"
#include "metrics/fits/arm.hpp"

#include <optional>
#include <span>

namespace callwitness::metrics {

struct Quality {
  double media_seconds = 0;
  std::uint64_t packets = 0;
  /// Shares of packets: of the worst flow, of its worst 10 s, of what the peer reports of our sending.
  double worst_loss = 0, worst_window = 0, reported_loss = 0;
  double outage_s = 0;                            ///< the longest silence of a received stream in which its numbers went on
  double delay_p95 = 0, jitter = 0;               ///< ms, of what is received
  bool video = false;                             ///< among the calls' media
  std::uint64_t numbered = 0;                     ///< packets whose numbers show losses
  bool by_cadence = false;                        ///< losses of some unnumbered stream can be told from its sender's pauses
  bool unread = false;                            ///< of some stream they can't
  bool over_tcp = false;                          ///< some media are in a TCP connection
};

/// Of one call, or of all calls where none is named.
Quality quality_of(const Observation& observation, std::span<const StreamMeasures> measures, std::span<const Arm> arms, std::optional<CallId> call);

/// Long enough, and of packets enough, to judge.
bool is_enough(const Quality& quality);

/// Losses of an unnumbered stream can be told from the empty places of its sender's rhythm only from this share on.
inline constexpr double least_by_cadence = 0.012;

}  // namespace callwitness::metrics
