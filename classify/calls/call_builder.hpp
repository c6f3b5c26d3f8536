// From streams to calls: which media belongs together, what it is, where it begins and ends.
#pragma once

#include "classify/call.hpp"
#include "classify/calls/stream_facts.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace callwitness::classify {

/// A flow with media, as the builder sees it.
struct MediaFlow {
  const Flow* flow = nullptr;
  Label label;
  std::vector<StreamId> streams;
  Time first_time, last_time;        ///< of its media
  std::array<std::optional<Time>, 2> last_of_way{};  ///< of its media, each way; none: that way had none
  Ending ended_by = Ending::silence;
  Signalling signalling = Signalling::none;
  int dialog = -1;                   ///< index of the SIP dialog that announced it; -1: none
  std::optional<Time> dialog_end;    ///< its BYE
  std::optional<Time> goodbye;       ///< of `ended_by`
  Announced announced;               ///< by the dialog
};

/// A label that names a technique and nobody's application.
bool is_generic(std::string_view application);

/// Groups flows into calls, sets Stream::call, orders calls by start.
std::vector<Call> build_calls(std::vector<MediaFlow> flows, std::vector<Stream>& streams,
                              const std::vector<StreamFacts>& facts, const Vantage& vantage);

/// Audio, video, retransmission: by payload type, clock, size and marker, where signalling didn't say.
void tell_kinds(std::vector<Stream>& streams, const std::vector<StreamFacts>& facts);

}  // namespace callwitness::classify
