// What other traffic did at the same time: the difference between a line that is slow and a call that is singled out.
#pragma once

#include "metrics/fits/arm.hpp"

#include <span>

namespace callwitness::metrics {

struct Contrast {
  bool present = false;            ///< other traffic was active in that direction
  double peak_bps = 0;             ///< its busiest seconds (mean of the best three)
  std::size_t busy_seconds = 0;    ///< seconds in which it alone exceeded the cap 1.7-fold while the call was limited
  double call_in_busy = 1;         ///< the call's rate in those seconds over its rate in the others
  double loss_in_busy = 1;         ///< share of those seconds in which the call loses, over that of the others
  std::size_t faster_alone = 0;    ///< those of busy_seconds in which a single flow did (contrast_in: quarters of seconds)
  std::size_t bursts = 0;          ///< seconds of five times the cap while the call was losing
  bool shares_nothing = true;      ///< the call neither shrinks nor loses more while others are fast
  bool suffers = false;            ///< it loses or is refused a lot itself
  bool exceeds = false;            ///< enough to say: the limit is not the line's
};

/// Independent traffic of `direction` between `from` and `to` (seconds since the observation's start) against
/// `cap_bps`. The same application, and the same remote address, are no control.
Contrast contrast_of(const Observation& observation, const Arm& arm, double cap_bps, double from, double to);
/// The same, but present also where other traffic was active only before or after: it may have met the same limit then.
Contrast contrast_around(const Observation& observation, const Arm& arm, double cap_bps, double from, double to);

/// The same for a quota, in the seconds that lie in periods whose quota was used up (in order). Until then it lets everything
/// pass, so that no rate bounds the call; nor does the call shrink beside others, for its bytes are the same each time.
Contrast contrast_of_quota(const Observation& observation, const Arm& arm, double cap_bps, std::span<const Stretch> used_up);

/// The same for a queue that stands now and then: what others did while it stood, to the packet where it is known.
Contrast contrast_in(const Observation& observation, const Arm& arm, double cap_bps, std::span<const Stretch> stretches);

/// Segments of that direction that were lost on the way: sent again in the capture, or holes that were filled later.
double lost_segments(const TcpObservation& tcp, Direction direction);

/// The addresses of the far end and of ours.
const capture::IpAddress& remote_address(const FlowObservation& flow);
const capture::IpAddress& local_address(const FlowObservation& flow);

/// True when `flow` belongs to the application or remote host of `of`.
bool same_party(const FlowObservation& flow, const FlowObservation& of);

/// True when `flow` can be compared with `of`: another party's, of the same local address. Another address of ours is another
/// interface, and another host of the home may be limited, or spared, by the home's own router.
bool is_control(const FlowObservation& flow, const FlowObservation& of);
const FlowObservation* find_flow(const Observation& observation, FlowId id);

}  // namespace callwitness::metrics
