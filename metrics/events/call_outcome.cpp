#include "metrics/events/call_outcome.hpp"

#include "metrics/contrast.hpp"

#include <algorithm>

namespace callwitness::metrics {
namespace {

constexpr std::uint64_t least_sent = 100;      ///< media packets: a few seconds of voice
constexpr double least_spoken = 5;             ///< seconds
constexpr double still_running = 3;            ///< seconds before the capture's end in which a call that goes on was heard
constexpr std::size_t fewest_reports = 3;
constexpr std::size_t most_asked = 100;        ///< calls whose far end's sender reports are looked through
constexpr double least_reported = 8;           ///< seconds over which the peer says that nothing came

double at_of(const Observation& observation, Time time) { return capture::seconds(time - observation.first_time); }

/// One direction of a call's media.
struct Heard {
  std::uint64_t packets = 0;
  double first = 1e300, last = -1e300;         ///< seconds
  double spoken() const { return packets == 0 ? 0 : last - first; }
};

struct Media { Heard heard[2]; };

std::vector<Media> media_of(const Observation& observation) {
  std::vector<Media> calls(observation.classification->calls.size());
  const auto& streams = observation.classification->streams;
  for (const auto& flow : observation.flows) {
    for (const auto& packet : flow.trace) {
      if (packet.stream >= streams.size()) continue;
      const auto& call = streams[packet.stream].call;
      if (!call || static_cast<std::size_t>(*call) >= calls.size()) continue;
      auto& heard = calls[static_cast<std::size_t>(*call)].heard[static_cast<std::size_t>(packet.direction)];
      const double at = at_of(observation, packet.time);
      ++heard.packets;
      heard.first = std::min(heard.first, at);
      heard.last = std::max(heard.last, at);
    }
  }
  return calls;
}

/// Media for many, or for nobody: what is sent there is never answered.
bool to_many(const classify::Call& call) { return call.remote_endpoint.address.is_multicast() || call.signalling == classify::Signalling::rtsp; }

void count_until(const Observation& observation, const classify::Call& call, double at, CallOutcome& outcome) {
  for (const auto id : call.flows) {
    const auto* flow = find_flow(observation, id);
    if (flow == nullptr || !flow->call || *flow->call != call.id || flow->flow.role == classify::Role::signalling || at_of(observation, flow->flow.first_time) > at) continue;
    const auto amount = amount_at(observation, *flow, at);
    outcome.packets[static_cast<std::size_t>(Direction::sent)] += amount.packets_up;
    outcome.packets[static_cast<std::size_t>(Direction::received)] += amount.packets_down;
    outcome.bytes[static_cast<std::size_t>(Direction::sent)] += amount.bytes_up;
    outcome.bytes[static_cast<std::size_t>(Direction::received)] += amount.bytes_down;
  }
}

/// One way from the beginning: we speak, and nothing comes, and nobody had said that nothing would.
bool nothing_came(const classify::Call& call, const Media& media) {
  const auto &sent = media.heard[0], &received = media.heard[1];
  return received.packets == 0 && sent.packets >= least_sent && sent.spoken() >= least_spoken && !to_many(call) && call.announced.holds.empty();
}

/// The interruption that ended the call, if one did: after the last media that came.
const Interruption* fatal(std::span<const Interruption> cuts, const Media& media) {
  const Interruption* last = nullptr;
  for (const auto& cut : cuts)
    if (!cut.resumed && media.heard[1].last <= cut.start + 0.5 && (last == nullptr || cut.start > last->start)) last = &cut;
  return last;
}

/// Packets that the far end of the call says it has sent from `from` on (sender reports of what nothing came of).
std::uint64_t sent_by_far_end(const Observation& observation, const classify::Call& call, double from) {
  std::uint64_t most = 0;
  for (const auto& [ssrc, reports] : observation.sender_reports) {
    const classify::SenderReport *first = nullptr, *last = nullptr;
    for (const auto& report : reports) {
      if (at_of(observation, report.time) < from) continue;
      const auto* flow = find_flow(observation, report.flow);
      if (flow == nullptr || remote_address(*flow) != call.remote_endpoint.address || report.time > call.end_time + std::chrono::seconds(5)) continue;
      if ((report.way == classify::Way::forward) == (flow->forward == Direction::sent)) continue;   // our own
      if (first == nullptr) first = &report;
      last = &report;
    }
    if (first != nullptr && last->packets - first->packets < 0x80000000u) most = std::max<std::uint64_t>(most, last->packets - first->packets);
  }
  return most;
}

}  // namespace

std::string_view name_of(CallOutcome::Kind kind) {
  static constexpr std::string_view names[] = {"completed", "one_way", "died", "never_answered", "declined", "moved", "open"};
  return names[static_cast<std::size_t>(kind)];
}

std::optional<double> unheard_from(const Observation& observation, const StreamObservation& stream) {
  const auto& reports = stream.reports;
  if (stream.direction != Direction::sent || reports.size() < fewest_reports || stream.packets < least_sent) return std::nullopt;
  // The highest number that the peer has seen stands still while we go on.
  std::size_t since = reports.size() - 1;
  while (since > 0 && reports[since - 1].highest_sequence == reports.back().highest_sequence) --since;
  const double from = at_of(observation, reports[since].time), to = at_of(observation, reports.back().time);
  return reports.size() - since >= fewest_reports && to - from >= least_reported ? std::optional(from) : std::nullopt;
}

std::vector<CallOutcome> outcomes_of(const Observation& observation, std::span<const Interruption> interruptions) {
  const auto& calls = observation.classification->calls;
  const auto media = media_of(observation);
  const double end = at_of(observation, observation.last_time);
  std::vector<std::vector<Interruption>> cuts(calls.size());
  for (const auto& cut : interruptions)
    if (cut.call && static_cast<std::size_t>(*cut.call) < cuts.size()) cuts[static_cast<std::size_t>(*cut.call)].push_back(cut);
  std::vector<CallOutcome> outcomes;
  std::size_t asked = 0;
  const auto told_to_have_sent = [&](const classify::Call& call, double from) -> std::uint64_t { return asked++ < most_asked ? sent_by_far_end(observation, call, from) : 0; };
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const auto& call = calls[i];
    const auto &sent = media[i].heard[0], &received = media[i].heard[1];
    const double begin = at_of(observation, call.start_time);
    CallOutcome outcome;
    outcome.call = call.id;
    const auto stopped = [&](CallOutcome::Kind kind, double at) {
      outcome.kind = kind;
      outcome.after_s = std::max(0.0, at - begin);
      outcome.silent_s = std::max(0.0, sent.last - at);
      count_until(observation, call, received.packets == 0 ? end : at, outcome);
    };
    const Interruption* ended = fatal(cuts[i], media[i]);
    outcome.interruptions = cuts[i].size() - (ended != nullptr ? 1 : 0);
    if (call.announced.refused && !call.announced.answered) {
      outcome.kind = CallOutcome::Kind::declined;
    } else if (observation.local_known && nothing_came(call, media[i])) {
      stopped(CallOutcome::Kind::one_way, begin);
      outcome.missing = Direction::received;
      outcome.far_end_sent = told_to_have_sent(call, begin);
    } else if (ended != nullptr) {
      // Media alone that stop while the path still answers: one way from then on.
      stopped(ended->path_alive ? CallOutcome::Kind::one_way : CallOutcome::Kind::died, ended->start);
      if (ended->path_alive) outcome.missing = Direction::received, outcome.far_end_sent = told_to_have_sent(call, ended->start);
      outcome.hung_up_after_s = ended->goodbye_after_s;
    } else if (std::any_of(cuts[i].begin(), cuts[i].end(), [](const Interruption& cut) { return !cut.resumed; })) {
      const auto first = std::find_if(cuts[i].begin(), cuts[i].end(), [](const Interruption& cut) { return !cut.resumed; });
      outcome.kind = CallOutcome::Kind::moved;
      outcome.after_s = first->start - begin;
    } else if (call.ended_by == classify::Ending::capture_end && std::max(sent.last, received.last) >= end - still_running) {
      outcome.kind = CallOutcome::Kind::open;
    }
    if (outcome.kind == CallOutcome::Kind::completed || outcome.kind == CallOutcome::Kind::open)
      for (const auto id : call.streams) {
        if (static_cast<std::size_t>(id) >= observation.streams.size()) continue;
        const auto from = unheard_from(observation, observation.streams[static_cast<std::size_t>(id)]);
        if (!from) continue;
        stopped(CallOutcome::Kind::one_way, *from);
        outcome.silent_s = 0;
        outcome.missing = Direction::sent;
        outcome.by_reports = true;
        break;
      }
    outcomes.push_back(outcome);
  }
  return outcomes;
}

bool may_be_clean(const CallOutcome& outcome) {
  return outcome.kind == CallOutcome::Kind::completed || outcome.kind == CallOutcome::Kind::open || outcome.kind == CallOutcome::Kind::declined;
}

}  // namespace callwitness::metrics
