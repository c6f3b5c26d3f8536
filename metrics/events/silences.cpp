// Silences of one flow: media that stop coming while we go on sending. docs/methods/cuts.md
#include "metrics/events/interruptions.hpp"

#include "metrics/finding_support.hpp"
#include "metrics/fits/keepalives.hpp"
#include "metrics/statistics.hpp"

#include <algorithm>
#include <cmath>

namespace callwitness::metrics {
namespace {

constexpr double least_silence = 2.5;       ///< seconds: longer than Wi-Fi scans and handovers, shorter than an application's give-up
constexpr double history = 8;               ///< seconds before, in which the flow must have been alive
constexpr std::size_t least_before = 20;    ///< media packets received in them
constexpr double least_sending = 0.4;       ///< share of the usual sending rate kept up during the silence
constexpr double usual_pause = 1.2;         ///< seconds: a far end whose own pauses are longer must be silent for longer still
constexpr double beyond_own_pause = 3;      ///< times its usual longest pause
constexpr double resumes_at = 0.2;          ///< share of the usual rate that is media again: a keep-alive's answer is not
constexpr std::size_t fewest_control_gaps = 3;
constexpr double counts_on = 0.2;           ///< of its usual rate, in its sender reports: it speaks on
constexpr double control_window = 8;        ///< seconds of a silence in which what keeps the path open tells that it lives
constexpr std::size_t fewest_resent = 2;    ///< of our data over TCP, while nothing acknowledges them
constexpr std::size_t most_silences = 200;  ///< of a flow

/// When we sent, and what came of a flow: media, what keeps the path open beside them, and STUN.
struct Times {
  std::vector<double> sent, media, control, stun;
  std::vector<const TracePacket*> media_packets;
};

/// Voice, and not what keeps a path open beside it (STUN, RTCP, pings, acknowledgements).
bool is_media(const FlowObservation& flow, const TracePacket& packet) {
  return flow.tcp ? !packet.is_pure_ack : packet.stream != TracePacket::no_stream;
}

Times times_of(const Observation& observation, const FlowObservation& flow) {
  Times times;
  for (const auto& packet : flow.trace) {
    const double at = capture::seconds(packet.time - observation.first_time);
    if (packet.direction == Direction::sent) {
      times.sent.push_back(at);
    } else if (is_media(flow, packet)) {
      times.media.push_back(at);
      times.media_packets.push_back(&packet);
    } else {
      (packet.is_stun ? times.stun : times.control).push_back(at);
    }
  }
  return times;
}

std::size_t count_in(const std::vector<double>& times, double from, double to) {
  if (to <= from) return 0;
  return static_cast<std::size_t>(std::upper_bound(times.begin(), times.end(), to) - std::upper_bound(times.begin(), times.end(), from));
}

/// Numbers missing between two packets of a stream; nothing where they don't tell. Where a narrow counter's next number
/// comes, none are, however often the time that passed would have it turn.
std::optional<std::int64_t> missing_between(const Observation& observation, const TracePacket& before, const TracePacket& after) {
  const auto& streams = observation.classification->streams;
  if (before.stream != after.stream || before.stream >= streams.size()) return std::nullopt;
  if (before.extended_sequence == TracePacket::no_sequence || after.extended_sequence == TracePacket::no_sequence) return std::nullopt;
  const std::int64_t ahead = std::int64_t{after.extended_sequence} - before.extended_sequence;
  if (ahead <= 0) return std::nullopt;
  return ahead % (std::int64_t{1} << streams[before.stream].sequence_bits) == 1 ? 0 : ahead - 1;
}

/// A counter of eight bits turns too often in a silence to tell how many are missing.
bool has_narrow_counter(const Observation& observation, const TracePacket& packet) {
  constexpr int narrow = 8;
  const auto& streams = observation.classification->streams;
  return packet.stream < streams.size() && streams[packet.stream].sequence_bits <= narrow;
}

/// That it doesn't go on with the next number tells that some are. (SequenceMeter may take the first one then for a stray, or for
/// one that came before.)
bool narrow_counter_jumps(const Observation& observation, const TracePacket& before, const TracePacket& after) {
  if (before.stream != after.stream || !has_narrow_counter(observation, before)) return false;
  if (before.extended_sequence == TracePacket::no_sequence) return false;
  return after.duplicate || after.extended_sequence == TracePacket::no_sequence;
}

/// The same over a silence between media packets `last` and `next`: of the stream that misses most.
std::optional<std::int64_t> missing_over(const Observation& observation, const Times& times, std::size_t last, std::size_t next) {
  std::optional<std::int64_t> most;
  std::vector<std::uint16_t> streams;
  const double from = times.media[last] - history, to = next < times.media.size() ? times.media[next] + history : 0;
  for (std::size_t i = last + 1; i-- > 0 && times.media[i] >= from;) {
    const auto& before = *times.media_packets[i];
    if (std::find(streams.begin(), streams.end(), before.stream) != streams.end()) continue;
    streams.push_back(before.stream);
    for (std::size_t k = next; k < times.media.size() && times.media[k] <= to; ++k) {
      if (times.media_packets[k]->stream != before.stream) continue;
      if (const auto missing = missing_between(observation, before, *times.media_packets[k])) most = std::max(most.value_or(0), *missing);
      break;
    }
  }
  return most;
}

/// How the far end pauses by itself, seconds.
struct OwnPauses {
  double usual = 0;                       ///< the 99.5th percentile of its gaps
  double longest_counted = 0;             ///< the longest over which its numbers go on
  std::optional<double> control;          ///< of what keeps the path open; nothing where there is hardly any
};

OwnPauses pauses_of(const Observation& observation, const Times& times) {
  OwnPauses pauses;
  std::vector<double> gaps;
  for (std::size_t i = 1; i < times.media.size(); ++i) {
    const double gap = times.media[i] - times.media[i - 1];
    gaps.push_back(gap);
    if (gap > usual_pause && missing_between(observation, *times.media_packets[i - 1], *times.media_packets[i]) == 0) pauses.longest_counted = std::max(pauses.longest_counted, gap);
  }
  pauses.usual = quantile(gaps, 0.995);
  std::vector<double> of_control;
  for (std::size_t i = 1; i < times.control.size(); ++i) of_control.push_back(times.control[i] - times.control[i - 1]);
  if (of_control.size() >= fewest_control_gaps) pauses.control = quantile(of_control, 0.9);
  return pauses;
}

/// What keeps the path open went on in the silence: reports, pings, their acknowledgements. Not STUN: a path that answers checks
/// and lets no media through is what is looked for.
bool control_goes_on(const FlowObservation& flow, const Times& times, const OwnPauses& pauses, double from, double to) {
  if (flow.tcp) return count_in(times.control, from + usual_pause, to) > 0;   // whoever acknowledges is there
  const double window = std::min(to - from, std::max(control_window, 3 * pauses.control.value_or(0)));
  const auto came = static_cast<double>(count_in(times.control, from + usual_pause, from + window));
  if (came == 0) return false;
  const double expected = pauses.control && *pauses.control > 0 ? (window - usual_pause) / *pauses.control : 1;
  return came >= 0.5 * std::min(expected, 4.0);
}

/// The far end's sender reports count on through the silence: what it says that it sent since, over what it usually sends.
bool reports_count_on(const Observation& observation, const TracePacket& last, double from, double to, double usual_rate) {
  const auto& streams = observation.classification->streams;
  if (last.stream >= streams.size() || !streams[last.stream].ssrc) return false;
  const auto found = observation.sender_reports.find(*streams[last.stream].ssrc);
  if (found == observation.sender_reports.end()) return false;
  const classify::SenderReport *first = nullptr, *newest = nullptr;
  for (const auto& report : found->second) {
    const double at = capture::seconds(report.time - observation.first_time);
    if (at < from || at > to) continue;
    if (first == nullptr) first = &report;
    newest = &report;
  }
  if (first == nullptr || newest == first) return false;
  const double elapsed = capture::seconds(newest->time - first->time);
  return elapsed > 0 && static_cast<double>(newest->packets - first->packets) >= counts_on * usual_rate * elapsed && newest->packets - first->packets < 0x80000000u;
}

bool keeps_sending(const FlowObservation& flow, const Observation& observation, const Times& times, double from) {
  const double since = std::max(from - history, times.sent.front());
  const double before = static_cast<double>(count_in(times.sent, since, from)) / std::max(1.0, from - since);
  const double during = static_cast<double>(count_in(times.sent, from + 0.3, from + least_silence)) / (least_silence - 0.3);
  if (before >= 2 && during >= least_sending * before && count_in(times.sent, from, 1e12) >= 5 && times.sent.back() >= from + least_silence) return true;
  if (!flow.tcp) return false;
  // TCP waits for acknowledgements: what it sends again, ever more rarely, tells that it would go on.
  std::size_t resent = 0;
  for (const auto& loss : flow.tcp->losses) {
    const double at = capture::seconds(loss.time - observation.first_time);
    resent += loss.direction == Direction::sent && at > from && at < from + 30 ? 1 : 0;
  }
  return resent >= fewest_resent && times.sent.back() >= from + least_silence;
}

/// Index of the media packet with which media come again at something like their usual rate; the size: never.
std::size_t resumption(const Times& times, std::size_t after, double usual_rate) {
  std::size_t next = after;
  while (next < times.media.size()) {
    const auto again = count_in(times.media, times.media[next] - 1e-9, times.media[next] + least_silence);
    if (static_cast<double>(again) >= std::max(2.0, resumes_at * usual_rate * least_silence)) return next;
    next = static_cast<std::size_t>(std::upper_bound(times.media.begin(), times.media.end(), times.media[next] + least_silence) - times.media.begin());
  }
  return next;
}

bool ended_politely(const Observation& observation, const FlowObservation& flow, Interruption& cut) {
  const auto goodbye = goodbye_near(observation, flow, cut.start, cut.end);
  if (!goodbye) return false;
  if (*goodbye <= cut.start + prompt_goodbye) return true;
  cut.goodbye_after_s = *goodbye - cut.start;
  return false;
}

}  // namespace

std::vector<Interruption> silences_of(const Observation& observation, const FlowObservation& flow) {
  std::vector<Interruption> found;
  if (flow.trace.size() < 2 * least_before) return found;
  const auto times = times_of(observation, flow);
  if (times.media.size() < least_before || times.sent.size() < least_before) return found;
  const auto pauses = pauses_of(observation, times);
  const double shortest = pauses.usual > usual_pause ? std::max(least_silence, beyond_own_pause * pauses.usual) : least_silence;
  const double end_of_capture = capture::seconds(observation.last_time - observation.first_time);
  for (std::size_t i = 0; i < times.media.size() && found.size() < most_silences;) {
    const std::size_t here = i++;
    const double from = times.media[here], gap = (i < times.media.size() ? times.media[i] : end_of_capture) - from;
    if (gap < shortest) continue;
    const auto lately = count_in(times.media, from - history, from);
    if (lately < least_before) continue;
    const double usual_rate = static_cast<double>(lately) / std::min(history, std::max(1.0, from - times.media.front()));
    const std::size_t next = resumption(times, i, usual_rate);
    const bool last = next >= times.media.size();
    const double to = last ? end_of_capture : times.media[next];
    i = std::max(i, next);
    const bool far_end_sends = !flow.tcp && reports_count_on(observation, *times.media_packets[here], from, to, usual_rate);
    if ((!far_end_sends && control_goes_on(flow, times, pauses, from, to)) || on_hold_at(observation, flow, from)) continue;
    const auto missing = flow.tcp || last ? std::nullopt : missing_over(observation, times, here, next);
    // As few missing as this: whoever never pauses for longer sent nothing.
    if (missing && static_cast<double>(*missing + 1) < (to - from) / std::max(usual_pause, pauses.usual)) continue;
    // At the end no next packet tells: a talker who pauses that long now and then may be pausing.
    if (last && pauses.longest_counted >= usual_pause && std::min(to, times.sent.back()) - from < 2 * pauses.longest_counted) continue;
    if (!keeps_sending(flow, observation, times, from)) continue;
    Interruption cut;
    cut.kind = flow.tcp ? Interruption::Kind::tcp_silence : Interruption::Kind::udp_silence;
    cut.flow = flow.flow.id;
    cut.call = flow.call;
    cut.start = from;
    cut.end = last ? std::max(times.sent.back(), from + least_silence) : to;
    cut.resumed = !last;
    cut.far_end_sends = far_end_sends;
    cut.path_alive = far_end_sends || count_in(times.stun, from + usual_pause, to) > 0;
    // What acknowledges nothing of what we send is dead; so is what swallows numbers, or a keep-alive.
    const auto& before = *times.media_packets[here];
    const bool jumps = !last && narrow_counter_jumps(observation, before, *times.media_packets[next]);
    const bool narrow = missing && has_narrow_counter(observation, before);
    const bool swallowed = missing && static_cast<double>(*missing + 1) >= (to - from) / std::max(pauses.usual, 1e-3);
    cut.lost = !last && !cut.path_alive && (flow.tcp || jumps || narrow || swallowed || keepalive_missed(flow, before.time, times.media_packets[next]->time));
    cut.ordinal = before.ordinal;
    if (last && ended_politely(observation, flow, cut)) continue;
    found.push_back(cut);
  }
  return found;
}

std::optional<Interruption> early_death_of(const Observation& observation, const FlowObservation& flow) {
  constexpr std::uint64_t least_received = 2, least_after = 8;
  constexpr double longest_ago = 120;         // seconds: what had lived for longer is the other function's
  constexpr double soon = 6;                  // seconds until we go on
  const auto sent = static_cast<std::size_t>(Direction::sent), received = static_cast<std::size_t>(Direction::received);
  const auto &theirs = flow.ends[received], &ours = flow.ends[sent];
  if (!observation.local_known || application_of(observation, flow).empty() || theirs.packets[received] < least_received || ours.packets[sent] == 0) return std::nullopt;
  const auto times = times_of(observation, flow);
  // What has lived long enough to have a usual rate is judged by that.
  if (!flow.tcp && times.media.size() >= 2 * least_before) return std::nullopt;
  const double at = capture::seconds(theirs.last - observation.first_time), until = capture::seconds(ours.last - observation.first_time);
  const double lived = capture::seconds(theirs.last - flow.flow.first_time);
  const std::uint64_t after = ours.packets[sent] - std::min(ours.packets[sent], theirs.packets[sent]);
  if (lived > longest_ago || until - at < least_silence || on_hold_at(observation, flow, at)) return std::nullopt;
  if (flow.tcp) {
    std::size_t resent = 0;
    double first = 1e300;
    for (const auto& loss : flow.tcp->losses) {
      const double when = capture::seconds(loss.time - observation.first_time);
      if (loss.direction != Direction::sent || when <= at) continue;
      ++resent;
      first = std::min(first, when);
    }
    // An idle connection that a NAT forgot has its silence before the sending.
    if (resent < fewest_resent || first > at + soon || flow.flow.ended_by == classify::Ending::rst) return std::nullopt;
  } else {
    // Somebody who speaks on; a check of a path that nobody chose, or of one that was given up, is not that.
    std::size_t spoken[2] = {0, 0};   // at once, and later
    for (const auto& packet : flow.trace) {
      const double since = capture::seconds(packet.time - observation.first_time) - at;
      if (packet.direction == Direction::sent && packet.stream != TracePacket::no_stream && since > 0) ++spoken[since > usual_pause ? 1 : 0];
    }
    if (after < least_after || spoken[0] == 0 || spoken[1] == 0) return std::nullopt;
  }
  Interruption cut;
  cut.kind = flow.tcp ? Interruption::Kind::tcp_silence : Interruption::Kind::udp_silence;
  cut.flow = flow.flow.id;
  cut.call = flow.call;
  cut.start = at;
  cut.end = until;
  cut.young = true;
  cut.ordinal = 0;
  for (const auto& packet : flow.trace)
    if (packet.direction == Direction::received && packet.time <= theirs.last) cut.ordinal = packet.ordinal;
  if (ended_politely(observation, flow, cut)) return std::nullopt;
  return cut;
}

}  // namespace callwitness::metrics
