// Lifetimes that a server told: what dies when one runs out has died of that. docs/methods/benign_timer.md
#pragma once

#include "metrics/events/interruptions.hpp"

namespace callwitness::metrics {

struct ToldLifetime {
  enum class Kind : std::uint8_t { relay, session_timer } kind{};
  double seconds = 0;
};

/// The lifetime that ran out when the flow died: of a TURN allocation, permission or channel that was not refreshed (any port),
/// or of the SIP session (RFC 4028). Nothing: none that was told fits.
std::optional<ToldLifetime> lifetime_that_ended(const Observation& observation, const FlowObservation& flow, const Interruption& cut);

}  // namespace callwitness::metrics
