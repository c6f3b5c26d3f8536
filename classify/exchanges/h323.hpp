// H.323's call signalling: TPKT (RFC 1006) frames with Q.931 and H.225.0, and H.245 on a connection of its own, in
// Q.931's tunnel or as fast connect.
#pragma once

#include "classify/calls/dialogs.hpp"
#include "classify/exchanges/h245.hpp"

#include <map>
#include <tuple>

namespace callwitness::classify {

/// Does a TCP connection begin with a frame of this kind? `told`: its port or an earlier message says so; then the frame's
/// header, which is often sent by itself, is enough.
bool looks_like_tpkt(Bytes first, bool told);
/// Size of the frame at the beginning; 0: not such a frame.
std::size_t tpkt_size(Bytes stream);

class H323Exchange {
 public:
  static constexpr std::size_t control_limit = 10'000, channel_limit = 20'000;
  explicit H323Exchange(Dialogs& dialogs) : dialogs_(dialogs) {}
  bool is_control(const FiveTuple& tuple) const { return control_.contains(tuple.source) || control_.contains(tuple.destination); }
  /// A whole frame.
  void on_frame(Bytes frame, const Flow& flow, const Endpoint& source, const Endpoint& destination, Time time);

 private:
  struct Place {
    std::string key;                     ///< of the dialog
    FlowId flow{};
    Endpoint source, destination;
    Time time;
  };
  void on_q931(Bytes message, Place place);
  void on_h245(Bytes message, const Place& place);
  void on_opening(const H245Message& message, const Place& place);
  void announce(const SdpMedia& media, const Place& place);
  using Channel = std::tuple<std::string, capture::IpAddress, std::uint16_t>;   ///< dialog, who opened it, its number

  Dialogs& dialogs_;
  std::map<Endpoint, std::string> control_;     ///< where H.245 is spoken → the dialog's key
  std::map<Channel, SdpMedia> channels_;
};

}  // namespace callwitness::classify
