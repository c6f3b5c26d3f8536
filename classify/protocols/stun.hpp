// STUN and TURN (RFC 8489, RFC 8656), and what is inside their wrappers.
#pragma once

#include "capture/address.hpp"
#include "capture/cursor.hpp"
#include "classify/flow.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace callwitness::classify {

struct StunMessage {
  enum class Class : std::uint8_t { request, indication, success, error };
  Class message_class{};
  std::uint16_t method = 0;              ///< 1 binding, 3 allocate, 4 refresh, 6 send, 7 data, 8 permission, 9 channel
  std::uint64_t transaction = 0;         ///< the 96-bit id, folded
  bool has_cookie = false;               ///< RFC 5389's; without: RFC 3489 ("classic")
  Bytes data;                            ///< DATA attribute (0x0013): what a TURN indication carries
  std::uint32_t data_length = 0;         ///< on the wire
  std::string_view username, software;   ///< raw, may be empty
  std::optional<Endpoint> mapped;        ///< (XOR-)MAPPED-ADDRESS: the asker as the server sees it
  bool use_candidate = false;
  std::optional<std::uint32_t> lifetime_s;  ///< LIFETIME (0x000D)
};

/// None unless the header is consistent with the datagram's wire length (RFC 8489 6.3). A message whose attributes
/// overrun is none, too, unless the capture cut it.
std::optional<StunMessage> parse_stun(Bytes captured, std::uint32_t wire_length);

/// The innermost datagram: what TURN ChannelData (RFC 8656 12.4), Send and Data indications and Microsoft's FF10
/// multiplex carry. Bytes without a wrapper come back as they are.
struct Unwrapped {
  Bytes bytes;
  std::uint32_t wire_length = 0;
  bool wrapped = false;
};
Unwrapped unwrap(Bytes captured, std::uint32_t wire_length);

}  // namespace callwitness::classify
