#include "metrics/analyzer.hpp"

#include "metrics/detector.hpp"
#include "metrics/scope/scope.hpp"
#include "metrics/observe.hpp"

#include <algorithm>

namespace callwitness::metrics {

namespace {
constexpr std::size_t trace_limit = 4'000'000;           // records of 32 bytes over all flows: 128 MB
constexpr std::size_t segment_limit = 2'000'000;         // records of 16 bytes over all TCP connections: 32 MB
constexpr std::uint64_t segments_from = 32'000;          // IP bytes of one way: a flood of short connections costs nothing
constexpr std::size_t unsequenced_limit = 2'000'000;     // records of streams without a sequence
constexpr std::size_t kept_flow_limit = 200'000;         // closed flows that are still described
constexpr std::uint64_t kept_flow_packets = 8;           // a closed flow with fewer packets is only added up
constexpr std::size_t round_trip_limit = 4'096;          // a flow
constexpr std::size_t report_limit = 8'192;              // an SSRC
constexpr std::size_t reported_limit = 20'000;           // SSRCs
constexpr std::size_t measured_limit = 50'000;           // flows with round trips

/// STUN by its cookie (RFC 8489 5), RTCP by its types (RFC 5761 4), bare in a UDP datagram.
void mark_control(TracePacket& packet, const capture::Datagram& datagram) {
  const auto bytes = datagram.payload;
  if (datagram.tcp || bytes.size() < 8) return;
  packet.is_stun = bytes[0] < 4 && bytes[4] == 0x21 && bytes[5] == 0x12 && bytes[6] == 0xa4 && bytes[7] == 0x42;
  packet.is_rtcp = (bytes[0] & 0xc0) == 0x80 && bytes[1] >= 192 && bytes[1] <= 223;
}
}  // namespace

struct Analyzer::State {
  explicit State(const capture::CaptureRecords& all) : captures(all) {}

  const capture::CaptureRecords& captures;
  Meters meters;
  static constexpr std::size_t block_size = 64;
  std::vector<std::unique_ptr<FlowMeter[]>> blocks;      ///< by slot
  struct StreamPlace { std::uint32_t slot = 0; classify::FlowId flow{}; classify::Way way{}; capture::IpAddress source, destination; };
  ClockSteps clock_steps;
  std::vector<StreamPlace> places;                       ///< by StreamId
  std::size_t traced_packets = 0, unsequenced_budget = unsequenced_limit, segment_budget = segment_limit;
  bool started = false;
  std::uint32_t last_slot = 0;                           ///< of the newest datagram's flow
  Analysis analysis;
  Observation observation;

  FlowMeter* meter_at(std::uint32_t slot) const {
    return slot / block_size < blocks.size() ? &blocks[slot / block_size][slot % block_size] : nullptr;
  }
  void keep(const classify::Flow& flow, FlowMeter& meter);
  void trace(FlowMeter& meter, const TracePacket& packet);
  void give_up_largest_trace();
  void keep_segment(FlowMeter& meter, const classify::Flow& flow, classify::Way way, const capture::Datagram& datagram);
};

Analyzer::Analyzer(const capture::CaptureRecords& captures) : state_(std::make_unique<State>(captures)) {}
Analyzer::~Analyzer() = default;

void Analyzer::State::give_up_largest_trace() {
  FlowMeter* largest = nullptr;
  const auto consider = [&](FlowMeter& meter) {
    if (meter.trace.size() > 0 && (!largest || meter.trace.size() > largest->trace.size())) largest = &meter;
  };
  for (auto& block : blocks)
    for (std::size_t i = 0; i < block_size; ++i) consider(block[i]);
  for (auto& [id, kept] : meters.flows) consider(kept.meter);
  if (!largest) return;
  traced_packets -= largest->trace.size();
  largest->trace.clear();
  largest->traced = false;
  largest->given_up = true;
}

void Analyzer::State::trace(FlowMeter& meter, const TracePacket& packet) {
  if (traced_packets >= trace_limit) give_up_largest_trace();
  if (!meter.traced) return;
  meter.trace.append(packet);
  ++traced_packets;
}

void Analyzer::State::keep_segment(FlowMeter& meter, const classify::Flow& flow, classify::Way way, const capture::Datagram& datagram) {
  const auto& counters = way == classify::Way::forward ? flow.forward : flow.backward;
  if (datagram.payload_length > 0 && counters.ip_bytes >= segments_from && segment_budget > 0) {
    auto& own = meter.segments[static_cast<std::size_t>(way)];
    if (!own) own = std::make_unique<SegmentTrace>();
    if (own->add(datagram)) --segment_budget;
  }
  auto& other = meter.segments[static_cast<std::size_t>(opposite(way))];
  if (other && datagram.tcp->ack()) other->acknowledge(datagram);
}

void Analyzer::expect(std::span<const classify::Upcoming> upcoming) {
  const State& state = *state_;
  const auto meter_of = [&](const classify::Upcoming& one) -> const StreamMeter* {
    const auto index = one.stream ? static_cast<std::size_t>(*one.stream) : state.meters.streams.size();
    return index < state.meters.streams.size() ? state.meters.streams[index].get() : nullptr;
  };
  for (const auto& one : upcoming) {
    if (const auto* meter = state.meter_at(one.slot)) __builtin_prefetch(&meter->packets, 1);
    if (const auto* meter = meter_of(one)) meter->fetch();
  }
  for (const auto& one : upcoming) {
    if (const auto* meter = state.meter_at(one.slot)) __builtin_prefetch(meter->trace.next(), 1);
    if (const auto* meter = meter_of(one)) meter->fetch_further();
  }
}

void Analyzer::on_datagram(const classify::Flow& flow, classify::Way way, const capture::Datagram& datagram) {
  State& state = *state_;
  if (!state.started) {
    state.started = true;
    state.meters.origin = state.meters.last_time = datagram.time;
  }
  if (datagram.time > state.meters.last_time) state.meters.last_time = datagram.time;
  while (!state.meter_at(flow.slot)) state.blocks.push_back(std::make_unique<FlowMeter[]>(State::block_size));
  state.last_slot = flow.slot;
  FlowMeter& meter = *state.meter_at(flow.slot);
  if (!meter.used || meter.id != flow.id) {
    meter = FlowMeter{};
    meter.used = true;
    meter.id = flow.id;
  }
  meter.add(state.meters.origin, flow, way, datagram);
  if (datagram.tcp && !datagram.tcp->syn() && !datagram.tcp->rst()) state.keep_segment(meter, flow, way, datagram);
  if (!meter.traced) return;
  TracePacket packet;
  packet.time = datagram.time;
  packet.ordinal = static_cast<std::uint32_t>(datagram.ordinal);
  packet.ip_bytes = datagram.ip_length;
  packet.direction = static_cast<Direction>(way);
  packet.is_pure_ack = datagram.tcp && datagram.payload_length == 0;
  mark_control(packet, datagram);
  state.trace(meter, packet);
}

void Analyzer::on_stream(const classify::Stream& stream) {
  State& state = *state_;
  const auto index = static_cast<std::size_t>(stream.id);
  if (index >= state.meters.streams.size()) {
    state.meters.streams.resize(index + 1);
    state.places.resize(index + 1);
  }
  state.meters.streams[index] = std::make_unique<StreamMeter>(stream, state.meters.origin);
  state.places[index] = {0xffffffff, stream.flow, stream.way, stream.source.address, stream.destination.address};
  // A stream is told of while its flow's newest datagram is at hand.
  FlowMeter* const meter = state.meter_at(state.last_slot);
  if (!meter || meter->id != stream.flow) return;
  state.places[index].slot = state.last_slot;
  if (meter->used && !meter->given_up) meter->traced = true;
}

void Analyzer::on_media(const classify::MediaPacket& packet) {
  State& state = *state_;
  const auto index = static_cast<std::size_t>(packet.stream);
  if (index >= state.meters.streams.size() || !state.meters.streams[index]) return;
  const auto kept = state.meters.streams[index]->add(packet, state.unsequenced_budget);
  const auto& place = state.places[index];
  if (auto jump = state.meters.streams[index]->settled_jump()) {
    jump->stream = packet.stream;
    jump->source = place.source;
    jump->destination = place.destination;
    for (const auto stream : state.clock_steps.add(*jump)) state.meters.streams[static_cast<std::size_t>(stream)]->undo_jump();
  }
  FlowMeter* const found = state.meter_at(place.slot);
  if (!found) return;
  FlowMeter& meter = *found;
  if (!meter.traced || meter.id != place.flow) return;
  const auto ordinal = static_cast<std::uint32_t>(packet.ordinal);
  TracePacket* record = meter.trace.find(ordinal);
  TracePacket fresh;
  const bool made = record != nullptr && record->stream == TracePacket::no_stream;
  if (!made) {
    fresh.time = packet.time;
    fresh.ordinal = ordinal;
    fresh.ip_bytes = packet.ip_bytes;
    fresh.direction = static_cast<Direction>(place.way);
    record = &fresh;
  }
  record->extended_sequence = kept.extended_sequence;
  record->duplicate = kept.duplicate;
  record->media_time = packet.media_time;
  record->has_media_time = packet.has_media_time;
  record->marker = packet.marker;
  if (index < TracePacket::no_stream) record->stream = static_cast<std::uint16_t>(index);
  if (!made) state.trace(meter, fresh);
  if (kept.repeats_undone > 0 && index < TracePacket::no_stream) meter.trace.renumber(static_cast<std::uint16_t>(index), kept.repeats_undone, kept.extended_sequence);
}

void Analyzer::on_round_trip(const classify::RoundTrip& round_trip) {
  auto& all = state_->meters.round_trips;
  auto found = all.find(round_trip.flow);
  if (found == all.end()) {
    if (all.size() >= measured_limit) return;
    found = all.try_emplace(round_trip.flow).first;
  }
  if (found->second.size() < round_trip_limit) found->second.push_back(round_trip);
}

void Analyzer::on_receiver_report(const classify::ReceiverReport& report) {
  auto& all = state_->meters.reports;
  auto found = all.find(report.reported_ssrc);
  if (found == all.end()) {
    if (all.size() >= reported_limit) return;
    found = all.try_emplace(report.reported_ssrc).first;
  }
  if (found->second.size() < report_limit) found->second.push_back(report);
}

void Analyzer::on_sender_report(const classify::SenderReport& report) {
  auto& all = state_->meters.sender_reports;
  auto found = all.find(report.ssrc);
  if (found == all.end()) {
    if (all.size() >= reported_limit) return;
    found = all.try_emplace(report.ssrc).first;
  }
  if (found->second.size() < report_limit) found->second.push_back(report);
}

/// A flow is over: described later if it is worth it, else only added to what crossed the line.
void Analyzer::State::keep(const classify::Flow& flow, FlowMeter& meter) {
  const bool worth = meter.packets >= kept_flow_packets || meter.trace.size() > 0 || meter.given_up ||
                     (meter.tcp && (meter.tcp->lost_anything() || meter.tcp->unanswered()));
  if (worth && meters.flows.size() < kept_flow_limit) {
    auto own = std::make_unique<classify::Flow>(flow);
    meters.flows.insert_or_assign(meter.id, KeptFlow{own.get(), std::move(meter), std::move(own)});
  } else {
    const bool outward = flow.five_tuple.source.address.is_private() || !flow.five_tuple.destination.address.is_private();
    for (const auto& record : meter.seconds.records()) {
      auto& sum = meters.forgotten.at(record.second);
      sum.bytes[0] += record.bytes[outward ? 0 : 1];
      sum.bytes[1] += record.bytes[outward ? 1 : 0];
    }
  }
  meter = FlowMeter{};
}

void Analyzer::on_flow_closed(const classify::Flow& flow) {
  State& state = *state_;
  if (FlowMeter* const meter = state.meter_at(flow.slot); meter && meter->used && meter->id == flow.id) state.keep(flow, *meter);
}

void Analyzer::finish(const classify::Classification& classification) {
  State& state = *state_;
  for (auto& block : state.blocks) {                     // those still open are in calls or worth a look: keep them all
    for (std::size_t i = 0; i < State::block_size; ++i)
      if (block[i].used) state.meters.flows.insert_or_assign(block[i].id, KeptFlow{nullptr, std::move(block[i]), nullptr});
    block.reset();
  }
  state.blocks.clear();
  state.analysis.captures = state.captures;
  state.analysis.classification = classification;
  for (std::size_t i = 0; i < state.clock_steps.steps().size(); ++i) state.analysis.classification.anomalies.count("clock_set");
  state.observation = observe(state.meters, state.captures, state.analysis.classification, state.analysis.streams);
  state.observation.clock_steps = state.clock_steps.steps();
  const auto arms = arms_of(state.observation);
  const auto interruptions = interruptions_of(state.observation);
  state.analysis.outcomes = outcomes_of(state.observation, interruptions);
  state.analysis.findings = detect(state.observation, state.analysis.streams, arms, interruptions, state.analysis.outcomes);
  state.analysis.controls = measure_control(state.observation);
  tell_scopes(state.observation, arms, state.analysis.findings);
  state.analysis.call_verdicts = judge_calls(state.observation, state.analysis.streams, arms, state.analysis.findings);
  state.analysis.verdict = judge(state.observation, state.analysis.streams, arms, state.analysis.findings, state.analysis.call_verdicts);
  state.observation = {};
}

Analysis Analyzer::take_analysis() { return std::move(state_->analysis); }

}  // namespace callwitness::metrics
