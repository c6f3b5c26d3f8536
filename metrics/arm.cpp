#include "metrics/arm.hpp"

#include "metrics/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace callwitness::metrics {
namespace {

constexpr std::size_t minimum_packets = 100;      ///< fewer say nothing about a rate
constexpr std::uint32_t maximum_gap = 3000;       ///< RFC 3550 MAX_DROPOUT: a larger step is a restart
constexpr int maximum_missing_by_cadence = 5;     ///< a longer hole in an unnumbered stream is a pause
constexpr double minimum_part = 0.15;             ///< share of a flow's bytes for a stream to be an arm of its own

struct Built {
  std::vector<ArmPacket> packets;
  std::uint64_t lost = 0;
};

void insert_lost(std::vector<ArmPacket>& to, const ArmPacket& before, const ArmPacket& after, std::uint32_t count) {
  const double step = (after.time - before.time) / (count + 1.0);
  for (std::uint32_t k = 1; k <= count; ++k)
    to.push_back({before.time + step * k, (before.bytes + after.bytes) / 2, 0, true, false});
}

void mark_silences(std::vector<ArmPacket>& packets) {
  std::stable_sort(packets.begin(), packets.end(), [](const ArmPacket& a, const ArmPacket& b) { return a.time < b.time; });
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

struct Numbered { std::int32_t sequence; ArmPacket packet; };

void add_losses_by_sequence(std::vector<Numbered>& stream, const std::vector<double>& arrivals, Built& built) {
  std::sort(stream.begin(), stream.end(), [](const Numbered& a, const Numbered& b) { return a.sequence < b.sequence; });
  for (std::size_t i = 1; i < stream.size(); ++i) {
    const std::int64_t missing = std::int64_t{stream[i].sequence} - stream[i - 1].sequence - 1;
    if (missing <= 0 || missing > maximum_gap) continue;
    const auto &before = stream[i - 1].packet, &after = stream[i].packet;
    if (after.time < before.time || silent_between(arrivals, before.time, after.time)) continue;
    insert_lost(built.packets, before, after, static_cast<std::uint32_t>(missing));
    built.lost += static_cast<std::uint64_t>(missing);
  }
}

void add_losses_by_cadence(const std::vector<ArmPacket>& media, double packet_time, Built& built) {
  for (std::size_t i = 1; i < media.size(); ++i) {
    const long steps = std::lround((media[i].time - media[i - 1].time) / packet_time);
    if (steps < 2 || steps > maximum_missing_by_cadence + 1) continue;
    insert_lost(built.packets, media[i - 1], media[i], static_cast<std::uint32_t>(steps - 1));
    built.lost += static_cast<std::uint64_t>(steps - 1);
  }
}

struct FlowTraces {
  const Observation& observation;
  const FlowObservation& flow;
  Direction direction;
  std::map<std::uint16_t, std::vector<Numbered>> numbered;
  std::map<std::uint16_t, std::vector<ArmPacket>> all;
  std::map<std::uint16_t, double> bytes;
  std::vector<double> arrivals;
};

bool is_numbered(const Observation& observation, std::uint16_t stream) {
  if (stream >= observation.classification->streams.size()) return false;
  const auto& told = observation.classification->streams[stream];
  return told.sequence_basis != classify::SequenceBasis::none && !told.sequence_shared;
}

bool is_audio(const Observation& observation, std::uint16_t stream) {
  return stream < observation.classification->streams.size() &&
         observation.classification->streams[stream].kind == classify::MediaKind::audio;
}

Arm build(FlowTraces& traces, const std::vector<std::uint16_t>& streams, bool whole) {
  Arm arm;
  arm.flow = traces.flow.flow.id;
  arm.call = traces.flow.call;
  arm.direction = traces.direction;
  arm.application = traces.flow.flow.label.application;
  arm.whole_flow = whole;
  Built built;
  std::vector<ArmPacket> unnumbered;
  for (const auto stream : streams) {
    const auto& packets = traces.all[stream];
    built.packets.insert(built.packets.end(), packets.begin(), packets.end());
    if (stream == TracePacket::no_stream) continue;
    arm.streams.push_back(StreamId{stream});
    if (is_numbered(traces.observation, stream)) {
      arm.source = LossSource::sequence;
      add_losses_by_sequence(traces.numbered[stream], traces.arrivals, built);
    } else {
      unnumbered.insert(unnumbered.end(), packets.begin(), packets.end());
    }
  }
  if (arm.source == LossSource::none && !traces.flow.tcp && unnumbered.size() >= minimum_packets) {
    std::vector<double> gaps;
    std::sort(unnumbered.begin(), unnumbered.end(), [](const ArmPacket& a, const ArmPacket& b) { return a.time < b.time; });
    for (std::size_t i = 1; i < unnumbered.size(); ++i) gaps.push_back(unnumbered[i].time - unnumbered[i - 1].time);
    arm.packet_time = cadence_of(gaps);
    if (arm.packet_time > 0) {
      arm.source = LossSource::cadence;
      add_losses_by_cadence(unnumbered, arm.packet_time, built);
    }
  }
  arm.packets = std::move(built.packets);
  arm.lost = built.lost;
  mark_silences(arm.packets);
  return arm;
}

}  // namespace

double cadence_of(const std::vector<double>& gaps) {
  // A packet time must explain nearly all short gaps as its multiples, and be seen itself.
  for (const double candidate : {0.120, 0.100, 0.080, 0.060, 0.040, 0.030, 0.020, 0.010}) {
    const double tolerance = std::max(0.002, 0.2 * candidate);
    std::size_t counted = 0, on_grid = 0, single = 0;
    for (const double gap : gaps) {
      if (gap > 6.5 * candidate) continue;
      ++counted;
      const double steps = std::round(gap / candidate);
      if (steps < 1 || std::abs(gap - steps * candidate) > tolerance) continue;
      ++on_grid;
      if (steps == 1) ++single;
    }
    if (counted >= minimum_packets / 2 && static_cast<double>(on_grid) >= 0.85 * static_cast<double>(counted) &&
        static_cast<double>(single) >= 0.2 * static_cast<double>(counted))
      return candidate;
  }
  return 0;
}

std::vector<Arm> arms_of(const Observation& observation) {
  std::vector<Arm> arms;
  for (const auto& flow : observation.flows) {
    if (flow.trace.size() < minimum_packets) continue;
    for (const auto direction : {Direction::received, Direction::sent}) {
      FlowTraces traces{observation, flow, direction, {}, {}, {}, {}};
      std::size_t count = 0;
      for (const auto& packet : flow.trace) {
        if (packet.direction != direction || packet.duplicate) continue;
        const double time = capture::seconds(packet.time - observation.first_time);
        const ArmPacket arm_packet{time, static_cast<double>(packet.ip_bytes), packet.ordinal, false, false};
        traces.all[packet.stream].push_back(arm_packet);
        traces.bytes[packet.stream] += packet.ip_bytes;
        traces.arrivals.push_back(time);
        if (packet.extended_sequence != TracePacket::no_sequence)
          traces.numbered[packet.stream].push_back({packet.extended_sequence, arm_packet});
        ++count;
      }
      if (count < minimum_packets) continue;
      std::sort(traces.arrivals.begin(), traces.arrivals.end());
      std::vector<std::uint16_t> every, not_audio;
      double total = 0;
      for (const auto& [stream, bytes] : traces.bytes) {
        every.push_back(stream);
        total += bytes;
        if (stream != TracePacket::no_stream && !is_audio(observation, stream)) not_audio.push_back(stream);
      }
      arms.push_back(build(traces, every, true));
      std::size_t parts = 0;
      for (const auto stream : every) parts += stream != TracePacket::no_stream && traces.bytes[stream] >= minimum_part * total ? 1 : 0;
      if (parts == 0 || every.size() < 2) continue;
      if (!not_audio.empty() && not_audio.size() < every.size()) arms.push_back(build(traces, not_audio, false));
      for (const auto stream : every)
        if (stream != TracePacket::no_stream && traces.bytes[stream] >= minimum_part * total && not_audio != std::vector{stream})
          arms.push_back(build(traces, {stream}, false));
    }
  }
  return arms;
}

}  // namespace callwitness::metrics
