// What signalling said: dialogs by Call-ID or what serves as one, and the endpoints whose media they announced.
#pragma once

#include "classify/call.hpp"
#include "classify/protocols/sdp.hpp"
#include "classify/protocols/sip.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace callwitness::classify {

struct Dialog {
  Signalling signalling = Signalling::sip;
  Time invited;
  std::optional<Time> answered, ended;
  bool bye = false, refused = false;
  bool offered_both_ways = true;       ///< so far, of every description; what holds came later is in `holds`
  std::uint32_t descriptions = 0, session_expires_s = 0;
  std::vector<Announced::Hold> holds;  ///< bounded
  std::vector<FlowId> flows;           ///< of the signalling, few

  Announced announced() const { return {answered.has_value(), refused, descriptions >= 2 && offered_both_ways, session_expires_s, holds}; }
};

/// The beginning of a key that no Call-ID has, for those have no space.
std::string dialog_key(std::string_view exchange, std::uint32_t flow);

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
  /// For the other exchanges (H.323, MGCP, Skinny). `key`: the same for all messages of one call; opens a dialog if it is new.
  std::optional<std::size_t> open(std::string key, Signalling signalling, FlowId flow, Time time);
  std::optional<std::size_t> find(const std::string& key) const;
  /// Adds to what was announced; a dialog that had ended goes on. Two exchanges that name the same endpoint at about the
  /// same time are two legs of one call, and one dialog from then on.
  void add(std::size_t dialog, const SdpMedia& media, Time time);
  void end(std::size_t dialog, Time time);

  /// What was announced for an endpoint before `last`, by a dialog that had not ended before `first`; the newest.
  const Announcement* find(const Endpoint& endpoint, Time first, Time last) const;
  bool announced(const Endpoint& endpoint) const { return endpoints_.count(endpoint) > 0; }
  const Dialog& dialog(std::size_t index) const { return dialogs_[leading(index)]; }
  std::size_t leading(std::size_t index) const;    ///< of a call's legs: the one that stands for all
  bool empty() const { return endpoints_.empty(); }
  bool overflowed() const { return overflowed_; }
  /// Grows whenever an announcement comes or a dialog ends.
  std::uint64_t version() const { return version_; }

 private:
  std::optional<std::size_t> dialog_of(const TextMessage& message, const Flow& flow, Time time);
  std::vector<Announcement>* announcements_of(const Endpoint& endpoint);
  void join(std::size_t dialog, std::size_t other);
  void note_flow(Dialog& dialog, FlowId flow);
  void announce(std::size_t dialog, const SdpMedia& media, Time time);
  void set_up(std::size_t dialog, const TextMessage& message, const Endpoint& server, const Endpoint& client, Time time);
  std::vector<Dialog> dialogs_;
  std::vector<std::size_t> leads_;                      ///< by dialog: itself, or one that stands for it
  std::map<std::string, std::size_t, std::less<>> by_call_id_;
  std::map<FlowId, std::vector<SdpMedia>> described_;   ///< RTSP: what DESCRIBE told, by flow
  std::map<Endpoint, std::vector<Announcement>> endpoints_;
  bool overflowed_ = false;
  std::uint64_t version_ = 0;
};

}  // namespace callwitness::classify
