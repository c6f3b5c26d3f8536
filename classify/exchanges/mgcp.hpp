// MGCP (RFC 3435): commands that make, change and end connections, and the SDP of both of a connection's ends.
#pragma once

#include "classify/calls/dialogs.hpp"

#include <deque>
#include <map>

namespace callwitness::classify {

/// Views into one message. `verb` empty: a response.
struct MgcpMessage {
  std::string_view verb;             ///< four letters
  int code = 0;                      ///< of a response
  std::uint32_t transaction = 0;
  std::string_view call_id;          ///< C:
  std::string_view body;             ///< SDP; empty: none
};

bool looks_like_mgcp(Bytes bytes);
/// None: not such a message.
std::optional<MgcpMessage> parse_mgcp(std::string_view text);

class MgcpExchange {
 public:
  static constexpr std::size_t pending_limit = 4096, message_limit = 32;
  explicit MgcpExchange(Dialogs& dialogs) : dialogs_(dialogs) {}
  void on_datagram(Bytes bytes, const Flow& flow, const Endpoint& source, const Endpoint& destination, Time time);

 private:
  void on_message(const MgcpMessage& message, const Flow& flow, const Endpoint& source, const Endpoint& destination, Time time);
  using Transaction = std::pair<Endpoint, std::uint32_t>;   ///< who asked, its number (RFC 3435 3.2.1.2)

  Dialogs& dialogs_;
  std::map<Transaction, std::size_t> pending_;              ///< → dialog
  std::deque<Transaction> in_order_;
};

}  // namespace callwitness::classify
