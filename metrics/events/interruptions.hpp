// Interruptions of calls: media that stop while we go on sending, and resets in the middle. docs/methods/cuts.md
#pragma once

#include "metrics/models/dead_after.hpp"
#include "metrics/observation.hpp"

#include <vector>

namespace callwitness::metrics {

struct Interruption {
  enum class Kind : std::uint8_t { udp_silence, tcp_silence, tcp_reset };
  Kind kind{};
  FlowId flow{};
  std::optional<CallId> call;
  double start = 0, end = 0;          ///< seconds; end: when media came again, or our last packet
  bool resumed = false;               ///< on the same flow
  bool young = false;                 ///< before it had carried media for a second or so: a handshake, some first packets
  bool lost = false;                  ///< what the far end sent meanwhile is missing: the path was dead, the far end wasn't
  bool far_end_sends = false;         ///< its sender reports went on counting packets that didn't come
  bool path_alive = false;            ///< STUN was answered in the silence: it is the media alone that don't come
  std::optional<double> goodbye_after_s;   ///< a hang-up that long after the silence began; it doesn't undo it
  std::optional<double> redialled_s;  ///< seconds from our end's last packet until media of that party began anew
  std::optional<double> uptime;       ///< seconds since the flow began or came back; unknown: it was there before the capture
  std::optional<models::DeathAmount> amount;   ///< what the flow had moved; unknown: it was there before the capture, or had come back
  enum class Others : std::uint8_t { absent, alive, dead } others = Others::absent;
  double others_received = 0;         ///< packets' worth of evidence: seconds of it with other traffic received
  std::uint32_t ordinal = 0;          ///< last packet before
};

/// All of them, by start; those of one remote host within a few seconds are one, unless the later flow began after the earlier died.
/// At most `most_interruptions`.
inline constexpr std::size_t most_interruptions = 2'000;
std::vector<Interruption> interruptions_of(const Observation& observation);

/// Silences of one flow, by start; company, redials and ages are not filled in.
std::vector<Interruption> silences_of(const Observation& observation, const FlowObservation& flow);
/// The same of a flow of which too little came to have media's usual rate, or whose media can't be told.
std::optional<Interruption> early_death_of(const Observation& observation, const FlowObservation& flow);

/// What the flow had moved each way by `at` (seconds), the packet that came then included.
models::DeathAmount amount_at(const Observation& observation, const FlowObservation& flow, double at);

/// When a hang-up (BYE, FIN, close_notify, RTCP BYE) of the flow or its call was said nearest to a silence from `from` to `to`, seconds.
std::optional<double> goodbye_near(const Observation& observation, const FlowObservation& flow, double from, double to);
/// A goodbye ends a call when it comes before the silence or within this time.
inline constexpr double prompt_goodbye = 1.5;   ///< seconds

/// One side had announced (SDP) that it doesn't send at `at`, seconds.
bool on_hold_at(const Observation& observation, const FlowObservation& flow, double at);

}  // namespace callwitness::metrics
