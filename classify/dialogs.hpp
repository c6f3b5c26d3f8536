// What signalling said: dialogs by Call-ID, and the endpoints whose media they announced.
#pragma once

#include "classify/sdp.hpp"
#include "classify/sip.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace callwitness::classify {

struct Dialog {
  bool rtsp = false;
  Time invited;
  std::optional<Time> answered, ended;
  bool bye = false, refused = false;
  std::vector<FlowId> flows;           ///< of the signalling, few
};

class Dialogs {
 public:
  static constexpr std::size_t dialog_limit = 20'000, endpoint_limit = 50'000, flows_limit = 8, announcements_limit = 8;

  struct Announcement {
    std::size_t dialog = 0;
    Time time;
    SdpMedia media;
  };

  /// Takes a SIP or RTSP message that went from `source` to `destination`.
  void on_message(const TextMessage& message, const Flow& flow, const Endpoint& source, const Endpoint& destination, Time time);
  /// What was announced for an endpoint before `last`, by a dialog that had not ended before `first`; the newest.
  const Announcement* find(const Endpoint& endpoint, Time first, Time last) const;
  bool announced(const Endpoint& endpoint) const { return endpoints_.count(endpoint) > 0; }
  const Dialog& dialog(std::size_t index) const { return dialogs_[index]; }
  bool empty() const { return endpoints_.empty(); }
  bool overflowed() const { return overflowed_; }

 private:
  std::optional<std::size_t> dialog_of(const TextMessage& message, const Flow& flow, Time time);
  void announce(std::size_t dialog, const SdpMedia& media, Time time);
  void set_up(std::size_t dialog, const TextMessage& message, const Endpoint& server, const Endpoint& client, Time time);
  std::vector<Dialog> dialogs_;
  std::map<std::string, std::size_t, std::less<>> by_call_id_;
  std::map<FlowId, std::vector<SdpMedia>> described_;   ///< RTSP: what DESCRIBE told, by flow
  std::map<Endpoint, std::vector<Announcement>> endpoints_;
  bool overflowed_ = false;
};

}  // namespace callwitness::classify
