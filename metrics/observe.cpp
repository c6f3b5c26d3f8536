#include "metrics/observe.hpp"

#include "metrics/fits/reported_loss.hpp"
#include "metrics/parallel.hpp"

#include <algorithm>

namespace callwitness::metrics {

namespace {
constexpr std::uint64_t least_packets = 8;                // of flows outside calls that are worth a detector's look
constexpr std::uint64_t dense_budget = 16'000'000;        // seconds over all flows
constexpr std::uint32_t longest_series_s = 200'000;

struct Orientation { bool turned = false, known = false; };   ///< turned: the flow's forward way is received

Orientation orient(const capture::FiveTuple& tuple, const std::optional<capture::IpAddress>& call_local,
                   const std::vector<capture::IpAddress>& local) {
  const auto ours = [&](const capture::IpAddress& address) {
    if (call_local) return address == *call_local;
    return std::find(local.begin(), local.end(), address) != local.end();
  };
  const bool source = ours(tuple.source.address), destination = ours(tuple.destination.address);
  if (source == destination) return {};
  return {destination, true};
}

std::optional<Duration> median_of(std::vector<Duration> values) {
  if (values.empty()) return std::nullopt;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

ByteSeries dense(const std::vector<FlowSecond>& records, Time origin, bool turned, std::uint64_t& budget) {
  ByteSeries series;
  if (records.empty()) return series;
  const std::uint32_t first = records.front().second, span = records.back().second - first + 1;
  series.start = origin + std::chrono::seconds(first);
  if (span == 0 || span > longest_series_s || span > budget) return series;
  budget -= span;
  series.sent.assign(span, 0);
  series.received.assign(span, 0);
  for (const auto& record : records) {
    series.sent[record.second - first] = record.bytes[turned ? 1 : 0];
    series.received[record.second - first] = record.bytes[turned ? 0 : 1];
  }
  return series;
}

struct Builder {
  Meters& meters;
  const classify::Classification& classification;
  std::map<classify::FlowId, CallId> call_of;
  std::map<classify::FlowId, Orientation> orientation;
  std::map<classify::FlowId, std::optional<double>> round_trip_ms;

  void find_calls();
  void orient_flows();
  void add_streams(Observation& observation, std::vector<StreamMeasures>& measures);
  void add_stream(const classify::Stream& stream, const StreamRelation& relation, StreamObservation& observed, StreamMeasures& measured);
  void turn_twins(Observation& observation, std::vector<StreamMeasures>& measures) const;
  void add_flows(Observation& observation);
};

void Builder::find_calls() {
  for (const auto& call : classification.calls)
    for (const auto flow : call.flows) call_of.emplace(flow, call.id);
  for (const auto& stream : classification.streams)
    if (stream.call) call_of.emplace(stream.flow, *stream.call);
}

void Builder::orient_flows() {
  for (const auto& flow : classification.flows)           // final labels and roles
    if (const auto kept = meters.flows.find(flow.id); kept != meters.flows.end()) {
      kept->second.flow = &flow;
      kept->second.own.reset();
    }
  for (const auto& [id, kept] : meters.flows) {
    if (!kept.flow) continue;
    std::optional<capture::IpAddress> local;
    if (const auto call = call_of.find(id); call != call_of.end() &&
        static_cast<std::size_t>(call->second) < classification.calls.size())
      local = classification.calls[static_cast<std::size_t>(call->second)].local;
    auto found = orient(kept.flow->five_tuple, local, classification.vantage.local);
    if (!found.known && local) found = orient(kept.flow->five_tuple, std::nullopt, classification.vantage.local);
    orientation[id] = found;
    std::vector<Duration> times;
    if (const auto trips = meters.round_trips.find(id); trips != meters.round_trips.end())
      for (const auto& trip : trips->second) {
        // Asked by the local end: the whole way. Asked by the remote end: only our own turn-around.
        const bool asked_by_us = !found.known || (trip.asked == classify::Way::forward) != found.turned;
        if (asked_by_us) times.push_back(trip.round_trip);
      }
    auto middle = median_of(std::move(times));
    if (!middle && kept.meter.tcp) {
      const auto tcp = kept.meter.tcp->observation(found.turned, found.known);
      middle = tcp.median_round_trip ? tcp.median_round_trip : tcp.handshake_round_trip;
    }
    if (middle) round_trip_ms[id] = capture::milliseconds(*middle);
  }
}

void Builder::add_streams(Observation& observation, std::vector<StreamMeasures>& measures) {
  measures.resize(classification.streams.size());
  observation.streams.resize(classification.streams.size());
  std::vector<NumberedStream> numbered(measures.size());
  for (std::size_t i = 0; i < numbered.size(); ++i)
    if (i < meters.streams.size() && meters.streams[i] && meters.streams[i]->packets() > 0) numbered[i] = meters.streams[i]->numbered(classification.streams[i]);
  const auto relations = relate(numbered);
  for_each_index(measures.size(), [&](std::size_t i) { add_stream(classification.streams[i], relations[i], observation.streams[i], measures[i]); });
  turn_twins(observation, measures);
}

/// A NAT's outer side has no address of ours; its stream goes the way that its twin inside goes.
void Builder::turn_twins(Observation& observation, std::vector<StreamMeasures>& measures) const {
  for (auto& measured : measures) {
    auto& observed = observation.streams[static_cast<std::size_t>(measured.id)];
    if (measured.direction_known || !observed.twin) continue;
    const auto& twin = measures[static_cast<std::size_t>(*observed.twin)];
    if (!twin.direction_known) continue;
    measured.direction = observed.direction = twin.direction;
    measured.direction_known = true;
  }
}

void Builder::add_stream(const classify::Stream& stream, const StreamRelation& relation, StreamObservation& observed, StreamMeasures& measured) {
  measured.id = observed.id = stream.id;
  measured.call = stream.call;
  if (const auto found = orientation.find(stream.flow); found != orientation.end()) {
    const bool received = (stream.way == classify::Way::forward) == found->second.turned;
    measured.direction = observed.direction = received ? Direction::received : Direction::sent;
    measured.direction_known = found->second.known;
  }
  const auto index = static_cast<std::size_t>(stream.id);
  if (index >= meters.streams.size() || !meters.streams[index] || meters.streams[index]->packets() == 0) return;
  // RTCP may share the media's flow or have its own on the next port: the SSRC decides.
  if (const auto reports = meters.reports.find(stream.ssrc.value_or(0)); stream.ssrc && reports != meters.reports.end())
    for (const auto& report : reports->second)
      if (report.flow != stream.flow || report.way != stream.way) observed.reports.push_back(report);
  const auto trip = round_trip_ms.find(stream.flow);
  const auto told = observed.direction == Direction::sent ? reported_loss(observed.reports, meters.streams[index]->packets()) : std::nullopt;
  meters.streams[index]->measure(stream, trip == round_trip_ms.end() ? std::nullopt : trip->second, told ? told->ratio() : 0, relation, measured, observed);
  meters.streams[index].reset();
}

void Builder::add_flows(Observation& observation) {
  std::uint64_t budget = dense_budget;
  Seconds<FlowSecond> total;
  std::vector<Trace*> traces;                             // of observation.flows
  for (const auto& record : meters.forgotten.records()) total.at(record.second) = record;
  for (auto& [id, kept] : meters.flows) {
    const auto found = orientation[id];
    for (const auto& record : kept.meter.seconds.records()) {
      auto& sum = total.at(record.second);
      sum.bytes[0] += record.bytes[found.turned ? 1 : 0];
      sum.bytes[1] += record.bytes[found.turned ? 0 : 1];
    }
    const auto call = call_of.find(id);
    const bool lost = kept.meter.tcp && (kept.meter.tcp->lost_anything() || kept.meter.tcp->unanswered());
    if (!kept.flow || (kept.meter.packets < least_packets && call == call_of.end() && !lost)) continue;
    auto& flow = observation.flows.emplace_back();
    flow.flow = *kept.flow;
    flow.forward = found.turned ? Direction::received : Direction::sent;
    if (call != call_of.end()) flow.call = call->second;
    flow.bytes = dense(kept.meter.seconds.records(), meters.origin, found.turned, budget);
    traces.push_back(&kept.meter.trace);
    flow.trace_complete = !kept.meter.given_up;
    if (kept.meter.tcp) flow.tcp = kept.meter.tcp->observation(found.turned, found.known);
    for (std::size_t way = 0; way < 2; ++way)
      if (kept.meter.segments[way]) flow.segments[found.turned ? 1 - way : way] = kept.meter.segments[way]->take();
    if (const auto trips = meters.round_trips.find(id); trips != meters.round_trips.end()) flow.round_trips = std::move(trips->second);
    for (std::size_t way = 0; way < 2; ++way) flow.time_to_live[found.turned ? 1 - way : way] = kept.meter.time_to_live[way];
    for (std::size_t way = 0; way < 2; ++way) {
      const auto& end = kept.meter.ends[way];
      auto& own = flow.ends[found.turned ? 1 - way : way];
      own.first = end.first;
      own.last = end.last;
      for (std::size_t side = 0; side < 2; ++side) {
        own.packets[found.turned ? 1 - side : side] = end.packets[side];
        own.bytes[found.turned ? 1 - side : side] = end.bytes[side];
      }
    }
  }
  for_each_index(traces.size(), [&](std::size_t i) {
    auto& flow = observation.flows[i];
    flow.trace = traces[i]->take();
    if (flow.forward == Direction::received)
      for (auto& packet : flow.trace) packet.direction = packet.direction == Direction::sent ? Direction::received : Direction::sent;
  });
  std::uint64_t total_budget = longest_series_s;
  observation.total = dense(total.records(), meters.origin, false, total_budget);
}
}  // namespace

Observation observe(Meters& meters, const capture::CaptureRecords& captures,
                    const classify::Classification& classification, std::vector<StreamMeasures>& measures) {
  Observation observation;
  observation.captures = &captures;
  observation.classification = &classification;
  observation.first_time = meters.origin;
  observation.last_time = meters.last_time;
  observation.local_known = !classification.vantage.local.empty() ||
                            std::any_of(classification.calls.begin(), classification.calls.end(), [](const auto& call) { return call.local.has_value(); });
  Builder builder{meters, classification, {}, {}, {}};
  builder.find_calls();
  builder.orient_flows();
  builder.add_streams(observation, measures);
  builder.add_flows(observation);
  observation.sender_reports = std::move(meters.sender_reports);
  return observation;
}

}  // namespace callwitness::metrics
