// SIP (RFC 3261) and RTSP (RFC 7826) messages: the few fields that say which media belongs to which call.
// The text is a stranger's: nothing here trusts a length, and work is bounded by the bytes at hand.
#pragma once

#include "capture/cursor.hpp"
#include "classify/flow.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace callwitness::classify {

/// Views into the message. `status` 0: a request.
struct TextMessage {
  bool rtsp = false;
  int status = 0;
  std::string_view method;        ///< of the request, or of the CSeq that a response answers
  std::string_view call_id;       ///< RTSP: Session
  std::uint32_t sequence = 0;     ///< CSeq
  std::string_view transport;     ///< RTSP
  std::string_view content_type;
  std::string_view body;
  std::uint32_t session_expires_s = 0;  ///< RFC 4028; 0: none
};

/// The first line is a SIP or RTSP request or status line.
bool looks_like_sip(Bytes bytes);
bool looks_like_rtsp(Bytes bytes);

/// None: not such a message.
std::optional<TextMessage> parse_text_message(Bytes bytes);

/// How many bytes of a TCP stream its first message takes; 0: not all there yet. Messages above
/// StreamReassembly::limit are never all there.
std::size_t text_message_size(Bytes stream);

/// The value of `name=` in a list such as "a;client_port=6970-6971"; empty: absent.
std::string_view parameter_of(std::string_view list, std::string_view name);
std::optional<std::uint32_t> number_of(std::string_view text);

}  // namespace callwitness::classify
