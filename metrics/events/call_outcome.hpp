// What became of each call: read by the verdict, the JSON and every view.
#pragma once

#include "metrics/events/interruptions.hpp"

#include <span>
#include <string_view>

namespace callwitness::metrics {

struct CallOutcome {
  enum class Kind : std::uint8_t { completed, one_way, died, never_answered, declined, moved, open };
  CallId call{};
  Kind kind = Kind::completed;
  std::optional<Direction> missing;       ///< one_way: which direction's media did not come
  std::uint64_t far_end_sent = 0;         ///< one_way, received missing: packets that its sender reports count meanwhile; 0: none read
  bool by_reports = false;                ///< one_way: the peer's receiver reports say so
  std::optional<double> after_s;          ///< died, one_way, moved: seconds from the call's beginning until media stopped; 0: none came
  std::uint64_t packets[2] = {0, 0}, bytes[2] = {0, 0};   ///< by Direction, IP bytes: what had gone each way by then
  double silent_s = 0;                    ///< how long we went on sending while nothing came, at its end
  std::optional<double> hung_up_after_s;  ///< died: a goodbye that long after the silence began
  std::size_t interruptions = 0;          ///< that it outlived
};

std::string_view name_of(CallOutcome::Kind kind);   ///< contract's words

/// By CallId.
std::vector<CallOutcome> outcomes_of(const Observation& observation, std::span<const Interruption> interruptions);

/// False where the person at our end heard nothing, or no longer: whatever was the cause, such a call is not "clean".
bool may_be_clean(const CallOutcome& outcome);

/// Media that were sent and of which the peer's receiver reports say that nothing came, from when on (seconds); nothing: it doesn't.
std::optional<double> unheard_from(const Observation& observation, const StreamObservation& stream);

}  // namespace callwitness::metrics
