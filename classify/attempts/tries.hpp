// Tries under way, one a flow at most: begun, noted, and settled into the list.
#pragma once

#include "classify/attempts/dns_attempts.hpp"
#include "classify/attempts/ice_sessions.hpp"
#include "classify/attempts/sip_attempts.hpp"

#include <map>
#include <memory>
#include <set>
#include <vector>

namespace callwitness::classify {

enum class Phase : std::uint8_t { watching, syn_sent, opened, hello_sent, message_sent, udp_sent, greeting_sent };

struct Try {
  Phase phase = Phase::watching;
  Attempt::Step step = Attempt::Step::datagrams;
  bool by_port_only = false;
  bool saw_syn = false;
  bool is_media = false;
  std::uint8_t opened_with = 0;   ///< time to live of the packet that opened the connection
  bool from_nearby = false, by_target = false, by_stranger = false, by_access = false, unreachable = false;
  std::string_view application;
  FiveTuple five_tuple;
  Untrusted target;
  Time first_time, last_time;
  std::uint32_t asked = 0;        ///< packets of the asker's
  std::vector<std::uint64_t> ordinals;
};

Untrusted target_of(std::string_view name, const Endpoint& endpoint);

struct Tries {
  static constexpr std::uint32_t looked_at = 8;          ///< datagrams of a UDP flow looked at for a start
  static constexpr std::uint32_t looked_at_of_ice = 512; ///< the same where STUN was seen: DTLS begins when a pair is chosen
  struct Slot {
    FlowId flow{};
    bool used = false;
    std::unique_ptr<Try> attempt;   ///< null: no try, or settled
    std::uint32_t seen = 0;
    bool stun = false, greeted = false;   ///< STUN was seen; so was the end of a DTLS greeting
    std::uint64_t session = 0;      ///< of ICE
    std::uint8_t checked = 0;       ///< bits: checks with a user name went forward, backward
    /// A flow that begins as ICE is looked at until its DTLS greeting is over.
    bool is_settled() const { return !attempt && seen > (stun && !greeted ? looked_at_of_ice : looked_at); }
  };
  std::vector<Slot> slots;
  std::map<FiveTuple, std::uint32_t> open;   ///< tries under way, by their own direction
  std::map<capture::IpAddress, std::set<std::uint16_t>> unanswered_ports;   ///< by who asked
  AttemptList list;
  DnsAttempts dns;
  SipAttempts sip;
  IceSessions ice;
  std::vector<std::pair<Attempt, Endpoint>> port_only;   ///< told at the end, unless it was a scan

  Slot& slot_of(const Flow& flow);
  void begin(Slot& slot, const Flow& flow, const Datagram& datagram, std::string_view application, std::string_view name, Phase phase, Attempt::Step step);
  void note(Try& attempt, const Datagram& datagram);
  void settle(Slot& slot, Attempt::Stage stage, Attempt::Outcome outcome);
  /// What a try that will hear no more has come to.
  void conclude(Slot& slot, Time now);
  void note_unanswered_port(const FiveTuple& tuple);
  /// A port alone names a service only when somebody tried it again, and when it was no scan.
  void tell_port_only();
};

}  // namespace callwitness::classify
