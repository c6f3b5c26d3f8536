#include "metrics/quality.hpp"

#include "metrics/contrast.hpp"
#include "metrics/finding_support.hpp"
#include "metrics/paths/readable_losses.hpp"
#include "metrics/statistics.hpp"
#include "metrics/verdict_thresholds.hpp"

#include <algorithm>
#include <cmath>

namespace callwitness::metrics {
namespace {

constexpr double times_by_cadence = 5;                            ///< empty places of what we receive, against what we send
constexpr double fewest_off_grid = 0.5, most_off_grid = 0.95;     ///< of the packets that we send; fewer still are another codec's

/// Places left empty on a steady sender's grid. Our own sending in the same flow shows what the application leaves empty by itself.
void add_by_cadence(const Arm& arm, std::span<const Arm> arms, Quality& quality) {
  if (!arm.whole_flow || arm.source == LossSource::sequence || arm.packets.size() < fewest_packets) return;
  const auto own = std::find_if(arms.begin(), arms.end(), [&](const Arm& other) {
    return other.whole_flow && other.flow == arm.flow && other.direction != arm.direction && other.source == LossSource::cadence && other.packets.size() >= fewest_packets;
  });
  if (own == arms.end()) return;
  const auto count = [](const Arm& of) { return static_cast<double>(of.packets.size()); };
  if (arm.source == LossSource::cadence) {
    quality.by_cadence = true;
    // A late packet leaves its own place empty and is one too many where it comes.
    const double places = own->duration() > 0 ? count(*own) * arm.duration() / own->duration() : count(arm);
    const double lost = static_cast<double>(arm.lost) - std::max(0.0, count(arm) - places);
    const double empty = lost / count(arm), usual = static_cast<double>(own->lost) / count(*own);
    if (empty >= least_by_cadence && empty >= times_by_cadence * usual) quality.worst_loss = std::max(quality.worst_loss, empty - usual);
  } else if (const double share = count(arm) / count(*own); share >= fewest_off_grid && share <= most_off_grid) {
    // Fewer than we send, and off any grid: a queue holds them up and drops.
    quality.worst_loss = std::max(quality.worst_loss, 1 - share);
  }
}

/// Our machine sent something in most seconds between the two times: it was awake.
bool is_awake(const Observation& observation, Time from, Time to) {
  const auto& sent = observation.total.sent;
  const double start = std::ceil(capture::seconds(from - observation.total.start)), end = std::floor(capture::seconds(to - observation.total.start));
  if (!(start >= 0) || end <= start || end > static_cast<double>(sent.size())) return true;   // less than a whole second: nobody slept
  const auto first = sent.begin() + static_cast<std::ptrdiff_t>(start), last = sent.begin() + static_cast<std::ptrdiff_t>(end);
  return 2 * std::count_if(first, last, [](std::uint32_t bytes) { return bytes > 0; }) >= last - first;
}

/// Of the stream's silences in which about as many numbers are missing as its usual rate would have sent; a counter that jumps misses
/// numbers without time, a talker who pauses time without numbers, a machine that sleeps everything.
double longest_outage(const Observation& observation, const StreamObservation& stream, const StreamMeasures& measure) {
  constexpr double least_share = 0.5, most_share = 2;
  const double seconds = capture::seconds(measure.end_time - measure.start_time);
  if (!stream.expected || seconds <= 0 || stream.packets == 0) return 0;
  const double rate = static_cast<double>(*stream.expected) / seconds;
  double longest = 0;
  for (const auto& gap : stream.gaps) {
    const double silence = capture::seconds(gap.after - gap.before), due = rate * silence;
    if (gap.count >= least_share * due && gap.count <= most_share * due && silence > longest && is_awake(observation, gap.before, gap.after)) longest = std::max(longest, silence);
  }
  return longest;
}

void add_arm(const Arm& arm, Quality& quality) {
  if (!arm.whole_flow || arm.source != LossSource::sequence || arm.packets.size() < fewest_packets) return;
  quality.numbered += arm.packets.size();
  quality.worst_loss = std::max(quality.worst_loss, static_cast<double>(arm.lost) / static_cast<double>(arm.packets.size()));
  double from = arm.packets.front().time, seen = 0, lost = 0;
  for (const auto& packet : arm.packets) {
    if (packet.time >= from + 10) {
      if (seen >= 100) quality.worst_window = std::max(quality.worst_window, lost / seen);
      from = packet.time;
      seen = lost = 0;
    }
    seen += 1;
    lost += packet.lost ? 1 : 0;
  }
}

/// A call inside a VPN can't be seen, yet its steady two-way traffic can be judged for interruptions.
void add_tunnels(const Observation& observation, std::optional<CallId> call, Quality& quality) {
  constexpr double steady = 0.9;                // share of its seconds in which a tunnel carries something both ways
  constexpr std::size_t shortest = 30;
  for (const auto& flow : observation.flows) {
    if (flow.flow.role != classify::Role::tunnel || (call && flow.call != call)) continue;
    std::size_t both = 0;
    const std::size_t size = std::min(flow.bytes.sent.size(), flow.bytes.received.size());
    for (std::size_t i = 0; i < size; ++i) both += flow.bytes.sent[i] > 0 && flow.bytes.received[i] > 0 ? 1 : 0;
    if (size < shortest || static_cast<double>(both) < steady * static_cast<double>(size)) continue;
    quality.media_seconds = std::max(quality.media_seconds, static_cast<double>(size));
    quality.packets += flow.flow.forward.packets + flow.flow.backward.packets;
  }
}

}  // namespace

Quality quality_of(const Observation& observation, std::span<const StreamMeasures> measures, std::span<const Arm> arms, std::optional<CallId> call) {
  Quality quality;
  const auto counts = [&](const std::optional<CallId>& of) { return of && (!call || *of == *call); };
  for (const auto& measure : measures) {
    if (!counts(measure.call)) continue;
    quality.media_seconds = std::max(quality.media_seconds, capture::seconds(measure.end_time - measure.start_time));
    quality.packets += measure.packets;
    const auto& streams = observation.classification->streams;
    if (static_cast<std::size_t>(measure.id) >= streams.size()) continue;
    const auto kind = streams[static_cast<std::size_t>(measure.id)].kind;
    if (const auto& stream = streams[static_cast<std::size_t>(measure.id)]; stream.over_tcp) {
      quality.over_tcp = true;
      const auto* flow = find_flow(observation, stream.flow);
      if (flow != nullptr) quality.numbered += flow->segments[static_cast<std::size_t>(measure.direction)].segments.size();
    }
    quality.video = quality.video || kind == classify::MediaKind::video;
    if (measure.jitter_ms && measure.direction == Direction::received && kind == classify::MediaKind::audio)
      quality.jitter = std::max(quality.jitter, *measure.jitter_ms);
  }
  for (const auto& arm : arms)
    if (counts(arm.call) && can_show_losses(observation, arm)) {
      add_arm(arm, quality);
      const auto* flow = find_flow(observation, arm.flow);
      if (!arm.call || arm.streams.empty() || flow == nullptr || flow->tcp) continue;   // TCP sends again what is lost
      if (observation.local_known) add_by_cadence(arm, arms, quality);
      if (arm.whole_flow && arm.packets.size() >= fewest_packets && readable_losses(arm, arms).reading == LossReading::unread) quality.unread = true;
    }
  for (const auto& stream : observation.streams) {
    const auto index = static_cast<std::size_t>(stream.id);
    if (index >= measures.size() || !counts(measures[index].call)) continue;
    if (stream.direction == Direction::received) quality.outage_s = std::max(quality.outage_s, longest_outage(observation, stream, measures[index]));
    if (stream.direction == Direction::received && stream.delay.size() >= 50) {
      std::vector<double> delays;
      for (const auto& point : stream.delay) delays.push_back(static_cast<double>(point.milliseconds));
      quality.delay_p95 = std::max(quality.delay_p95, quantile(delays, 0.95) - quantile(delays, 0.1));
    }
    if (stream.reports.size() >= 3) {
      const auto &first = stream.reports.front(), &last = stream.reports.back();
      const double expected = static_cast<double>(last.highest_sequence - first.highest_sequence);
      if (expected > 200 && last.cumulative_lost > first.cumulative_lost)
        quality.reported_loss = std::max(quality.reported_loss, (last.cumulative_lost - first.cumulative_lost) / expected);
    }
  }
  add_tunnels(observation, call, quality);
  return quality;
}

bool is_enough(const Quality& quality) { return quality.media_seconds >= shortest_call && quality.packets >= fewest_packets; }


}  // namespace callwitness::metrics
