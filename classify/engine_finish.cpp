// The end: evidence fused, kinds told, calls built.
#include "classify/calls/call_builder.hpp"
#include "classify/calls/kinship.hpp"
#include "classify/calls/shared_flows.hpp"
#include "classify/engine.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace callwitness::classify {
namespace {

// Media that went on until this long before the last packet was cut by the capture's end, not by silence.
constexpr Duration silence = std::chrono::seconds(5);
// Media trail a good-bye by what was on the way.
constexpr Duration trailing = std::chrono::seconds(2);
// Media begin this long after the last that was said of them, at most.
constexpr Duration signalled = std::chrono::seconds(60);
// A call begins while its sign-in is at most this old.
constexpr Duration sign_in = std::chrono::minutes(2);
// A server that answers a ClientHello sends more than this; SYN-ACKs and resets of a barred one are less.
constexpr std::uint64_t least_sign_in = 400;

std::string_view key_of(Signalling signalling) {
  switch (signalling) {
    case Signalling::rtsp: return "rtsp";
    case Signalling::h323: return "h323";
    case Signalling::mgcp: return "mgcp";
    case Signalling::skinny: return "skinny";
    default: return "sip";
  }
}

/// The exchange that a connection of this application is, where its media may be tied to it by host and time alone.
Signalling exchange_of(std::string_view application) {
  for (const auto each : {Signalling::h323, Signalling::mgcp, Signalling::skinny}) if (key_of(each) == application) return each;
  return Signalling::none;
}

}  // namespace

std::string_view Engine::name_application(const Flow& flow) const {
  if (!flow.server_name.empty()) {
    if (const auto* named = application_of_name(flow.server_name.raw())) return named->key;
  }
  for (const auto* endpoint : {&flow.five_tuple.destination, &flow.five_tuple.source}) {
    const auto* entry = names_.lookup(endpoint->address);
    if (entry && !entry->application.empty()) return entry->application;
  }
  return {};
}

/// What can be said at once; the fused label comes at the end, when all evidence is in.
Label Engine::label_of(const FlowState& state) const {
  if (state.application && state.claim.confidence >= 0.5) return state.flow.label;
  if (carries_rtp(state)) return state.ice || state.dtls ? Label{"webrtc", 0.6, Basis::behaviour} : Label{"rtp", 0.8, Basis::behaviour};
  return state.flow.label;
}

Label Engine::fused_label(const FlowState& state) const {
  Evidence evidence;
  evidence.recognition = {state.application, state.claim};
  evidence.owner = state.flow.owner.raw();
  evidence.five_tuple = state.flow.five_tuple;
  evidence.carries_rtp = carries_rtp(state);
  evidence.name_application = name_application(state.flow);
  evidence.is_ice = state.ice || state.dtls;
  const auto label = ndpi_labels_.find(state.flow.id);
  if (label != ndpi_labels_.end()) evidence.ndpi_label = label->second;
  if (state.ice && !state.dtls && evidence.carries_rtp) {
    bool audio = false, video = false;
    for (const auto& track : state.rtp->tracks()) {
      if (!track.stream) continue;
      audio = audio || track.main_type() == 102;
      video = video || track.main_type() == 118;
    }
    evidence.is_signal_like = audio && video;
  }
  return fuse(evidence);
}

/// Call numbers of a trunk (IAX2): both ways of a call get the same line, of both their numbers.
void Engine::harvest_lines(const FlowDetail& detail) {
  for (const auto& track : detail.counters) {
    std::optional<std::uint32_t> partner = track.partner;
    std::optional<Time> goodbye = track.goodbye;
    for (const auto& other : detail.counters) {
      if (other.way == track.way || (other.partner != track.space && track.partner != other.space)) continue;
      if (!partner) partner = other.space;
      if (!goodbye) goodbye = other.goodbye;
    }
    if (!track.stream || !partner) continue;
    StreamFacts& facts = facts_[static_cast<std::size_t>(*track.stream)];
    const bool forward = track.way == Way::forward;
    facts.line = (forward ? track.space : *partner) << 16 | (forward ? *partner : track.space);
    facts.goodbye = goodbye;
  }
}

void Engine::harvest(FlowState& state) {
  if (state.detail) harvest_lines(*state.detail);
  if (!state.rtp) return;
  for (const auto& track : state.rtp->tracks()) {
    if (!track.stream) continue;
    const auto at = static_cast<std::size_t>(*track.stream);
    StreamFacts& facts = facts_[at];
    facts.markers = track.markers;
    facts.same_timestamp = track.same_timestamp;
    facts.advances = track.advances;
    facts.ticks = track.ticks;
    facts.last_timestamp = track.last_timestamp;
    facts.missing = static_cast<std::uint32_t>(track.skipped - std::min(track.skipped, track.late));
    facts.weighed = track.weighed;
    facts.repeats = track.repeats;
    facts.later = track.later;
    facts.repeated = track.repeated;
    Stream& stream = streams_[at];
    stream.payload_type = track.main_type();
    const auto known = static_payload_type(stream.payload_type);
    if (!known.codec.empty()) {
      stream.codec = known.codec;
      stream.clock_rate_hz = known.clock_rate_hz;
      stream.kind = known.kind;
    }
    stream.formats.clear();
    for (std::size_t slot = 0; slot < RtpTrack::type_slots && track.types[slot] >= 0; ++slot) {
      const auto format = static_payload_type(track.types[slot]);
      stream.formats.push_back({track.types[slot], std::string(format.codec), format.clock_rate_hz, track.type_packets[slot],
                                (track.auxiliary_types >> slot & 1) != 0});
    }
  }
}

void Engine::end_flow(FlowState& state) {
  if (!state.settled && state.detail) settle(state, true);
  harvest(state);
  if (state.rtcp && state.stream_count == 0 && state.flow.role == Role::unknown) state.flow.role = Role::control;
  vantage_.add(state);
  state.flow.label = fused_label(state);
  Flow& flow = state.flow;
  const TcpTracker* tcp = state.detail ? state.detail->tcp.get() : nullptr;
  const Time last = state.stream_count > 0 ? state.last_media_time : flow.last_time;
  // Media that go on after a good-bye weren't meant by it.
  const auto was_last_word = [&](const std::optional<Time>& said) { return said && last - *said <= trailing; };
  if (state.bye) flow.ended_by = Ending::bye;
  else if (tcp && tcp->reset()) flow.ended_by = Ending::rst;
  else if ((tcp && tcp->close_notify()) || was_last_word(state.close_notify)) flow.ended_by = Ending::close_notify;
  else if (tcp && tcp->fin()) flow.ended_by = Ending::fin;
  else if (was_last_word(state.rtcp_bye)) flow.ended_by = Ending::rtcp_bye;
  else flow.ended_by = now_ - last > silence ? Ending::silence : Ending::capture_end;
  if (flow.ended_by == Ending::close_notify || flow.ended_by == Ending::fin) flow.goodbye = tcp ? tcp->goodbye() : state.close_notify;
  if (flow.ended_by == Ending::rtcp_bye) flow.goodbye = state.rtcp_bye;
  for (auto& stream : streams_of(state)) streams_[static_cast<std::size_t>(stream)].label = flow.label;
}

std::vector<StreamId> Engine::streams_of(const FlowState& state) const {
  std::vector<StreamId> ids;
  if (state.rtp) {
    for (const auto& track : state.rtp->tracks()) if (track.stream) ids.push_back(*track.stream);
  }
  if (state.detail) {
    for (const auto& track : state.detail->counters) if (track.stream) ids.push_back(*track.stream);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

/// Voice without a format takes the name of the one service that its host had just signed in to, of those whose media
/// nobody can tell by its looks (Tango).
Label Engine::label_by_sign_in(const Flow& voice, const std::vector<Flow>& all) const {
  const Application* found = nullptr;
  for (const auto& flow : all) {
    const bool shares_host = flow.five_tuple.source.address == voice.five_tuple.source.address ||
                             flow.five_tuple.source.address == voice.five_tuple.destination.address;
    if (!shares_host || flow.first_time > voice.first_time || voice.first_time - flow.last_time > sign_in) continue;
    if (flow.backward.ip_bytes < least_sign_in) continue;   // tried, not signed in: then what speaks is somebody else
    const Application* named = find_application(name_application(flow));
    if (!named || named->recognise || named == found) continue;
    if (found) return {};
    found = named;
  }
  return found ? Label{found->key, 0.6, Basis::name} : Label{};
}

/// Where the messages of H.323, MGCP or Skinny that name media can't be followed (enciphered, before the capture, or in a
/// form that isn't read), plain RTP of a host belongs to such a connection of that host if it was there when the media
/// began, and if no other kind was.
const Flow* Engine::signalling_of(const Flow& voice, const std::vector<Flow>& all) {
  const Flow* found = nullptr;
  for (const auto& flow : all) {
    const auto key = flow.label.application;
    if (flow.role != Role::signalling || exchange_of(key) == Signalling::none) continue;
    const auto shares = [&](const Endpoint& end) { return end.address == voice.five_tuple.source.address || end.address == voice.five_tuple.destination.address; };
    if (!shares(flow.five_tuple.source) && !shares(flow.five_tuple.destination)) continue;
    if (flow.first_time > voice.first_time || voice.first_time - flow.last_time > signalled) continue;
    if (found && found->label.application != key) return nullptr;
    found = &flow;
  }
  return found;
}

/// One call's part of a flow.
MediaFlow Engine::media_flow(const Flow& its, const std::vector<SharingStream>& group) const {
  MediaFlow flow;
  flow.flow = &its;
  flow.ended_by = its.ended_by;
  flow.goodbye = its.goodbye;
  flow.first_time = group.front().first_time;
  flow.last_time = group.front().last_time;
  for (const auto& stream : group) {
    flow.streams.push_back(streams_[stream.stream].id);
    flow.first_time = std::min(flow.first_time, stream.first_time);
    flow.last_time = std::max(flow.last_time, stream.last_time);
    auto& last = flow.last_of_way[static_cast<std::size_t>(stream.way)];
    last = std::max(last.value_or(stream.last_time), stream.last_time);
    if (flow.dialog < 0) flow.dialog = stream.dialog;
    if (const auto& said = facts_[stream.stream].goodbye) {
      flow.ended_by = Ending::bye;
      flow.goodbye = said;
    }
  }
  std::sort(flow.streams.begin(), flow.streams.end());
  return flow;
}

std::vector<MediaFlow> Engine::media_flows(std::vector<Flow>& all) {
  std::map<FlowId, Flow*> by_id;
  for (auto& flow : all) by_id[flow.id] = &flow;
  std::map<FlowId, std::vector<SharingStream>> sharing;
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    const auto found = by_id.find(streams_[i].flow);
    if (found == by_id.end() || facts_[i].packets == 0 || found->second->role == Role::tunnel) continue;
    SharingStream stream{i, streams_[i].way, -1, facts_[i].line, facts_[i].first_time, facts_[i].last_time};
    const FiveTuple& tuple = found->second->five_tuple;
    for (const auto* endpoint : {&tuple.source, &tuple.destination}) {
      const auto* announcement = dialogs_.find(*endpoint, stream.first_time, stream.last_time);
      if (announcement && stream.dialog < 0) stream.dialog = static_cast<int>(dialogs_.leading(announcement->dialog));
    }
    sharing[found->first].push_back(stream);
  }
  std::vector<MediaFlow> media;
  for (auto& [id, all_of_flow] : sharing) {
    for (const auto& group : split_by_call(std::move(all_of_flow))) media.push_back(media_flow(*by_id[id], group));
  }
  std::vector<MediaFlow> flows;
  for (auto& flow : media) {
    Flow& its = *by_id[flow.flow->id];
    if (flow.dialog >= 0) {
      const Dialog& dialog = dialogs_.dialog(static_cast<std::size_t>(flow.dialog));
      flow.signalling = dialog.signalling;
      flow.announced = dialog.announced();
      if (dialog.bye && dialog.ended) {
        its.ended_by = flow.ended_by = Ending::bye;
        its.goodbye = flow.goodbye = flow.dialog_end = dialog.ended;
      }
      // Telephones that check their way with STUN (linphone) are no browsers: the dialog says whose media it is.
      if (its.label.basis > Basis::signalling && is_generic(its.label.application)) {
        its.label = {key_of(dialog.signalling), 0.97, Basis::signalling};
      }
    }
    if (flow.dialog < 0 && its.label.application == "rtp") {
      if (const Flow* const control = signalling_of(its, all)) {
        its.label = {control->label.application, 0.85, Basis::signalling};
        flow.signalling = exchange_of(control->label.application);
      }
    }
    const bool formless = streams_[static_cast<std::size_t>(flow.streams.front())].sequence_basis == SequenceBasis::none;
    if (formless && (its.label.application.empty() || its.label.basis == Basis::port)) {
      if (const Label label = label_by_sign_in(its, all); !label.application.empty()) its.label = label;
    }
    flow.label = its.label;
    for (const auto stream : flow.streams) streams_[static_cast<std::size_t>(stream)].label = its.label;
    flows.push_back(std::move(flow));
  }
  return flows;
}

void Engine::add_signalling(Classification& result) const {
  std::map<Endpoint, std::size_t> call_at;
  std::map<FlowId, const Flow*> by_id;
  for (const auto& flow : result.flows) by_id[flow.id] = &flow;
  for (std::size_t i = 0; i < result.calls.size(); ++i) {
    const auto media = result.calls[i].flows;  // grows below
    for (const auto id : media) {
      const auto& tuple = by_id[id]->five_tuple;
      if (result.calls[i].signalling == Signalling::none && tuple.protocol != capture::protocol::udp) continue;
      for (const auto* endpoint : {&tuple.source, &tuple.destination}) {
        call_at[*endpoint] = i;
        if (const auto* announcement = dialogs_.find(*endpoint, by_id[id]->first_time, by_id[id]->last_time)) {
          for (const auto flow : dialogs_.dialog(announcement->dialog).flows) {
            auto& flows = result.calls[i].flows;
            if (by_id.count(flow) && std::find(flows.begin(), flows.end(), flow) == flows.end()) flows.push_back(flow);
          }
        }
      }
    }
  }
  // RTCP on the next port (RFC 3550 11).
  for (const auto& flow : result.flows) {
    if (flow.role != Role::control || flow.five_tuple.protocol != capture::protocol::udp) continue;
    Endpoint source = flow.five_tuple.source, destination = flow.five_tuple.destination;
    if (source.port-- == 0 || destination.port-- == 0) continue;
    const auto at_source = call_at.find(source), at_destination = call_at.find(destination);
    if (at_source == call_at.end() || at_destination == call_at.end() || at_source->second != at_destination->second) continue;
    result.calls[at_source->second].flows.push_back(flow.id);
  }
  for (auto& call : result.calls) std::sort(call.flows.begin(), call.flows.end());
}

namespace {

void add_opinions(std::vector<Call>& calls, const std::vector<ndpi::Answer>& answers) {   // by flow
  static constexpr std::string_view certainties[] = {"none", "port", "address", "content"};
  for (auto& call : calls) {
    std::set<NdpiOpinion> opinions;
    for (const auto flow : call.flows) {
      const auto answer = std::lower_bound(answers.begin(), answers.end(), flow, [](const ndpi::Answer& a, FlowId id) { return a.flow < id; });
      if (answer == answers.end() || answer->flow != flow) continue;
      auto label = std::string(answer->master);
      label += (label.empty() || answer->application.empty() ? "" : ".") + std::string(answer->application);
      opinions.insert({std::move(label), certainties[static_cast<std::size_t>(answer->certainty)]});
    }
    call.ndpi.assign(opinions.begin(), opinions.end());
  }
}

}  // namespace

void Engine::finish() {
  Classification result;
  std::vector<ndpi::Answer> answers;
  if (labeller_) {
    answers = labeller_->drain();
    for (const auto& answer : answers) ndpi_labels_[answer.flow] = answer.application;
    anomalies_.merge(labeller_->anomalies());
  }
  for (std::uint32_t slot = 0; slot < table_.slots(); ++slot) {
    if (table_[slot].used) end_flow(table_[slot]);
  }
  result.flows = std::move(retired_);
  for (std::uint32_t slot = 0; slot < table_.slots(); ++slot) {
    if (table_[slot].used) result.flows.push_back(table_[slot].flow);
  }
  std::sort(result.flows.begin(), result.flows.end(), [](const Flow& a, const Flow& b) { return a.id < b.id; });
  result.attempts = attempts_.finish(now_);
  name_by_kin(result.flows, result.attempts);
  result.vantage = vantage_.infer(options_.local);

  for (std::size_t i = 0; i < streams_.size(); ++i) describe(streams_[i], facts_[i].first_time, facts_[i].last_time);
  tell_kinds(streams_, facts_);
  result.calls = build_calls(media_flows(result.flows), streams_, facts_, result.vantage);
  for (const auto& call : result.calls) {
    for (const auto id : call.streams) {
      Stream& stream = streams_[static_cast<std::size_t>(id)];
      if (is_generic(stream.label.application) && !is_generic(call.label.application)) stream.label = call.label;
    }
  }
  add_signalling(result);
  add_opinions(result.calls, answers);
  result.streams = std::move(streams_);
  result.resets = std::move(resets_);
  anomalies_.merge(names_.anomalies());
  result.anomalies = std::move(anomalies_);
  sink_.finish(result);
}

}  // namespace callwitness::classify
