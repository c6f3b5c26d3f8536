// H.225.0 (ITU-T): what a call-signalling message in Q.931's user-user element carries of H.245.
#pragma once

#include "classify/exchanges/per.hpp"
#include "classify/flow.hpp"

#include <optional>
#include <vector>

namespace callwitness::classify {

/// Views into the message.
struct H225Message {
  static constexpr std::size_t element_limit = 32;
  std::optional<Endpoint> h245_address;   ///< where the control connection is to be opened
  std::vector<Bytes> fast_start;          ///< OpenLogicalChannel each
  std::vector<Bytes> h245_control;        ///< MultimediaSystemControlMessage each
};

/// `bytes`: H323-UserInformation. What comes after something that can't be followed is left out.
H225Message parse_h225(Bytes bytes);

}  // namespace callwitness::classify
