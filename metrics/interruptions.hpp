// Interruptions of calls: one-way silence while we keep sending, and resets in the middle. docs/methods/cuts.md
#pragma once

#include "metrics/observation.hpp"

#include <vector>

namespace callwitness::metrics {

struct Interruption {
  enum class Kind : std::uint8_t { udp_silence, tcp_silence, tcp_reset };
  Kind kind{};
  FlowId flow{};
  std::optional<CallId> call;
  double start = 0, end = 0;          ///< seconds; end: when something came again, or the flow's last packet
  bool resumed = false;               ///< on the same flow
  bool lost = false;                  ///< what the far end sent meanwhile is missing: the path was dead, the far end wasn't
  std::optional<double> redialled_s;  ///< seconds from our end's last packet until media of that party began anew
  std::optional<double> uptime;       ///< seconds since the flow began or came back; unknown: it was there before the capture
  enum class Others : std::uint8_t { absent, alive, dead } others = Others::absent;
  double others_received = 0;         ///< packets' worth of evidence: seconds of it with other traffic received
  std::uint32_t ordinal = 0;          ///< last packet before
};

/// All of them, by start; those of one remote host within a few seconds are one.
std::vector<Interruption> interruptions_of(const Observation& observation);

/// What flows of other parties than `flow`'s received from `from` to `to`, seconds; absent: they sent nothing either.
struct Company { Interruption::Others others = Interruption::Others::absent; double seconds_received = 0; };
Company company_of(const Observation& observation, const FlowObservation& flow, double from, double to);

/// Ended by BYE, FIN, close_notify or RTCP BYE around `at`, seconds.
bool closed_politely(const Observation& observation, const FlowObservation& flow, double at);

struct Period {
  double period = 0, low = 0, high = 0;   ///< seconds
  std::size_t cuts = 0, missed = 0;
  double deviation = 0;                   ///< rms of the residuals over the period
  bool firm = false;
  bool strict = true;                     ///< false: two gaps that chance may have made this even
};

/// The period that the times keep, allowing for missed beats; nothing where they keep none.
std::optional<Period> period_of(const std::vector<double>& times);

/// The same of the times between: `gaps` seconds of `cuts` cuts.
std::optional<Period> period_of_gaps(const std::vector<double>& gaps, std::size_t cuts);

}  // namespace callwitness::metrics
