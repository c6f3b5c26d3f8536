#include "classify/attempts/attempts.hpp"

#include "classify/attempts/first_datagrams.hpp"
#include "classify/attempts/tries.hpp"
#include "classify/nearness.hpp"
#include "classify/protocols/stun.hpp"

#include <algorithm>
#include <cstdlib>

namespace callwitness::classify {
namespace {

namespace protocol = capture::protocol;
using Stage = Attempt::Stage;
using Step = Attempt::Step;
using Outcome = Attempt::Outcome;

constexpr int telling_hops = 3;   // routes change by one or two

/// A relay asked over TCP (RFC 8656 3.1), with RFC 4571's length before the message or without.
bool is_stun_over_tcp(const Datagram& datagram) {
  const auto asks = [](Bytes bytes) {
    const auto message = parse_stun(bytes, static_cast<std::uint32_t>(bytes.size()));
    return message && message->has_cookie && message->message_class == StunMessage::Class::request;
  };
  return asks(datagram.payload) || (datagram.payload.size() > 2 && asks(datagram.payload.subspan(2)));
}

}  // namespace

struct AttemptTracker::State : Tries {
  void on_syn(Slot& slot, const Flow& flow, const Datagram& datagram, const NameTable& names) {
    const auto* entry = names.lookup(datagram.five_tuple.destination.address);
    if (slot.attempt) {
      if (slot.attempt->phase == Phase::syn_sent) note(*slot.attempt, datagram);
      return;
    }
    if (flow.backward.packets == 0) note_unanswered_port(datagram.five_tuple);
    if (entry && !entry->application.empty()) {
      begin(slot, flow, datagram, entry->application, entry->name.raw(), Phase::syn_sent, Step::connection);
    } else if (const auto* application = application_by_telling_port(protocol::tcp, datagram.five_tuple.destination.port)) {
      begin(slot, flow, datagram, application->key, {}, Phase::syn_sent, Step::connection);
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
      if (is_hello && named && slot.seen <= looked_at) begin(slot, flow, datagram, named->key, flow.server_name.raw(), Phase::hello_sent, Step::client_hello);
      else if (slot.seen <= looked_at && is_stun_over_tcp(datagram)) {
        begin(slot, flow, datagram, "webrtc", {}, Phase::message_sent, Step::allocation);
        if (slot.attempt) slot.attempt->is_media = true;
      }
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
      attempt.step = is_hello ? Step::client_hello : Step::message;
      note(attempt, datagram);
    } else {
      if (attempt.phase == Phase::hello_sent && named && named->key != attempt.application) attempt.application = named->key;
      note(attempt, datagram);
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
      attempt.by_stranger = attempt.opened_with != 0 && std::abs(int{attempt.opened_with} - int{datagram.time_to_live}) >= telling_hops;
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

  void on_stun(Slot& slot, Way way, const Datagram& datagram) {
    if (slot.greeted || datagram.payload.empty() || datagram.payload[0] > 3) return;
    const auto message = parse_stun(datagram.payload, datagram.payload_length);
    if (!message || !message->has_cookie) return;
    slot.stun = true;
    if (message->message_class == StunMessage::Class::request && !message->username.empty()) {
      if (slot.session == 0) slot.session = ice_session_of(message->username);
      slot.checked = static_cast<std::uint8_t>(slot.checked | 1u << static_cast<unsigned>(way));
    }
    const bool was_check = slot.checked >> static_cast<unsigned>(opposite(way)) & 1u;
    if (message->message_class != StunMessage::Class::success) return;
    if (was_check) ice.on_check_answered(slot.session, datagram.five_tuple.destination);
    else ice.on_request_answered(datagram.five_tuple.destination);
  }

  /// DTLS over a path that STUN has found, or in an application's own flow; other programs (VPNs) use it, too.
  void on_greeting(Slot& slot, const Flow& flow, const Datagram& datagram, const NameTable& names) {
    if (slot.greeted || datagram.payload.empty()) return;
    const Bytes inner = unwrap(datagram.payload, datagram.payload_length).bytes;
    if (slot.attempt && slot.attempt->phase == Phase::greeting_sent) {
      if (datagram.five_tuple == slot.attempt->five_tuple) {
        if (is_dtls_client_hello(inner)) note(*slot.attempt, datagram);
      } else if (answers_dtls_hello(inner)) {
        note(*slot.attempt, datagram);
        slot.greeted = true;
        ice.on_hello_answered(slot.session, slot.attempt->five_tuple.source);
        settle(slot, Stage::tls, Outcome::answered);
      }
      return;
    }
    const bool of_a_call = slot.stun || (flow.label.confidence >= 0.7 && flow.role != Role::tunnel && !flow.label.application.empty());
    if (slot.attempt || !of_a_call || !is_dtls_client_hello(inner)) return;
    const auto* entry = names.lookup(datagram.five_tuple.destination.address);
    const bool named = entry && !entry->application.empty(), labelled = flow.label.confidence >= 0.7 && !flow.label.application.empty();
    begin(slot, flow, datagram, named ? entry->application : labelled ? flow.label.application : "webrtc", entry ? entry->name.raw() : std::string_view{},
          Phase::greeting_sent, Step::dtls_hello);
    if (!slot.attempt) return;
    slot.attempt->is_media = true;
    note(*slot.attempt, datagram);
  }

  void begin_udp(Slot& slot, const Flow& flow, const Datagram& datagram, const NameTable& names) {
    if (slot.seen > looked_at || flow.backward.packets > 0 || datagram.payload.empty()) return;
    const auto& to = datagram.five_tuple.destination;
    if (to.address.is_multicast() || to.port == 53) return;
    const Application* format = application_by_format(datagram);
    const auto* entry = names.lookup(to.address);
    const std::string_view name = entry ? entry->name.raw() : std::string_view{};
    const Step step = step_of(datagram);
    if (entry && !entry->application.empty() && (to.port != 443 || format)) begin(slot, flow, datagram, entry->application, name, Phase::udp_sent, step);
    else if (format) begin(slot, flow, datagram, format->key, name, Phase::udp_sent, step);
    else if (flow.label.confidence >= 0.7 && (flow.role == Role::media || flow.role == Role::control)) begin(slot, flow, datagram, flow.label.application, name, Phase::udp_sent, step);
    else if (const auto* application = application_by_telling_port(protocol::udp, to.port)) {
      begin(slot, flow, datagram, application->key, name, Phase::udp_sent, step);
      if (slot.attempt) slot.attempt->by_port_only = true;
    }
    if (slot.attempt) slot.attempt->is_media = true;
  }

  void on_udp(Slot& slot, const Flow& flow, Way way, const Datagram& datagram, const NameTable& names) {
    on_stun(slot, way, datagram);
    on_greeting(slot, flow, datagram, names);
    if (slot.attempt && slot.attempt->phase == Phase::greeting_sent) return;
    if (!slot.attempt) begin_udp(slot, flow, datagram, names);
    if (!slot.attempt) return;
    Try& attempt = *slot.attempt;
    if (attempt.by_port_only && flow.label.application == attempt.application && flow.label.basis == Basis::format) attempt.by_port_only = false;
    note(attempt, datagram);
    if (datagram.five_tuple != attempt.five_tuple) settle(slot, Stage::udp, Outcome::answered);
  }

  void on_icmp(const capture::IcmpMessage& message, const Datagram& datagram) {
    const auto says = icmp_says(message, datagram.five_tuple.protocol == protocol::icmpv6);
    if (says == IcmpSays::nothing) return;
    sip.on_icmp(says, *message.about, datagram);
    const auto found = open.find(*message.about);
    if (found == open.end()) return;
    Slot& slot = slots[found->second];
    if (!slot.attempt) return;
    Try& attempt = *slot.attempt;
    note(attempt, datagram);
    if (says == IcmpSays::unreachable) {
      attempt.unreachable = true;
      return;
    }
    const auto& sender = datagram.five_tuple.source.address;
    attempt.by_target = sender == attempt.five_tuple.destination.address;
    attempt.by_access = !attempt.by_target && is_of_access(datagram.time_to_live);
    attempt.from_nearby = is_nearby(datagram.time_to_live) && (!sender.is_routable() || is_same_link(sender, attempt.five_tuple.source.address));
    const Stage stage = attempt.phase == Phase::udp_sent ? Stage::udp : attempt.phase == Phase::greeting_sent ? Stage::tls : Stage::tcp;
    settle(slot, stage, says == IcmpSays::prohibited ? Outcome::prohibited : Outcome::refused);
  }
};

AttemptTracker::AttemptTracker() : state_(std::make_unique<State>()) {}
AttemptTracker::~AttemptTracker() = default;

bool AttemptTracker::on_datagram(const Flow& flow, Way way, const Datagram& datagram, const NameTable& names) {
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
  state_->on_udp(slot, flow, way, datagram, names);
  return slot.is_settled();
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
  state_->ice.finish(state_->list);
  state_->tell_port_only();
  return state_->list.take();
}

}  // namespace callwitness::classify
