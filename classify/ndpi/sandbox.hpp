// The processes that nDPI runs in: a warden that is forked early, and one worker at a time under it. When a worker
// dies, the warden tells how and forks the next from its own clean image.
#pragma once

#include "classify/ndpi/message.hpp"

namespace callwitness::classify::ndpi {

/// CPU time after which a flow's packets are taken to have hung nDPI. A flow takes well under a millisecond.
inline constexpr int hang_milliseconds = 500;

/// Runs in the forked child and never returns. `socket` is its end of the pair.
[[noreturn]] void run_warden(int socket, Shared& shared, int parent);

}  // namespace callwitness::classify::ndpi
