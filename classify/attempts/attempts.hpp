// Every try to reach a voice service, and how far it got: look-up, connection, TLS greeting, first datagrams, SIP answer.
// Successes are kept too, so that it can be shown that something else worked.
#pragma once

#include "capture/anomalies.hpp"
#include "classify/attempts/sip_attempts.hpp"
#include "classify/call.hpp"
#include "classify/names.hpp"

#include <memory>
#include <vector>

namespace callwitness::classify {

class AttemptTracker {
 public:
  AttemptTracker();
  ~AttemptTracker();
  AttemptTracker(const AttemptTracker&) = delete;
  AttemptTracker& operator=(const AttemptTracker&) = delete;

  /// Call for every datagram of every flow, after NameTable::on_datagram and after flow.server_name was set from it.
  /// O(1) and without allocation for flows that are no try or are settled. True: from this flow only datagrams that
  /// `may_be_signalling` need be shown from now on.
  bool on_datagram(const Flow& flow, Way way, const Datagram& datagram, const NameTable& names);
  static bool may_be_signalling(const Datagram& datagram) { return SipAttempts::may_begin(datagram.payload); }
  /// Call when a flow's slot is given back (before on_flow_closed): settles its try.
  void on_flow_closed(const Flow& flow, Time now);
  /// Tries with the same application, stage, target and outcome come as one, with `tries`. In order of first_time.
  /// A try that began less than the patience of its stage (5 s DNS and UDP, 10 s TCP and TLS) before `end` is left out.
  std::vector<Attempt> finish(Time end);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace callwitness::classify
