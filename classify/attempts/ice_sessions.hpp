// Of the pairs that ICE tries most come to nothing where one works: such losers are no failures (RFC 8445 8.1).
#pragma once

#include "classify/attempts/attempt_list.hpp"

#include <set>
#include <vector>

namespace callwitness::classify {

class IceSessions {
 public:
  /// `session` as ice_session_of() tells it (0: none); `asker`: the socket that asked.
  void on_request_answered(const Endpoint& asker) { note(requested_, 0, asker); }
  void on_check_answered(std::uint64_t session, const Endpoint& asker) { note(answered_, session, asker); }
  void on_hello_answered(std::uint64_t session, const Endpoint& asker) { note(greeted_, session, asker); }
  /// A check, request or hello that came to nothing; told at the end, when it is known what became of the others.
  void add_failure(Attempt attempt, std::uint64_t session, const Endpoint& asker, AttemptList& list);
  void finish(AttemptList& list);

 private:
  static constexpr std::size_t limit = 16'384;
  struct Known {
    std::set<std::uint64_t> sessions;
    std::set<Endpoint> sockets;
  };
  struct Failure { Attempt attempt; std::uint64_t session = 0; Endpoint asker; };
  static void note(Known& known, std::uint64_t session, const Endpoint& asker) {
    if (session != 0 && known.sessions.size() < limit) known.sessions.insert(session);
    if (known.sockets.size() < limit) known.sockets.insert(asker);
  }
  Known requested_, answered_, greeted_;
  std::vector<Failure> failures_;
};

}  // namespace callwitness::classify
