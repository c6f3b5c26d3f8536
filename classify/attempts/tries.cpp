// The reasons for the patience and the guards stand in docs/methods/attempts.md.
#include "classify/attempts/tries.hpp"

#include <algorithm>

namespace callwitness::classify {
namespace {

using Stage = Attempt::Stage;
using Step = Attempt::Step;
using Outcome = Attempt::Outcome;

constexpr Duration syn_patience = std::chrono::seconds(5);
constexpr Duration answer_patience = std::chrono::seconds(10);   // after the ClientHello or the first message
constexpr Duration udp_patience = std::chrono::seconds(5);
constexpr std::uint32_t least_udp_tries = 3;                     // datagrams without an answer before it counts
constexpr std::size_t open_limit = 16'384;
constexpr std::size_t scanned_ports_limit = 64;                  // more unanswered ports than this: a scan, ports tell nothing
constexpr std::size_t scanners_limit = 1024;

bool is_of_ice(Attempt::Step step) {
  using enum Attempt::Step;
  return step == stun_check || step == stun_request || step == allocation || step == dtls_hello;
}

}  // namespace

Untrusted target_of(std::string_view name, const Endpoint& endpoint) {
  if (name.empty()) return Untrusted(endpoint.text());
  return Untrusted(std::string(name) + " " + endpoint.text());
}

Tries::Slot& Tries::slot_of(const Flow& flow) {
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

void Tries::begin(Slot& slot, const Flow& flow, const Datagram& datagram, std::string_view application, std::string_view name, Phase phase, Step step) {
  if (open.size() >= open_limit) return;
  slot.attempt = std::make_unique<Try>();
  Try& attempt = *slot.attempt;
  attempt.phase = phase;
  attempt.step = step;
  attempt.application = application;
  attempt.five_tuple = datagram.five_tuple;
  attempt.target = target_of(name, datagram.five_tuple.destination);
  attempt.first_time = attempt.last_time = datagram.time;
  open[attempt.five_tuple] = flow.slot;
}

void Tries::note(Try& attempt, const Datagram& datagram) {
  attempt.last_time = std::max(attempt.last_time, datagram.time);
  if (datagram.five_tuple == attempt.five_tuple) ++attempt.asked;
  if (attempt.ordinals.size() < AttemptList::ordinal_limit) attempt.ordinals.push_back(datagram.ordinal);
}

void Tries::settle(Slot& slot, Stage stage, Outcome outcome) {
  Try& attempt = *slot.attempt;
  open.erase(attempt.five_tuple);
  Attempt told;
  told.application = attempt.application;
  told.stage = stage;
  told.step = attempt.step;
  told.outcome = outcome;
  told.source = attempt.five_tuple.source.address;
  told.asked = attempt.asked;
  told.by_target = attempt.by_target ? 1 : 0;
  told.by_stranger = attempt.by_stranger ? 1 : 0;
  told.by_access = attempt.by_access ? 1 : 0;
  told.unreachable = attempt.unreachable ? 1 : 0;
  told.target = attempt.target;
  told.first_time = attempt.first_time;
  told.last_time = attempt.last_time;
  told.ordinals = attempt.ordinals;
  told.flows = {slot.flow};
  told.is_media = attempt.is_media;
  told.from_nearby = attempt.from_nearby ? 1 : 0;
  if (attempt.by_port_only && outcome != Outcome::answered) {
    if (port_only.size() < AttemptList::limit) port_only.emplace_back(std::move(told), attempt.five_tuple.source);
  } else if (outcome != Outcome::answered && is_of_ice(attempt.step)) {
    ice.add_failure(std::move(told), slot.session, attempt.five_tuple.source, list);
  } else {
    list.add(std::move(told));
  }
  slot.attempt.reset();
}

void Tries::conclude(Slot& slot, Time now) {
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
      if (waited >= udp_patience && attempt.asked >= least_udp_tries) return settle(slot, Stage::udp, Outcome::no_reply);
      break;
    case Phase::greeting_sent:
      if (waited >= udp_patience && attempt.asked >= least_udp_tries) return settle(slot, Stage::tls, Outcome::no_reply);
      break;
    default: break;
  }
  open.erase(attempt.five_tuple);
  slot.attempt.reset();
}

void Tries::note_unanswered_port(const FiveTuple& tuple) {
  if (unanswered_ports.size() >= scanners_limit && !unanswered_ports.contains(tuple.source.address)) return;
  auto& ports = unanswered_ports[tuple.source.address];
  if (ports.size() <= scanned_ports_limit) ports.insert(tuple.destination.port);
}

void Tries::tell_port_only() {
  std::map<std::pair<std::string_view, capture::IpAddress>, int> tried;
  for (const auto& [attempt, source] : port_only) ++tried[{attempt.application, source.address}];
  for (auto& [attempt, source] : port_only) {
    const auto scanned = unanswered_ports.find(source.address);
    if (scanned != unanswered_ports.end() && scanned->second.size() > scanned_ports_limit) continue;
    if (tried[{attempt.application, source.address}] >= 2) list.add(std::move(attempt));
  }
  port_only.clear();
}

}  // namespace callwitness::classify
