// SIP requests that should get an answer (RFC 3261): REGISTER, INVITE and OPTIONS, and what came of them.
#pragma once

#include "classify/attempts/attempt_list.hpp"
#include "classify/attempts/first_datagrams.hpp"

#include <deque>

namespace callwitness::classify {

class SipAttempts {
 public:
  /// Whether a payload can begin a message that concerns this class, by its first byte.
  static bool may_begin(Bytes payload) {
    return !payload.empty() && (payload[0] == 'S' || payload[0] == 'R' || payload[0] == 'I' || payload[0] == 'O');
  }
  /// True if the datagram is a SIP message (nothing else need look at it).
  bool on_datagram(const Flow& flow, const Datagram& datagram, AttemptList& list);
  /// What was said of a packet `about`, which may have been one of the requests.
  void on_icmp(IcmpSays says, const FiveTuple& about, const Datagram& datagram);
  void finish(Time end, AttemptList& list);

 private:
  struct Request {
    std::string key;                               ///< Call-ID and CSeq
    FiveTuple five_tuple;                          ///< of the request
    FlowId flow{};
    Time time, last_time;
    std::vector<std::uint64_t> ordinals;
    std::optional<Attempt::Outcome> outcome;
    bool has_credentials = false;                  ///< it bears a password's proof
    int refusal = 0;                               ///< status code of a refusal, whose sender's hop limit is:
    std::uint8_t refusal_time_to_live = 0;
    std::uint32_t asked = 1;
    bool by_service = false, by_target = false, by_access = false, from_nearby = false, unreachable = false;
  };
  void on_answer(Request& request, int code, const Datagram& datagram);
  void expire(Time now, AttemptList& list);
  static void settle(const Request& request, AttemptList& list);
  std::deque<Request> requests_;                   ///< in order of time
};

}  // namespace callwitness::classify
