#include "classify/attempts/ice_sessions.hpp"

namespace callwitness::classify {

void IceSessions::add_failure(Attempt attempt, std::uint64_t session, const Endpoint& asker, AttemptList& list) {
  if (failures_.size() < limit) failures_.push_back({std::move(attempt), session, asker});
  else list.add(std::move(attempt));
}

void IceSessions::finish(AttemptList& list) {
  for (auto& [attempt, session, asker] : failures_) {
    const auto& known = attempt.step == Attempt::Step::dtls_hello ? greeted_ : answered_;
    // That a server says what our address is makes no path to the peer.
    const bool asks_a_server = attempt.step == Attempt::Step::stun_request || attempt.step == Attempt::Step::allocation;
    const bool made_needless = known.sessions.contains(session) || known.sockets.contains(asker) || (asks_a_server && requested_.sockets.contains(asker));
    if (made_needless) attempt.superseded = attempt.tries;
    list.add(std::move(attempt));
  }
  failures_.clear();
}

}  // namespace callwitness::classify
