// H.245 (ITU-T): the messages that open logical channels, as far as they name where media goes and what it is.
#pragma once

#include "classify/exchanges/per.hpp"
#include "classify/protocols/sdp.hpp"

#include <optional>

namespace callwitness::classify {

/// What one openLogicalChannel, its Ack, or an endSession says.
struct H245Message {
  enum class Kind : std::uint8_t { open, acknowledged, end_of_session };
  Kind kind{};
  std::uint16_t channel = 0;            ///< of the forward channel
  /// Endpoint: where the named media is to be sent (version 0: not said). Of an Ack the channel's opening knows the rest.
  SdpMedia forward, reverse;
};

/// None: another message, or one that can't be followed.
std::optional<H245Message> parse_h245(Bytes bytes);
/// An element of H.225.0's fastStart: a bare OpenLogicalChannel.
std::optional<H245Message> parse_open_logical_channel(Bytes bytes);

}  // namespace callwitness::classify
