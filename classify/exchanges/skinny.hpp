// Cisco's Skinny (SCCP): the messages in which the call manager opens and closes a telephone's media, and the
// telephone says where it takes them.
#pragma once

#include "classify/calls/dialogs.hpp"

#include <map>

namespace callwitness::classify {

/// Does a TCP connection's segment begin with a message?
bool looks_like_skinny(Bytes first);
/// Size of the message at the beginning, from its first 12 bytes; 0: not such a message.
std::size_t skinny_size(Bytes stream);

struct SkinnyMessage {
  enum class Kind : std::uint8_t { open_receive, receive_opened, start_transmission, transmission_started, close_receive,
                                   stop_transmission, on_hook };
  Kind kind{};
  std::uint32_t conference = 0, party = 0;
  std::optional<std::uint32_t> call_reference;
  SdpMedia media;                    ///< endpoint: version 0: not said
};

/// A whole message; none: another one, one that failed, or one cut short.
std::optional<SkinnyMessage> parse_skinny(Bytes message);

class SkinnyExchange {
 public:
  static constexpr std::size_t connection_limit = 5000, channel_limit = 64;
  explicit SkinnyExchange(Dialogs& dialogs) : dialogs_(dialogs) {}
  void on_message(Bytes message, const Flow& flow, Time time);

 private:
  struct Channel {
    std::size_t dialog = 0;
    std::optional<std::uint32_t> call_reference;
    SdpMedia media;                  ///< what it is to carry
  };
  using Key = std::pair<std::uint32_t, bool>;      ///< party, is it to receive
  using Channels = std::map<Key, Channel>;
  void on_message(const SkinnyMessage& message, const Flow& flow, Channels& channels, Time time);
  void close(Channels& channels, const Key& which, Time time);

  Dialogs& dialogs_;
  std::map<FlowId, Channels> connections_;          ///< of telephones that have something open
};

}  // namespace callwitness::classify
