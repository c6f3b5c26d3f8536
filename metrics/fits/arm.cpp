#include "metrics/fits/arm.hpp"

#include "metrics/fits/lost_places.hpp"
#include "metrics/fits/sending_times.hpp"
#include "metrics/fits/unnumbered.hpp"
#include "metrics/parallel.hpp"
#include "metrics/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <map>
#include <span>

namespace callwitness::metrics {
namespace {

constexpr std::size_t minimum_packets = 100;      ///< fewer say nothing about a rate
/// Two days: what is longer holds a jump of the clock, and windows over it would cost memory and hours. observe.cpp keeps no
/// series of it either.
constexpr double longest_s = 200'000;
constexpr std::size_t minimum_gaps = 20;          ///< between neighbours, for their usual distance
constexpr std::uint32_t maximum_gap = 3000;       ///< RFC 3550 MAX_DROPOUT: a larger step is a restart
constexpr std::uint64_t most_lost_each = 40;      ///< placed for every packet that came: numbers made to jump must not fill memory
constexpr double minimum_part = 0.15;             ///< share of a flow's bytes for a stream to be an arm of its own

struct Built {
  std::vector<ArmPacket> packets;
  std::uint64_t lost = 0;
};

/// Sorts by merging the runs that are in order already: captures come as one, their losses as another.
template <class T, class Less>
void sort_runs(std::vector<T>& values, Less less) {
  std::vector<std::size_t> ends{0};
  for (auto from = values.begin(); from != values.end();) {
    from = std::is_sorted_until(from, values.end(), less);
    ends.push_back(static_cast<std::size_t>(from - values.begin()));
  }
  const auto at = [&](std::size_t place) { return values.begin() + static_cast<std::ptrdiff_t>(place); };
  while (ends.size() > 2) {
    std::vector<std::size_t> merged{0};
    for (std::size_t i = 2; i < ends.size(); i += 2) {
      std::inplace_merge(at(ends[i - 2]), at(ends[i - 1]), at(ends[i]), less);
      merged.push_back(ends[i]);
    }
    if (merged.back() != ends.back()) merged.push_back(ends.back());
    ends = std::move(merged);
  }
}

void mark_silences(std::vector<ArmPacket>& packets) {
  sort_runs(packets, [](const ArmPacket& a, const ArmPacket& b) { return a.time < b.time; });
  double last = -1e9;
  for (auto& packet : packets) {
    if (packet.lost) continue;
    packet.after_silence = packet.time - last >= silence_seconds;
    last = packet.time;
  }
}

/// True where nothing at all came between the two times for silence_seconds.
bool silent_between(const std::vector<double>& arrivals, double from, double to) {
  if (to - from < silence_seconds) return false;
  auto at = std::upper_bound(arrivals.begin(), arrivals.end(), from);
  double last = from;
  for (; at != arrivals.end() && *at < to; last = *at, ++at)
    if (*at - last >= silence_seconds) return true;
  return to - last >= silence_seconds;
}

void add_losses_by_sequence(std::vector<NumberedPacket>& stream, const std::vector<double>& arrivals, Silences silences, Built& built) {
  sort_runs(stream, [](const NumberedPacket& a, const NumberedPacket& b) { return a.sequence < b.sequence; });
  const auto spacing = spacing_of(stream);
  std::uint64_t left = most_lost_each * stream.size();
  for (std::size_t i = 1; i < stream.size(); ++i) {
    const std::int64_t missing = std::int64_t{stream[i].sequence} - stream[i - 1].sequence - 1;
    if (missing <= 0 || missing > maximum_gap) continue;
    const auto &before = stream[i - 1].packet, &after = stream[i].packet;
    if (after.time < before.time || static_cast<std::uint64_t>(missing) > left) continue;
    if (silences == Silences::left_empty && silent_between(arrivals, before.time, after.time)) continue;
    left -= static_cast<std::uint64_t>(missing);
    place_lost(built.packets, stream[i - 1], stream[i], static_cast<std::uint32_t>(missing), spacing);
    built.lost += static_cast<std::uint64_t>(missing);
  }
}

/// Seconds of media a packet of the stream carries, by the sender's own timestamps; 0: it has none.
double packet_time_of(const Observation& observation, const FlowObservation& flow, StreamId id) {
  const double clock = observation.streams[static_cast<std::size_t>(id)].clock_rate_hz;
  if (clock <= 0) return 0;
  std::vector<double> times;
  const TracePacket* last = nullptr;
  for (const auto& packet : flow.trace) {
    if (StreamId{packet.stream} != id || !packet.has_media_time || packet.duplicate) continue;
    if (last != nullptr && packet.extended_sequence == last->extended_sequence + 1)
      times.push_back(static_cast<std::int32_t>(packet.media_time - last->media_time) / clock);
    last = &packet;
  }
  return times.size() < minimum_gaps ? 0 : median(std::move(times));
}

struct StreamTrace {
  std::vector<ArmPacket> all;
  std::vector<NumberedPacket> numbered;
  std::size_t count = 0;
  double bytes = 0;
  double clock = 0;                              ///< of its timestamps, Hz; 0: none
  const TracePacket* newest = nullptr;           ///< by its number
};

/// Media a packet since the newest one, which this one replaces if it is newer.
std::uint16_t media_tenths_ms(StreamTrace& trace, const TracePacket& packet) {
  if (trace.clock <= 0 || !packet.has_media_time || packet.extended_sequence == TracePacket::no_sequence) return 0;
  const TracePacket* before = trace.newest;
  if (before != nullptr && packet.extended_sequence <= before->extended_sequence) return 0;
  trace.newest = &packet;
  if (before == nullptr) return 0;
  const double ticks = static_cast<std::int32_t>(packet.media_time - before->media_time);
  const double tenths = 1e4 * ticks / trace.clock / (static_cast<double>(packet.extended_sequence) - before->extended_sequence);
  return tenths < 0.5 || tenths > UINT16_MAX ? 0 : static_cast<std::uint16_t>(std::lround(tenths));
}

struct FlowTraces {
  const Observation& observation;
  const FlowObservation& flow;
  Direction direction;
  std::vector<double> times = {};                ///< of flow.trace, where not its arrivals'
  std::map<std::uint16_t, StreamTrace> streams = {};
  std::vector<double> arrivals = {};
};

/// The direction's packets by stream; how many.
std::size_t collect(FlowTraces& traces) {
  const auto each = [&](auto use) {
    std::uint16_t last_stream = 0;
    StreamTrace* trace = nullptr;   // of the last packet: mostly the next one's as well
    for (const auto& packet : traces.flow.trace) {
      if (packet.direction != traces.direction || packet.duplicate) continue;
      if (trace == nullptr || packet.stream != last_stream) trace = &traces.streams[packet.stream], last_stream = packet.stream;
      use(packet, *trace);
    }
  };
  std::size_t count = 0;
  each([&](const TracePacket&, StreamTrace& trace) { ++trace.count, ++count; });
  if (count < minimum_packets) return count;
  traces.arrivals.reserve(count);
  for (auto& [stream, trace] : traces.streams) {
    trace.all.reserve(trace.count), trace.numbered.reserve(trace.count);
    if (stream < traces.observation.streams.size()) trace.clock = traces.observation.streams[stream].clock_rate_hz;
  }
  each([&](const TracePacket& packet, StreamTrace& trace) {
    const auto place = static_cast<std::size_t>(&packet - traces.flow.trace.data());
    const double time = traces.times.empty() ? capture::seconds(packet.time - traces.observation.first_time) : traces.times[place];
    const ArmPacket arm_packet{time, static_cast<double>(packet.ip_bytes), packet.ordinal, false, false, media_tenths_ms(trace, packet)};
    trace.all.push_back(arm_packet);
    trace.bytes += packet.ip_bytes;
    traces.arrivals.push_back(time);
    if (packet.extended_sequence != TracePacket::no_sequence) trace.numbered.push_back({packet.extended_sequence, arm_packet, packet.media_time, packet.has_media_time, packet.marker});
  });
  return count;
}

std::optional<StreamId> counter_of(const Observation& observation, std::uint16_t stream) {
  return stream < observation.streams.size() ? observation.streams[stream].counter_of : std::nullopt;
}

/// `whole`: all streams of the flow are looked at together. One of several that share a counter has holes that are the others'.
bool is_numbered(const Observation& observation, std::uint16_t stream, bool whole) {
  return (whole || !counter_of(observation, stream)) && metrics::is_numbered(observation, stream);
}

bool is_audio(const Observation& observation, std::uint16_t stream) {
  return stream < observation.classification->streams.size() &&
         observation.classification->streams[stream].kind == classify::MediaKind::audio;
}

Arm build(FlowTraces& traces, const std::vector<std::uint16_t>& streams, bool whole, Silences silences = Silences::left_empty) {
  Arm arm;
  arm.flow = traces.flow.flow.id;
  arm.call = traces.flow.call;
  arm.direction = traces.direction;
  arm.application = traces.flow.flow.label.application;
  arm.whole_flow = whole;
  Built built;
  std::vector<ArmPacket> unnumbered;
  std::map<StreamId, std::vector<NumberedPacket>> counters;   // several streams' numbers, where they draw them from one
  for (const auto stream : streams) {
    auto& trace = traces.streams[stream];
    const auto& packets = trace.all;
    built.packets.insert(built.packets.end(), packets.begin(), packets.end());
    if (stream == TracePacket::no_stream) continue;
    arm.streams.push_back(StreamId{stream});
    if (is_numbered(traces.observation, stream, whole)) {
      arm.source = LossSource::sequence;
      const auto leader = counter_of(traces.observation, stream);
      if (!leader) {
        add_losses_by_sequence(trace.numbered, traces.arrivals, silences, built);
        continue;
      }
      auto& counter = counters[*leader];
      for (auto packet : trace.numbered) {
        packet.sequence = static_cast<std::int32_t>(packet.sequence + traces.observation.streams[stream].counter_offset);
        packet.has_media_time = false;                        // each stream's own
        counter.push_back(packet);
      }
    } else {
      unnumbered.insert(unnumbered.end(), packets.begin(), packets.end());
    }
  }
  for (auto& [leader, numbered] : counters) add_losses_by_sequence(numbered, traces.arrivals, silences, built);
  if (arm.source == LossSource::none && !traces.flow.tcp && unnumbered.size() >= minimum_packets) {
    sort_runs(unnumbered, [](const ArmPacket& a, const ArmPacket& b) { return a.time < b.time; });
    const auto cadence = read_cadence(unnumbered);
    arm.packet_times.own = cadence.packet_time;
    if (!cadence.missing.empty()) arm.source = LossSource::cadence;
    for (std::size_t i = 1; i < cadence.missing.size(); ++i) {
      if (cadence.missing[i] > 0) place_lost(built.packets, unnumbered[i - 1], unnumbered[i], cadence.missing[i], cadence.packet_time);
      built.lost += cadence.missing[i];
    }
  }
  if (arm.source == LossSource::sequence && arm.streams.size() == 1 && is_audio(traces.observation, static_cast<std::uint16_t>(arm.streams.front())))
    arm.packet_times.own = packet_time_of(traces.observation, traces.flow, arm.streams.front());
  arm.packets = std::move(built.packets);
  arm.lost = built.lost;
  mark_silences(arm.packets);
  return arm;
}

/// The packet times of whole flows' two directions.
void tell_each_other(std::span<Arm> of_a_flow) {
  for (auto& arm : of_a_flow)
    for (const auto& other : of_a_flow)
      if (arm.whole_flow && other.whole_flow && other.direction != arm.direction) arm.packet_times.other = other.packet_times.own;
}

std::vector<Arm> arms_of_flow(const Observation& observation, const FlowObservation& flow) {
  std::vector<Arm> arms;
  if (flow.trace.size() < minimum_packets) return arms;
  for (const auto direction : {Direction::received, Direction::sent}) {
    FlowTraces traces{observation, flow, direction};
    const std::size_t count = collect(traces);
    if (count < minimum_packets) continue;
    sort_runs(traces.arrivals, std::less<>());
    if (traces.arrivals.back() - traces.arrivals.front() > longest_s) continue;
    std::vector<std::uint16_t> every, not_audio;
    double total = 0;
    for (const auto& [stream, told] : traces.streams) {
      every.push_back(stream);
      total += told.bytes;
      if (stream != TracePacket::no_stream && !is_audio(observation, stream)) not_audio.push_back(stream);
    }
    arms.push_back(build(traces, every, true));
    std::size_t parts = 0;
    for (const auto stream : every) parts += stream != TracePacket::no_stream && traces.streams[stream].bytes >= minimum_part * total ? 1 : 0;
    if (parts == 0 || every.size() < 2) continue;
    if (!not_audio.empty() && not_audio.size() < every.size()) arms.push_back(build(traces, not_audio, false));
    for (const auto stream : every)
      if (stream != TracePacket::no_stream && traces.streams[stream].bytes >= minimum_part * total && not_audio != std::vector{stream})
        arms.push_back(build(traces, {stream}, false));
  }
  tell_each_other(arms);
  return arms;
}

}  // namespace

bool is_numbered(const Observation& observation, std::uint16_t stream) {
  if (stream >= observation.classification->streams.size()) return false;
  const auto& told = observation.classification->streams[stream];
  return told.sequence_basis != classify::SequenceBasis::none && !told.sequence_shared;
}

namespace {

/// The arm once more, at other times (empty: its arrivals').
std::optional<Arm> rebuild(const Observation& observation, const Arm& arm, bool by_sending, Silences silences) {
  const auto flow = std::lower_bound(observation.flows.begin(), observation.flows.end(), arm.flow, [](const FlowObservation& f, FlowId wanted) { return f.flow.id < wanted; });
  if (flow == observation.flows.end() || flow->flow.id != arm.flow || arm.source != LossSource::sequence) return std::nullopt;
  FlowTraces traces{observation, *flow, arm.direction};
  if (by_sending) {
    traces.times = sending_times(observation, *flow, arm.direction);
    if (traces.times.empty()) return std::nullopt;
  }
  if (collect(traces) < minimum_packets) return std::nullopt;
  sort_runs(traces.arrivals, std::less<>());
  std::vector<std::uint16_t> streams;
  for (const auto& [stream, told] : traces.streams)
    if (arm.whole_flow || std::find(arm.streams.begin(), arm.streams.end(), StreamId{stream}) != arm.streams.end()) streams.push_back(stream);
  return build(traces, streams, arm.whole_flow, silences);
}

}  // namespace

std::optional<Arm> at_sending_times(const Observation& observation, const Arm& arm, Silences silences) { return rebuild(observation, arm, true, silences); }

std::optional<Arm> with_silences_filled(const Observation& observation, const Arm& arm) { return rebuild(observation, arm, false, Silences::filled); }

std::vector<Arm> arms_of(const Observation& observation) {
  std::vector<std::vector<Arm>> by_flow(observation.flows.size());
  for_each_index(by_flow.size(), [&](std::size_t i) { by_flow[i] = arms_of_flow(observation, observation.flows[i]); });
  std::vector<Arm> arms;
  for (auto& some : by_flow) std::move(some.begin(), some.end(), std::back_inserter(arms));
  return arms;
}

}  // namespace callwitness::metrics
