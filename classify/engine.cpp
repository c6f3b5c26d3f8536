#include "classify/engine.hpp"

#include <algorithm>
#include <utility>

namespace callwitness::classify {
namespace {

// Beginnings of flows kept for the recognisers take this much memory at most, over all flows.
constexpr std::size_t start_memory = 64 * 1024 * 1024;
constexpr std::size_t retired_memory = 100'000;
// A claim this sure ends the search.
constexpr double sure = 0.9;
constexpr std::uint64_t never_evict_lone = 2;

/// The same bytes once more at once, as a mirror port shows them: of that a format's counters know nothing.
bool repeats_newest(const StartRecorder& start, Way way, const Datagram& datagram) {
  constexpr capture::Duration at_once = std::chrono::milliseconds(2);
  const auto newest = std::find_if(start.records.rbegin(), start.records.rend(), [way](const auto& record) { return record.way == way; });
  if (newest == start.records.rend() || newest->payload_length != datagram.payload_length || datagram.time - newest->time > at_once) return false;
  const auto kept = Bytes(start.bytes).subspan(newest->offset, newest->size);
  return kept.size() <= datagram.payload.size() && std::equal(kept.begin(), kept.end(), datagram.payload.begin());
}

}  // namespace

Engine::Engine(MediaSink& sink, const ClassifierOptions& options)
    : sink_(sink), options_(options), table_(options.flow_limit) {
  if (options.use_ndpi) labeller_ = std::make_unique<ndpi::Labeller>();
}

FlowDetail& Engine::detail_of(FlowState& state) {
  if (!state.detail) state.detail = std::make_unique<FlowDetail>();
  return *state.detail;
}

std::uint32_t Engine::create(const Datagram& datagram) {
  if (table_.full()) {
    if (const auto victim = table_.to_evict()) {
      anomalies_.count(table_[*victim].flow.forward.packets + table_[*victim].flow.backward.packets < never_evict_lone
                           ? "flow_evicted_lone" : "flow_evicted");
      close(*victim);
    } else {
      anomalies_.count("flow_limit_exceeded");
    }
  }
  const auto slot = table_.insert(datagram.five_tuple);
  FlowState& state = table_[slot];
  state.flow.id = FlowId{next_flow_++};
  state.flow.first_time = state.flow.last_time = datagram.time;
  const auto* entry = names_.lookup(datagram.five_tuple.destination.address);
  if (!entry) entry = names_.lookup(datagram.five_tuple.source.address);
  if (entry) state.flow.server_name = entry->name;
  if (!datagram.owner.empty()) state.flow.owner = Untrusted(std::string(datagram.owner.substr(0, 128)));
  return slot;
}

void Engine::close(std::uint32_t slot) {
  FlowState& state = table_[slot];
  end_flow(state);
  const bool worth_keeping = state.stream_count > 0 || (state.detail && state.detail->tcp && state.detail->tcp->reset()) ||
                             state.flow.forward.packets + state.flow.backward.packets > 32;
  if (worth_keeping && retired_.size() < retired_memory) retired_.push_back(state.flow);
  attempts_.on_flow_closed(state.flow, now_);
  if (labeller_) {
    if (worth_keeping) labeller_->close(state.flow.id);
    else labeller_->forget(state.flow.id);
  }
  sink_.on_flow_closed(state.flow);
  table_.erase(slot);
}

FlowState& Engine::flow_of(const Datagram& datagram, const FlowTable::Key& key, Way& way) {
  auto slot = table_.find(datagram.five_tuple, key, way);
  if (slot != FlowTable::none && datagram.tcp) {
    const FlowState& state = table_[slot];
    if (state.detail && state.detail->tcp && state.detail->tcp->superseded_by(way, datagram)) {
      close(slot);
      slot = FlowTable::none;
    }
  }
  if (slot == FlowTable::none) {
    way = Way::forward;
    return table_[create(datagram)];
  }
  FlowState& state = table_[slot];
  table_.touch(slot, state, state.stream_count > 0 ? FlowTable::calls : FlowTable::conversations);
  return state;
}

void Engine::note_traits(FlowState& state, Way way, const Datagram& datagram) {
  WayTraits& traits = state.traits[static_cast<std::size_t>(way)];
  ++traits.packets;
  const auto left = datagram.time_to_live;
  if (left == 64 || left == 128 || left == 255) ++traits.initial_time_to_live;
  if (datagram.direction == capture::LinkDirection::inbound) ++traits.inbound;
  if (datagram.direction == capture::LinkDirection::outbound) ++traits.outbound;
}

/// A flow's memory has left the processor's cache until its next packet comes, where there are many: all that the
/// datagrams at hand will need is asked for at once, one step along the pointers after the other. A wrong guess changes
/// nothing but the time.
void Engine::fetch_ahead(std::span<const Datagram> datagrams, Keys& keys) {
  std::array<FlowState*, at_once> states;
  std::array<const RtpTrack*, at_once> tracks;
  std::array<Upcoming, at_once> upcoming;
  const std::size_t count = datagrams.size();
  for (std::size_t i = 0; i < count; ++i) {
    keys[i] = table_.key_of(datagrams[i].five_tuple);
    table_.fetch(keys[i]);
  }
  for (std::size_t i = 0; i < count; ++i) {
    states[i] = table_.guess(keys[i]);
    if (!states[i]) continue;
    __builtin_prefetch(&states[i]->flow.five_tuple, 1);
    __builtin_prefetch(&states[i]->flow.backward, 1);
    __builtin_prefetch(&states[i]->rtp, 1);
  }
  for (std::size_t i = 0; i < count; ++i)
    if (states[i] && states[i]->rtp) __builtin_prefetch(states[i]->rtp.get());
  for (std::size_t i = 0; i < count; ++i) {
    tracks[i] = nullptr;
    if (!states[i] || !states[i]->rtp) continue;
    tracks[i] = states[i]->rtp->expected(keys[i].swapped == states[i]->swapped ? Way::forward : Way::backward);
    if (!tracks[i]) continue;
    __builtin_prefetch(tracks[i], 1);
    __builtin_prefetch(reinterpret_cast<const char*>(tracks[i]) + 64, 1);
  }
  std::size_t known = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!states[i]) continue;
    upcoming[known] = {states[i]->flow.slot, std::nullopt};
    if (tracks[i] && tracks[i]->stream) {
      upcoming[known].stream = tracks[i]->stream;
      __builtin_prefetch(&facts_[static_cast<std::size_t>(*tracks[i]->stream)], 1);
    }
    ++known;
  }
  sink_.expect(std::span(upcoming).first(known));
}

void Engine::on_datagrams(std::span<const Datagram> datagrams) {
  Keys keys;
  while (!datagrams.empty()) {
    const auto batch = datagrams.first(std::min(datagrams.size(), at_once));
    datagrams = datagrams.subspan(batch.size());
    fetch_ahead(batch, keys);
    for (std::size_t i = 0; i < batch.size(); ++i) on_datagram(batch[i], keys[i]);
  }
}

bool Engine::is_second_copy(FlowState& state, Way way, const Datagram& datagram) {
  const SegmentMark mark{datagram.tcp->sequence, datagram.tcp->acknowledgement, datagram.payload_length, datagram.ip_id, datagram.tcp->flags};
  auto& newest = detail_of(state).newest_segment[static_cast<std::size_t>(way)];
  return mark.ip_id != 0 && std::exchange(newest, mark) == mark;
}

void Engine::on_datagram(const Datagram& datagram, const FlowTable::Key& key) {
  if (!any_ || datagram.time > now_) now_ = datagram.time;
  any_ = true;
  Way way = Way::forward;
  FlowState& state = flow_of(datagram, key, way);
  Flow& flow = state.flow;
  if (copies_.is_copy(datagram, state.traits[static_cast<std::size_t>(way)].copies)) {
    anomalies_.count("captured_twice");
    return;
  }
  flow.last_time = std::max(flow.last_time, datagram.time);
  WayCounters& counters = way == Way::forward ? flow.forward : flow.backward;
  ++counters.packets;
  counters.ip_bytes += datagram.ip_length;
  if (!datagram.owner.empty() && flow.owner.empty()) flow.owner = Untrusted(std::string(datagram.owner.substr(0, 128)));
  note_traits(state, way, datagram);
  if (datagram.tcp && is_second_copy(state, way, datagram)) {
    sink_.on_datagram(flow, way, datagram);   // it crossed the capture all the same
    return;
  }
  if (NameTable::may_tell(datagram)) {
    if (Untrusted name = names_.on_datagram(datagram); !name.empty()) flow.server_name = std::move(name);
    if (flow.server_name.empty()) flow.server_name = names_.certificate_name(datagram);
  }
  sink_.on_datagram(flow, way, datagram);
  if (datagram.payload_length > 0 && !state.settled) recognise(state, way, datagram);
  if (!state.attempt_settled || AttemptTracker::may_be_signalling(datagram))
    state.attempt_settled = attempts_.on_datagram(flow, way, datagram, names_);
  if (!state.ndpi_done && labeller_) state.ndpi_done = !labeller_->submit(flow.id, datagram);
  if (datagram.tcp) on_tcp(state, way, datagram);
  else if (datagram.five_tuple.protocol == capture::protocol::udp) on_udp(state, way, datagram);
}

void Engine::recognise(FlowState& state, Way way, const Datagram& datagram) {
  StartRecorder& start = detail_of(state).start;
  if (!datagram.tcp && repeats_newest(start, way, datagram)) return;   // of TCP, is_second_copy() knows
  if (start_bytes_ > start_memory) {
    anomalies_.count("flow_start_not_kept");
    settle(state);
    return;
  }
  start_bytes_ -= start.footprint();
  const auto prefix = datagram.payload.first(std::min(datagram.payload.size(), FlowStart::prefix_limit));
  start.records.push_back({datagram.time, datagram.ordinal, datagram.payload_length, datagram.ip_length,
                           static_cast<std::uint16_t>(start.bytes.size()), static_cast<std::uint16_t>(prefix.size()), way});
  start.bytes.insert(start.bytes.end(), prefix.begin(), prefix.end());
  start_bytes_ += start.footprint();

  std::array<StartPacket, FlowStart::packet_limit> packets;
  const Bytes bytes(start.bytes);
  for (std::size_t i = 0; i < start.records.size(); ++i) {
    const auto& record = start.records[i];
    packets[i] = {record.time, record.way, bytes.subspan(record.offset, record.size), record.payload_length};
  }
  const FlowStart view{state.flow.five_tuple, std::span(packets).first(start.records.size())};
  // The newest answer counts: what follows may take a claim back.
  const Recognition recognition = classify::recognise(view);
  state.claim = recognition.claim;
  state.application = recognition.application;
  state.flow.role = state.claim.role;
  state.flow.label = {};
  if (recognition.application) state.flow.label = {recognition.application->key, state.claim.confidence, state.claim.basis};
  if (state.claim.confidence >= sure || start.records.size() >= FlowStart::packet_limit) settle(state);
}

void Engine::settle(FlowState& state, bool last_too) {
  state.settled = true;
  StartRecorder& start = state.detail->start;
  // What was media among the first packets is made up for, from their kept prefixes. The newest one
  // is still to come, unless the flow is over.
  if (state.application && (state.application->media || state.claim.role == Role::tunnel) &&
      state.flow.five_tuple.protocol == capture::protocol::udp && !start.records.empty()) {
    const std::size_t count = start.records.size() - (last_too ? 0 : 1);
    for (std::size_t i = 0; i < count; ++i) {
      const auto& record = start.records[i];
      Datagram earlier;
      earlier.time = record.time;
      earlier.ordinal = record.ordinal;
      earlier.five_tuple = record.way == Way::forward ? state.flow.five_tuple : state.flow.five_tuple.reversed();
      earlier.ip_length = record.ip_length;
      earlier.payload_length = record.payload_length;
      earlier.payload = Bytes(start.bytes).subspan(record.offset, record.size);
      earlier.truncated = record.size < record.payload_length;
      if (const auto header = media_of(state, earlier, record.way)) on_counter(state, record.way, earlier, *header);
    }
  }
  start_bytes_ -= start.footprint();
  start = {};
}

void Engine::on_idle(Time now) {
  now_ = std::max(now_, now);
  sink_.on_idle(now);
}

}  // namespace callwitness::classify
