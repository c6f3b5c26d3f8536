#include "metrics/interruptions.hpp"

#include "metrics/contrast.hpp"
#include "metrics/finding_support.hpp"
#include "metrics/fits/keepalives.hpp"
#include "metrics/parallel.hpp"
#include "metrics/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace callwitness::metrics {
namespace {

constexpr double least_silence = 2.5;       ///< seconds: longer than Wi-Fi scans and handovers, shorter than an application's give-up
constexpr double history = 8;               ///< seconds before, in which the flow must have been alive
constexpr std::size_t least_before = 20;    ///< packets received in them
constexpr double least_sending = 0.4;       ///< share of the usual sending rate kept up during the silence
constexpr double usual_pause = 1.2;         ///< seconds: a flow whose own pauses are longer has no telling silence
constexpr std::size_t fewest_control_gaps = 3;
constexpr double long_for_control = 2;      ///< times the usual pause of what keeps the path open: that died as well
constexpr double longest_redial = 60;       ///< seconds: later is another call
constexpr double same_event = 8;            ///< seconds: flows of one host that die together
// People who hang up and redial (uptimes log-normal, sigma 0.5) seldom keep a beat this well by chance.
constexpr double widest_of_two = 0.01, widest_of_three = 0.02, widest_of_four = 0.04, widest_of_more = 0.08;   ///< gaps
constexpr double widest_with_missed = 0.02;  ///< multiples fit by chance more easily
constexpr double widest_of_two_to_mention = 0.025;   ///< two gaps this even are chance once in twenty: told, no more

/// When we sent, and what came of a flow: all of it, and its media.
struct Times {
  std::vector<double> sent, received, media;
  std::vector<const TracePacket*> received_packets, media_packets;
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
      continue;
    }
    times.received.push_back(at);
    times.received_packets.push_back(&packet);
    if (!is_media(flow, packet)) continue;
    times.media.push_back(at);
    times.media_packets.push_back(&packet);
  }
  return times;
}

std::size_t count_in(const std::vector<double>& times, double from, double to) {
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

/// The same over a silence that begins after media packet `last`: of the stream that misses most.
std::optional<std::int64_t> missing_over(const Observation& observation, const Times& times, std::size_t last) {
  std::optional<std::int64_t> most;
  std::vector<std::uint16_t> streams;
  const double from = times.media[last] - history, to = last + 1 < times.media.size() ? times.media[last + 1] + history : 0;
  for (std::size_t i = last + 1; i-- > 0 && times.media[i] >= from;) {
    const auto& before = *times.media_packets[i];
    if (std::find(streams.begin(), streams.end(), before.stream) != streams.end()) continue;
    streams.push_back(before.stream);
    for (std::size_t k = last + 1; k < times.media.size() && times.media[k] <= to; ++k) {
      if (times.media_packets[k]->stream != before.stream) continue;
      if (const auto missing = missing_between(observation, before, *times.media_packets[k])) most = std::max(most.value_or(0), *missing);
      break;
    }
  }
  return most;
}

/// How long it usually stays silent at most, of what keeps the path open; nothing where there is hardly any.
std::optional<double> control_pause(const FlowObservation& flow, const Times& times) {
  std::vector<double> gaps;
  std::optional<double> before;
  for (std::size_t i = 0; i < times.received.size(); ++i) {
    if (is_media(flow, *times.received_packets[i])) continue;
    if (before) gaps.push_back(times.received[i] - *before);
    before = times.received[i];
  }
  if (gaps.size() < fewest_control_gaps) return std::nullopt;
  return quantile(gaps, 0.9);
}

void add_silences(const Observation& observation, const FlowObservation& flow, std::vector<Interruption>& found) {
  const auto times = times_of(observation, flow);
  if (times.media.size() < least_before || times.sent.size() < least_before) return;
  std::vector<double> gaps;
  for (std::size_t i = 1; i < times.media.size(); ++i) gaps.push_back(times.media[i] - times.media[i - 1]);
  const double own_pause = quantile(gaps, 0.995);
  if (own_pause > usual_pause) return;
  double longest_pause = 0;                   // of the talker's own
  for (std::size_t i = 1; i < times.media.size(); ++i)
    if (times.media[i] - times.media[i - 1] > usual_pause && missing_between(observation, *times.media_packets[i - 1], *times.media_packets[i]) == 0)
      longest_pause = std::max(longest_pause, times.media[i] - times.media[i - 1]);
  const auto control = control_pause(flow, times);
  const double end_of_capture = capture::seconds(observation.last_time - observation.first_time);
  for (std::size_t i = 0; i < times.received.size(); ++i) {
    const double from = times.received[i];
    const bool last = i + 1 == times.received.size();
    const double to = last ? end_of_capture : times.received[i + 1];
    if (to - from < least_silence || count_in(times.media, from - history, from) < least_before) continue;
    const auto next = static_cast<std::size_t>(std::upper_bound(times.media.begin(), times.media.end(), from) - times.media.begin());   // media packet after the silence
    if (next == 0) continue;   // where a clock stepped back
    // Something else still came after the last of the media, or comes before the next: the path lives, the far end is silent.
    if (from - times.media[next - 1] > usual_pause) continue;
    const bool media_follows = next < times.media.size() && times.media[next] - to <= usual_pause;
    if (!last && !media_follows && !flow.tcp && control && to - from < long_for_control * *control) continue;
    const auto missing = flow.tcp || next == times.media.size() ? std::nullopt : missing_over(observation, times, next - 1);
    // As few missing as this: whoever never pauses for longer sent nothing.
    if (missing && static_cast<double>(*missing + 1) < (to - from) / usual_pause) continue;
    // At the end no next packet tells: a talker who pauses that long now and then may be pausing.
    if (last && longest_pause >= usual_pause && std::min(to, times.sent.back()) - from < 2 * longest_pause) continue;
    const double before = static_cast<double>(count_in(times.sent, from - history, from)) / std::min(history, std::max(1.0, from - times.sent.front()));
    const double during = static_cast<double>(count_in(times.sent, from + 0.3, from + least_silence)) / (least_silence - 0.3);
    if (before < 2 || during < least_sending * before || closed_politely(observation, flow, from)) continue;
    Interruption cut;
    cut.kind = flow.tcp ? Interruption::Kind::tcp_silence : Interruption::Kind::udp_silence;
    cut.flow = flow.flow.id;
    cut.call = flow.call;
    cut.start = from;
    cut.end = last ? std::max(times.sent.back(), from + least_silence) : to;
    cut.resumed = !last;
    // What acknowledges nothing of what we send is dead; so is what swallows numbers, or a keep-alive.
    const bool jumps = next < times.media.size() && narrow_counter_jumps(observation, *times.media_packets[next - 1], *times.media_packets[next]);
    const bool narrow = missing && has_narrow_counter(observation, *times.media_packets[next - 1]);
    cut.lost = !last && (flow.tcp || jumps || narrow || (missing && static_cast<double>(*missing + 1) >= (to - from) / own_pause) ||
                         keepalive_missed(flow, times.received_packets[i]->time, times.received_packets[i + 1]->time));
    cut.ordinal = times.received_packets[i]->ordinal;
    found.push_back(cut);
  }
}

/// When the flow began or came back before `at`; nothing where that was before the capture.
std::optional<double> uptime_at(const Observation& observation, const FlowObservation& flow, const std::vector<Interruption>& before, double at) {
  constexpr double capture_begins = 0.5;   // seconds
  double since = capture::seconds(flow.flow.first_time - observation.first_time);
  const bool known = since > capture_begins;
  bool back = false;
  for (const auto& cut : before)
    if (cut.flow == flow.flow.id && cut.end <= at) since = cut.end, back = true;
  return known || back ? std::optional(at - since) : std::nullopt;
}

}  // namespace

bool closed_politely(const Observation& observation, const FlowObservation& flow, double at) {
  const auto polite = [](classify::Ending ending) {
    using enum classify::Ending;
    return ending == bye || ending == fin || ending == close_notify || ending == rtcp_bye;
  };
  if (polite(flow.flow.ended_by) && std::abs(capture::seconds(flow.flow.last_time - observation.first_time) - at) < 10) return true;
  if (!flow.call || static_cast<std::size_t>(*flow.call) >= observation.classification->calls.size()) return false;
  for (const auto& part : observation.classification->calls[static_cast<std::size_t>(*flow.call)].parts) {
    if (!polite(part.ended_by) || std::find(part.flows.begin(), part.flows.end(), flow.flow.id) == part.flows.end()) continue;
    if (std::abs(capture::seconds(part.last_time - observation.first_time) - at) < 6) return true;
  }
  return false;
}

/// Name queries and connections begun between the two times by whoever else, that nobody answered then: too small to be
/// kept as flows, and yet the line is dead. (What an application sends about when it looks for a new path is no such sign.)
std::size_t unanswered_between(const Observation& observation, const FlowObservation& own, double from, double to) {
  constexpr std::uint16_t name_service = 53;
  constexpr auto late = std::chrono::seconds(2);
  std::size_t count = 0;
  for (const auto& flow : observation.classification->flows) {
    const auto& tuple = flow.five_tuple;
    const bool query = tuple.protocol == capture::protocol::udp && tuple.destination.port == name_service;
    const double began = capture::seconds(flow.first_time - observation.first_time);
    if (!(query || tuple.protocol == capture::protocol::tcp) || began < from || began > to) continue;
    FlowObservation other;
    other.flow = flow;
    other.forward = Direction::sent;   // who begins a query or a connection in a dead hour is our end
    if (same_party(other, own)) continue;
    count += flow.backward.packets == 0 || (query && flow.last_time - flow.first_time >= late) ? 1 : 0;
  }
  return count;
}

Company company_of(const Observation& observation, const FlowObservation& own, double from, double to) {
  double received = 0, sent = 0;
  for (const auto& flow : observation.flows) {
    if (same_party(flow, own)) continue;
    const double offset = capture::seconds(flow.bytes.start - observation.first_time);
    const auto sum = [&](const std::vector<std::uint32_t>& series, double& into) {
      for (std::size_t i = 0; i < series.size(); ++i) {
        const double at = offset + static_cast<double>(i);
        if (series[i] > 0 && at >= from && at + 1 <= to + 0.5) into += 1;
      }
    };
    sum(flow.bytes.received, received);
    sum(flow.bytes.sent, sent);
  }
  using enum Interruption::Others;
  if (received > 0) return {alive, received};
  // A single second with something sent may be the tail of a connection that ended.
  return {sent > 1 || unanswered_between(observation, own, from, to) > 0 ? dead : absent, received};
}

/// Seconds from our end's last packet to the next media of that party.
std::optional<double> redialled_after(const Observation& observation, const FlowObservation& own, const Interruption& cut) {
  std::optional<double> soonest;
  for (const auto& flow : observation.classification->flows) {
    if (flow.id == own.flow.id) continue;
    const double began = capture::seconds(flow.first_time - observation.first_time);
    if (began <= cut.start || began > cut.end + longest_redial || (soonest && began - cut.end >= *soonest)) continue;
    const auto* other = find_flow(observation, flow.id);
    if (other != nullptr && (other->call || flow.role == classify::Role::media) && same_party(*other, own)) soonest = began - cut.end;
  }
  return soonest;
}

std::vector<Interruption> interruptions_of(const Observation& observation) {
  std::vector<std::vector<Interruption>> silences(observation.flows.size());
  for_each_index(silences.size(), [&](std::size_t i) {
    const auto& flow = observation.flows[i];
    if (flow.trace.size() >= 2 * least_before) add_silences(observation, flow, silences[i]);
  });
  std::vector<Interruption> found;
  for (const auto& some : silences) found.insert(found.end(), some.begin(), some.end());
  for (const auto& reset : observation.classification->resets) {
    const auto* flow = find_flow(observation, reset.flow);
    if (flow == nullptr || reset.closing || reset.bad_checksum || reset.after_client_hello) continue;
    // The flow of a call, or one to the host that holds one (its control connection).
    const bool voice = flow->call || flow->flow.role == classify::Role::media ||
                       std::any_of(observation.flows.begin(), observation.flows.end(), [&](const FlowObservation& other) { return other.call && same_party(*flow, other); });
    if (!voice || flow->flow.forward.packets + flow->flow.backward.packets < least_before) continue;
    Interruption cut;
    cut.kind = Interruption::Kind::tcp_reset;
    cut.flow = reset.flow;
    cut.call = flow->call;
    cut.start = cut.end = capture::seconds(reset.time - observation.first_time);
    cut.end += 1;
    cut.ordinal = static_cast<std::uint32_t>(reset.ordinal);
    found.push_back(cut);
  }
  std::sort(found.begin(), found.end(), [](const Interruption& a, const Interruption& b) { return a.start < b.start; });
  std::vector<Interruption> merged;
  for (auto& cut : found) {
    const auto* flow = find_flow(observation, cut.flow);
    const bool again = std::any_of(merged.begin(), merged.end(), [&](const Interruption& other) {
      const auto* theirs = find_flow(observation, other.flow);
      return cut.start - other.start < same_event && flow != nullptr && theirs != nullptr && same_party(*flow, *theirs);
    });
    if (again || flow == nullptr) continue;
    const auto company = company_of(observation, *flow, cut.start + 0.5, std::max(cut.start + 2, std::min(cut.end - 0.5, cut.start + 10)));
    cut.others = company.others;
    cut.others_received = company.seconds_received;
    cut.uptime = uptime_at(observation, *flow, merged, cut.start);
    if (!cut.resumed) cut.redialled_s = redialled_after(observation, *flow, cut);
    merged.push_back(cut);
  }
  return merged;
}

std::optional<Period> period_of(const std::vector<double>& times) {
  std::vector<double> gaps;
  for (std::size_t i = 1; i < times.size(); ++i) gaps.push_back(times[i] - times[i - 1]);
  return period_of_gaps(gaps, times.size());
}

std::optional<Period> period_of_gaps(const std::vector<double>& gaps, std::size_t cuts) {
  if (cuts < 3 || gaps.size() < 2) return std::nullopt;
  const double shortest = *std::min_element(gaps.begin(), gaps.end());
  if (shortest < 5) return std::nullopt;
  // Missed beats lengthen a gap to a multiple. The shortest gaps are the period itself.
  double base = 0, beats = 0, squares = 0;
  std::size_t single = 0;
  for (const double gap : gaps)
    if (gap < 1.4 * shortest) base += gap, ++single;
  base /= static_cast<double>(single);
  for (int round = 0; round < 2; ++round) {
    double total = 0;
    beats = 0;
    for (const double gap : gaps) {
      const double k = std::round(gap / base);
      if (k < 1 || k > 3) return std::nullopt;
      beats += k;
      total += gap;
    }
    base = total / beats;
  }
  for (const double gap : gaps) {
    const double residual = gap - std::round(gap / base) * base;
    squares += residual * residual;
  }
  Period period;
  period.period = base;
  period.cuts = cuts;
  period.missed = static_cast<std::size_t>(beats) - gaps.size();
  period.deviation = std::sqrt(squares / static_cast<double>(gaps.size())) / base;
  if (2 * single < gaps.size()) return std::nullopt;
  if (period.missed > 0 && (cuts < 5 || period.deviation > widest_with_missed || 2 * period.missed > gaps.size())) return std::nullopt;
  const auto beat_count = gaps.size();
  const double limit = beat_count >= 5 ? widest_of_more : beat_count == 4 ? widest_of_four : beat_count == 3 ? widest_of_three : widest_of_two_to_mention;
  if (period.deviation > limit) return std::nullopt;
  period.strict = beat_count >= 3 || period.deviation <= widest_of_two;
  period.firm = cuts >= 4 || period.deviation <= widest_of_two;
  const double half = std::max(0.002, 2 * period.deviation / std::sqrt(static_cast<double>(gaps.size()))) * base;
  period.low = base - half;
  period.high = base + half;
  return period;
}

}  // namespace callwitness::metrics
