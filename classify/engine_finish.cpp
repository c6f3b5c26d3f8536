// The end: evidence fused, kinds told, calls built.
#include "classify/call_builder.hpp"
#include "classify/engine.hpp"

#include <algorithm>
#include <map>

namespace callwitness::classify {
namespace {

// Media that went on until this long before the last packet was cut by the capture's end, not by silence.
constexpr Duration silence = std::chrono::seconds(5);

}  // namespace

Label Engine::label_of(const FlowState& state) const {
  if (state.application && state.claim.confidence >= 0.5) return state.flow.label;
  if (state.stream_count == 0 && !(state.detail && state.detail->rtp)) return state.flow.label;
  if (state.detail && state.detail->rtp) {
    if (state.ice || state.dtls) return {"webrtc", 0.6, Basis::behaviour};
    return {"rtp", 0.8, Basis::behaviour};
  }
  return state.flow.label;
}

void Engine::harvest(FlowState& state) {
  if (!state.detail || !state.detail->rtp) return;
  for (const auto& track : state.detail->rtp->tracks()) {
    if (!track.stream) continue;
    const auto at = static_cast<std::size_t>(*track.stream);
    StreamFacts& facts = facts_[at];
    facts.markers = track.markers;
    facts.same_timestamp = track.same_timestamp;
    facts.advances = track.advances;
    facts.ticks = track.ticks;
    facts.last_timestamp = track.last_timestamp;
    Stream& stream = streams_[at];
    stream.payload_type = track.main_type();
    const auto known = static_payload_type(stream.payload_type);
    if (!known.codec.empty()) {
      stream.codec = known.codec;
      stream.clock_rate_hz = known.clock_rate_hz;
      stream.kind = known.kind;
    }
  }
}

void Engine::end_flow(FlowState& state) {
  if (!state.settled && state.detail) settle(state, true);
  harvest(state);
  vantage_.add(state);
  state.flow.label = label_of(state);
  Flow& flow = state.flow;
  const TcpTracker* tcp = state.detail ? state.detail->tcp.get() : nullptr;
  const Time last = state.stream_count > 0 ? state.last_media_time : flow.last_time;
  if (state.bye) flow.ended_by = Ending::bye;
  else if (tcp && tcp->reset()) flow.ended_by = Ending::rst;
  else if ((tcp && tcp->close_notify()) || state.close_notify) flow.ended_by = Ending::close_notify;
  else if (tcp && tcp->fin()) flow.ended_by = Ending::fin;
  else if (state.rtcp_bye) flow.ended_by = Ending::rtcp_bye;
  else flow.ended_by = now_ - last > silence ? Ending::silence : Ending::capture_end;
  for (auto& stream : streams_of(state)) streams_[static_cast<std::size_t>(stream)].label = flow.label;
}

std::vector<StreamId> Engine::streams_of(const FlowState& state) const {
  std::vector<StreamId> ids;
  if (!state.detail) return ids;
  if (state.detail->rtp) {
    for (const auto& track : state.detail->rtp->tracks()) if (track.stream) ids.push_back(*track.stream);
  }
  for (const auto& track : state.detail->counters) if (track.stream) ids.push_back(*track.stream);
  std::sort(ids.begin(), ids.end());
  return ids;
}

void Engine::finish() {
  Classification result;
  for (std::uint32_t slot = 0; slot < table_.slots(); ++slot) {
    if (table_[slot].used) end_flow(table_[slot]);
  }
  result.flows = std::move(retired_);
  for (std::uint32_t slot = 0; slot < table_.slots(); ++slot) {
    if (table_[slot].used) result.flows.push_back(table_[slot].flow);
  }
  std::sort(result.flows.begin(), result.flows.end(), [](const Flow& a, const Flow& b) { return a.id < b.id; });
  result.vantage = vantage_.infer(options_.local);

  tell_kinds(streams_, facts_);
  std::map<FlowId, MediaFlow> media;
  std::map<FlowId, const Flow*> by_id;
  for (const auto& flow : result.flows) by_id[flow.id] = &flow;
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    const auto found = by_id.find(streams_[i].flow);
    if (found == by_id.end() || facts_[i].packets == 0 || found->second->role == Role::tunnel) continue;
    auto [entry, fresh] = media.try_emplace(found->first);
    MediaFlow& flow = entry->second;
    if (fresh) {
      flow.flow = found->second;
      flow.label = found->second->label;
      flow.ended_by = found->second->ended_by;
      flow.first_time = facts_[i].first_time;
      flow.last_time = facts_[i].last_time;
    }
    flow.streams.push_back(streams_[i].id);
    flow.first_time = std::min(flow.first_time, facts_[i].first_time);
    flow.last_time = std::max(flow.last_time, facts_[i].last_time);
  }
  std::vector<MediaFlow> flows;
  for (auto& [id, flow] : media) flows.push_back(std::move(flow));
  result.calls = build_calls(std::move(flows), streams_, facts_, result.vantage);
  result.streams = std::move(streams_);
  result.resets = std::move(resets_);
  result.anomalies = std::move(anomalies_);
  sink_.finish(result);
}

}  // namespace callwitness::classify
