// Who else was there when a call died, and what became of those who tried again.
#pragma once

#include "metrics/events/interruptions.hpp"

namespace callwitness::metrics {

/// What flows of other parties than `flow`'s received from `from` to `to`, seconds; absent: they sent nothing either.
struct Company { Interruption::Others others = Interruption::Others::absent; double seconds_received = 0; };
Company company_of(const Observation& observation, const FlowObservation& flow, double from, double to);

/// Seconds from our end's last packet until media of that party began anew; nothing within a minute.
std::optional<double> redialled_after(const Observation& observation, const FlowObservation& flow, const Interruption& cut);

/// What came after a death, seconds since it; nothing: nobody tried, or none of them lived (died).
struct Aftermath {
  std::optional<double> endpoint_dead_until_s;      ///< the last try to the same host and port that nothing answered
  std::optional<double> endpoint_alive_from_s;      ///< the first that lived
  std::optional<double> host_dead_until_s, host_alive_from_s;   ///< the same host, any port
  std::optional<double> application_alive_from_s;   ///< a flow of the same application that lived, wherever to
  bool over_tcp = false, elsewhere = false;         ///< of that one: over TCP where the dead one was UDP; to another host
};
Aftermath aftermath_of(const Observation& observation, const FlowObservation& flow, const Interruption& cut);

}  // namespace callwitness::metrics
