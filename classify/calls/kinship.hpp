// Names that a flow has from its kin: ICE tries many ways from one socket, and only some of them tell whose they are.
#pragma once

#include "classify/call.hpp"

#include <vector>

namespace callwitness::classify {

/// Unnamed real-time flows (and those named by nothing but a port) take the name of named flows that share a UDP socket
/// with them at the same time: the relay's name goes to the socket, from there to the peer, from there to the peer's
/// other sockets. Flows whose kin disagree stay as they are. Tries that were just "webrtc" are renamed with their flows.
void name_by_kin(std::vector<Flow>& flows, std::vector<Attempt>& attempts);

}  // namespace callwitness::classify
