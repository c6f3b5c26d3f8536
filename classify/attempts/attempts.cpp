// The reasons for the patience and the guards stand in docs/methods/attempts.md.
#include "classify/attempts/attempts.hpp"

#include "classify/attempts/dns_attempts.hpp"
#include "classify/attempts/sip_attempts.hpp"
#include "classify/nearness.hpp"
#include "classify/protocols/stun.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace callwitness::classify {
namespace {

namespace protocol = capture::protocol;
using Stage = Attempt::Stage;
using Outcome = Attempt::Outcome;

constexpr Duration syn_patience = std::chrono::seconds(5);
constexpr Duration answer_patience = std::chrono::seconds(10);   // after the ClientHello or the first message
constexpr Duration udp_patience = std::chrono::seconds(5);
constexpr std::uint32_t least_udp_tries = 3;                     // datagrams without an answer before it counts
constexpr std::size_t open_limit = 16'384;
constexpr std::size_t scanned_ports_limit = 64;                  // more unanswered ports than this: a scan, ports tell nothing
constexpr std::uint32_t looked_at = 8;                           // datagrams of a UDP flow looked at for a start

enum class Phase : std::uint8_t { watching, syn_sent, opened, hello_sent, message_sent, udp_sent, done };

struct Try {
  Phase phase = Phase::watching;
  bool by_port_only = false;
  bool saw_syn = false;
  bool is_media = false;
  std::uint8_t opened_with = 0;   ///< time to live of the packet that opened the connection
  bool from_nearby = false;
  std::string_view application;
  FiveTuple five_tuple;
  Untrusted target;
  Time first_time, last_time;
  std::uint32_t datagrams = 0;
  std::vector<std::uint64_t> ordinals;
};

/// Ports so seldom used by anything else that an unanswered try says which service was meant.
const Application* by_port(std::uint8_t number, std::uint16_t port) {
  const Application* application = application_of_port(number, port);
  if (!application) return nullptr;
  const auto key = application->key;
  const bool telling = key == "viber" || key == "ventrilo" || key == "mumble" || key == "zoom" || key == "iax2" ||
                       (key == "teamspeak" && number == protocol::udp);
  return telling ? application : nullptr;
}

Untrusted target_of(std::string_view name, const Endpoint& endpoint) {
  if (name.empty()) return Untrusted(endpoint.text());
  return Untrusted(std::string(name) + " " + endpoint.text());
}

bool starts_with(Bytes bytes, std::string_view text) {
  return bytes.size() >= text.size() &&
         std::equal(text.begin(), text.end(), bytes.begin(), [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

/// The application that a first datagram's own format names; null: none.
const Application* by_format(const Datagram& datagram) {
  if (starts_with(datagram.payload, "TS3INIT1")) return find_application("teamspeak");
  const auto message = parse_stun(datagram.payload, datagram.payload_length);
  // Checks between peers (with a user name) go unanswered by nature; a question to a server should not.
  if (message && message->has_cookie && message->message_class == StunMessage::Class::request && message->username.empty() &&
      (message->method == 1 || message->method == 3) && datagram.five_tuple.destination.address.is_routable()) {
    if (message->method == 3 && datagram.payload.size() > 22 && datagram.payload[20] == 0x40 && datagram.payload[21] == 0) return find_application("whatsapp");
    return find_application("webrtc");
  }
  return nullptr;
}

bool is_check_between_peers(const Datagram& datagram) {
  const auto message = parse_stun(datagram.payload, datagram.payload_length);
  return message && message->method == 1 && !message->username.empty();
}

}  // namespace

struct AttemptTracker::State {
  struct Slot {
    FlowId flow{};
    bool used = false;
    std::unique_ptr<Try> attempt;   ///< null: no try, or settled
    std::uint32_t seen = 0;
  };
  std::vector<Slot> slots;
  std::map<FiveTuple, std::uint32_t> open;   ///< tries under way, by their own direction
  std::map<Endpoint, std::set<std::uint16_t>> unanswered_ports;
  AttemptList list;
  DnsAttempts dns;
  SipAttempts sip;
  std::vector<std::pair<Attempt, Endpoint>> port_only;   ///< told at the end, unless it was a scan

  Slot& slot_of(const Flow& flow) {
    if (flow.slot >= slots.size()) slots.resize(flow.slot + 1u);
    Slot& slot = slots[flow.slot];
    if (!slot.used || slot.flow != flow.id) {
      if (slot.attempt) open.erase(slot.attempt->five_tuple);
      slot = {};
      slot.flow = flow.id;
      slot.used = true;
    }
    return slot;
  }

  void begin(Slot& slot, const Flow& flow, const Datagram& datagram, std::string_view application, std::string_view name, Phase phase) {
    if (open.size() >= open_limit) return;
    slot.attempt = std::make_unique<Try>();
    Try& attempt = *slot.attempt;
    attempt.phase = phase;
    attempt.application = application;
    attempt.five_tuple = datagram.five_tuple;
    attempt.target = target_of(name, datagram.five_tuple.destination);
    attempt.first_time = attempt.last_time = datagram.time;
    open[attempt.five_tuple] = flow.slot;
  }

  void note(Try& attempt, const Datagram& datagram) {
    attempt.last_time = std::max(attempt.last_time, datagram.time);
    if (attempt.ordinals.size() < AttemptList::ordinal_limit) attempt.ordinals.push_back(datagram.ordinal);
  }

  void settle(Slot& slot, Stage stage, Outcome outcome) {
    Try& attempt = *slot.attempt;
    open.erase(attempt.five_tuple);
    Attempt told;
    told.application = attempt.application;
    told.stage = stage;
    told.outcome = outcome;
    told.target = attempt.target;
    told.first_time = attempt.first_time;
    told.last_time = attempt.last_time;
    told.ordinals = attempt.ordinals;
    told.flows = {slot.flow};
    told.is_media = attempt.is_media;
    told.from_nearby = attempt.from_nearby ? 1 : 0;
    if (attempt.by_port_only && outcome != Outcome::answered) {
      if (port_only.size() < AttemptList::limit) port_only.emplace_back(std::move(told), attempt.five_tuple.source);
    } else {
      list.add(std::move(told));
    }
    slot.attempt.reset();
  }

  /// What a try that will hear no more has come to.
  void conclude(Slot& slot, Time now) {
    if (!slot.attempt) return;
    const Try& attempt = *slot.attempt;
    const Duration waited = now - attempt.first_time;
    const Duration silent = now - attempt.last_time;
    switch (attempt.phase) {
      case Phase::syn_sent:
        if (waited >= syn_patience) return settle(slot, Stage::tcp, Outcome::no_reply);
        break;
      case Phase::opened: return settle(slot, Stage::tcp, Outcome::answered);
      case Phase::hello_sent:
        if (silent >= answer_patience || waited >= answer_patience) return settle(slot, Stage::tls, Outcome::no_reply);
        break;
      case Phase::message_sent:
        if (waited >= answer_patience) return settle(slot, Stage::signalling, Outcome::no_reply);
        break;
      case Phase::udp_sent:
        if (waited >= udp_patience && attempt.datagrams >= least_udp_tries) return settle(slot, Stage::udp, Outcome::no_reply);
        break;
      default: break;
    }
    open.erase(attempt.five_tuple);
    slot.attempt.reset();
  }

  void note_unanswered_port(const FiveTuple& tuple) {
    if (unanswered_ports.size() >= 1024 && !unanswered_ports.contains({tuple.source.address, 0})) return;
    auto& ports = unanswered_ports[{tuple.source.address, 0}];
    if (ports.size() <= scanned_ports_limit) ports.insert(tuple.destination.port);
  }

  void on_syn(Slot& slot, const Flow& flow, const Datagram& datagram, const NameTable& names) {
    const auto* entry = names.lookup(datagram.five_tuple.destination.address);
    if (slot.attempt) {
      if (slot.attempt->phase == Phase::syn_sent) note(*slot.attempt, datagram);
      return;
    }
    if (flow.backward.packets == 0) note_unanswered_port(datagram.five_tuple);
    if (entry && !entry->application.empty()) {
      begin(slot, flow, datagram, entry->application, entry->name.raw(), Phase::syn_sent);
    } else if (const auto* application = by_port(protocol::tcp, datagram.five_tuple.destination.port)) {
      begin(slot, flow, datagram, application->key, {}, Phase::syn_sent);
      if (slot.attempt) slot.attempt->by_port_only = true;
    }
    if (!slot.attempt) return;
    slot.attempt->saw_syn = true;
    note(*slot.attempt, datagram);
  }

  void on_client_payload(Slot& slot, const Flow& flow, const Datagram& datagram) {
    const bool is_hello = datagram.payload.size() >= 6 && datagram.payload[0] == 0x16 && datagram.payload[1] == 3 && datagram.payload[5] == 1;
    const Application* named = flow.server_name.empty() ? nullptr : application_of_name(flow.server_name.raw());
    if (!slot.attempt) {
      if (is_hello && named && slot.seen <= looked_at) begin(slot, flow, datagram, named->key, flow.server_name.raw(), Phase::hello_sent);
      if (slot.attempt) note(*slot.attempt, datagram);
      return;
    }
    Try& attempt = *slot.attempt;
    if (attempt.phase == Phase::opened || attempt.phase == Phase::syn_sent) {
      // A shared address: the server name says who was meant, and it may be somebody else.
      if (is_hello && !flow.server_name.empty() && !named) {
        open.erase(attempt.five_tuple);
        slot.attempt.reset();
        return;
      }
      if (named) {
        attempt.application = named->key;
        attempt.target = target_of(flow.server_name.raw(), datagram.five_tuple.destination);
        attempt.by_port_only = false;
      }
      attempt.phase = is_hello ? Phase::hello_sent : Phase::message_sent;
      note(attempt, datagram);
    } else if (attempt.phase == Phase::hello_sent && named && named->key != attempt.application) {
      attempt.application = named->key;
    }
  }

  void on_tcp(Slot& slot, const Flow& flow, const Datagram& datagram, const NameTable& names) {
    const auto& tcp = *datagram.tcp;
    if (tcp.syn() && !tcp.ack()) return on_syn(slot, flow, datagram, names);
    const bool from_client = slot.attempt ? datagram.five_tuple == slot.attempt->five_tuple : true;
    if (from_client && datagram.payload_length > 0) {
      if (slot.attempt || slot.seen <= looked_at) on_client_payload(slot, flow, datagram);
      return;
    }
    if (!slot.attempt || from_client) return;
    Try& attempt = *slot.attempt;
    if (tcp.rst()) {
      note(attempt, datagram);
      attempt.from_nearby = attempt.opened_with != 0 && !is_nearby(attempt.opened_with) && is_nearby(datagram.time_to_live);
      switch (attempt.phase) {
        case Phase::syn_sent: return settle(slot, Stage::tcp, Outcome::refused);
        case Phase::opened: return settle(slot, Stage::tcp, Outcome::reset);
        case Phase::hello_sent: return settle(slot, Stage::tls, Outcome::reset);
        default: return settle(slot, Stage::signalling, Outcome::reset);
      }
    }
    if (attempt.phase == Phase::syn_sent && tcp.syn() && tcp.ack()) {
      attempt.phase = Phase::opened;
      attempt.opened_with = datagram.time_to_live;
      note(attempt, datagram);
      return;
    }
    const bool greeted = attempt.phase == Phase::hello_sent;
    if (datagram.payload_length > 0) {
      note(attempt, datagram);
      return settle(slot, greeted ? Stage::tls : Stage::signalling, Outcome::answered);
    }
    if (tcp.fin() && attempt.phase != Phase::opened) {
      note(attempt, datagram);
      settle(slot, greeted ? Stage::tls : Stage::signalling, Outcome::refused);
    }
  }

  void on_udp(Slot& slot, const Flow& flow, const Datagram& datagram, const NameTable& names) {
    if (!slot.attempt) {
      if (slot.seen > looked_at || flow.backward.packets > 0 || datagram.payload.empty()) return;
      const auto& to = datagram.five_tuple.destination;
      if (to.address.is_multicast() || to.port == 53 || is_check_between_peers(datagram)) return;
      const Application* format = by_format(datagram);
      const auto* entry = names.lookup(to.address);
      const std::string_view name = entry ? entry->name.raw() : std::string_view{};
      if (entry && !entry->application.empty() && (to.port != 443 || format)) begin(slot, flow, datagram, entry->application, name, Phase::udp_sent);
      else if (format) begin(slot, flow, datagram, format->key, name, Phase::udp_sent);
      else if (flow.label.confidence >= 0.7 && (flow.role == Role::media || flow.role == Role::control)) begin(slot, flow, datagram, flow.label.application, name, Phase::udp_sent);
      else if (const auto* application = by_port(protocol::udp, to.port)) {
        begin(slot, flow, datagram, application->key, name, Phase::udp_sent);
        if (slot.attempt) slot.attempt->by_port_only = true;
      }
      if (!slot.attempt) return;
      slot.attempt->is_media = true;
    }
    Try& attempt = *slot.attempt;
    if (attempt.by_port_only && flow.label.application == attempt.application && flow.label.basis == Basis::format) attempt.by_port_only = false;
    note(attempt, datagram);
    if (datagram.five_tuple == attempt.five_tuple) ++attempt.datagrams;
    else settle(slot, Stage::udp, Outcome::answered);
  }

  void on_icmp(const capture::IcmpMessage& message, const Datagram& datagram) {
    const auto found = open.find(*message.about);
    if (found == open.end()) return;
    Slot& slot = slots[found->second];
    if (!slot.attempt) return;
    const bool v6 = datagram.five_tuple.protocol == protocol::icmpv6;
    const bool unreachable = v6 ? message.type == 1 : message.type == 3;
    if (!unreachable) return;
    // RFC 1812 5.2.7.1 and RFC 4443 3.1: forbidden by an administrator; nobody listens at the port.
    const bool prohibited = v6 ? message.code == 1 || message.code == 5 || message.code == 6 : message.code == 9 || message.code == 10 || message.code == 13;
    const bool port = v6 ? message.code == 4 : message.code == 3;
    if (!prohibited && !port) return;
    const auto& sender = datagram.five_tuple.source.address;
    slot.attempt->from_nearby = is_nearby(datagram.time_to_live) && (!sender.is_routable() || is_same_link(sender, slot.attempt->five_tuple.source.address));
    note(*slot.attempt, datagram);
    settle(slot, slot.attempt->phase == Phase::udp_sent ? Stage::udp : Stage::tcp, prohibited ? Outcome::prohibited : Outcome::refused);
  }
};

AttemptTracker::AttemptTracker() : state_(std::make_unique<State>()) {}
AttemptTracker::~AttemptTracker() = default;

bool AttemptTracker::on_datagram(const Flow& flow, Way, const Datagram& datagram, const NameTable& names) {
  if (datagram.icmp) {
    if (datagram.icmp->about) state_->on_icmp(*datagram.icmp, datagram);
    return false;
  }
  const bool udp = datagram.five_tuple.protocol == protocol::udp;
  if (udp && (flow.five_tuple.destination.port == 53 || flow.five_tuple.source.port == 53)) {
    state_->dns.on_datagram(flow, datagram, state_->list);
    return false;
  }
  if (!udp && !datagram.tcp) return false;
  auto& slot = state_->slot_of(flow);
  if (slot.seen < 0xffff) ++slot.seen;
  if (SipAttempts::may_begin(datagram.payload) && state_->sip.on_datagram(flow, datagram, state_->list)) return false;
  if (datagram.tcp) {
    state_->on_tcp(slot, flow, datagram, names);
    return false;
  }
  state_->on_udp(slot, flow, datagram, names);
  return !slot.attempt && slot.seen > looked_at;
}

void AttemptTracker::on_flow_closed(const Flow& flow, Time now) {
  if (flow.slot >= state_->slots.size()) return;
  auto& slot = state_->slots[flow.slot];
  if (!slot.used || slot.flow != flow.id) return;
  state_->conclude(slot, now);
  slot = {};
}

std::vector<Attempt> AttemptTracker::finish(Time end) {
  for (auto& slot : state_->slots) {
    if (slot.used) state_->conclude(slot, end);
  }
  state_->dns.finish(end, state_->list);
  state_->sip.finish(end, state_->list);
  // A port alone names a service only when somebody tried it again, and when it was no scan.
  std::map<std::pair<std::string_view, capture::IpAddress>, int> tried;
  for (const auto& [attempt, source] : state_->port_only) ++tried[{attempt.application, source.address}];
  for (auto& [attempt, source] : state_->port_only) {
    const auto scanned = state_->unanswered_ports.find({source.address, 0});
    if (scanned != state_->unanswered_ports.end() && scanned->second.size() > scanned_ports_limit) continue;
    if (tried[{attempt.application, source.address}] >= 2) state_->list.add(std::move(attempt));
  }
  return state_->list.take();
}

}  // namespace callwitness::classify
