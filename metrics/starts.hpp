// How calls and sign-ins began: which tries came to nothing and were made good by nothing else. docs/methods/attempts.md
#pragma once

#include "classify/call.hpp"

#include <vector>

namespace callwitness::metrics {

using classify::Attempt;

/// Tries of one attempt of the list that nobody answered and nothing made good.
struct UnansweredStart {
  std::size_t attempt = 0;                   ///< index into Classification::attempts
  std::uint32_t tries = 0;
  capture::Time first_time, last_time;       ///< of those tries' beginnings
  bool worked_at_other_times = false;        ///< the same application got as far, or into a call, in the same capture
};

/// Left out: what the service itself refused (it was reached), look-ups repeated and answered, losers among ICE's pairs and
/// happy eyeballs' families, retries that then succeeded (another target, another transport, a call begun within a minute),
/// tries that came from the far side, and tunnels. A verdict is never "clean" where this isn't empty.
std::vector<UnansweredStart> unanswered_starts(const classify::Classification& classification);

/// The host of an attempt's target, which is a name, a socket, or both; of a look-up the name.
std::string_view target_host(const Attempt& attempt);

/// A conversation, not only one end's packets that nobody answers.
bool is_held(const classify::Classification& classification, const classify::Call& call);

/// True where nothing but the bare protocol is known, so that tries of any program may bear this name.
bool is_unnamed(std::string_view application);
/// A program that makes calls, and not a tunnel or the web.
bool makes_calls(std::string_view application);

}  // namespace callwitness::metrics
