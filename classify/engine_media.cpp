// What one datagram carries: STUN, RTCP, RTP, an application's own media, voice by its beat.
#include "classify/engine.hpp"
#include "classify/protocols/rtcp.hpp"

#include <algorithm>

namespace callwitness::classify {
namespace {

constexpr std::size_t packets_to_tell = 5, packets_to_tell_unknown = 32;       // of an application's own media, before it is a stream
constexpr std::uint64_t packets_before_beat = 8; // a flow shorter than this has no beat to watch
// The end of a turn-around that is too long says nothing of who is near.
constexpr Duration longest_answer = std::chrono::seconds(5);

/// Ports of protocols that are no voice and may keep a beat or have RTP's first byte.
bool never_media(const FiveTuple& tuple) {
  constexpr std::uint16_t ports[] = {53, 67, 68, 69, 123, 137, 138, 161, 162, 389, 500, 514, 1900, 3702, 4500, 5353, 5355};
  return std::any_of(std::begin(ports), std::end(ports), [&](std::uint16_t port) {
    return tuple.source.port == port || tuple.destination.port == port;
  });
}

/// A DTLS record (RFC 6347 4.1) whose length is true.
bool is_dtls(const Unwrapped& inner) {
  const Bytes bytes = inner.bytes;
  return bytes.size() >= 13 && bytes[0] >= 20 && bytes[0] <= 25 && bytes[1] == 0xfe && bytes[2] >= 0xfc &&
         13u + (static_cast<std::uint32_t>(bytes[11]) << 8 | bytes[12]) <= inner.wire_length;
}

MediaPacket packet_of(const Datagram& datagram, std::uint32_t payload_length) {
  MediaPacket packet;
  packet.time = datagram.time;
  packet.ordinal = datagram.ordinal;
  packet.ip_bytes = datagram.ip_length;
  packet.payload_bytes = static_cast<std::uint16_t>(std::min<std::uint32_t>(payload_length, 0xffff));
  return packet;
}

void note_relay(RelayLifetime& relay, const StunMessage& message, Time time) {
  constexpr std::uint16_t allocate = 3, refresh = 4, create_permission = 8, channel_bind = 9;
  if ((message.method == allocate || message.method == refresh) && message.lifetime_s) {
    relay.lifetime_s = *message.lifetime_s;
    relay.told = time;
  } else if (message.method == create_permission || message.method == channel_bind) {
    relay.has_permissions = true;
    relay.permitted = time;
  }
}

}  // namespace

void Engine::ask(FlowState& state, Way way, std::uint64_t key, Time time) {
  FlowDetail& detail = detail_of(state);
  for (auto& request : detail.requests) {
    if (request.key == key && request.way == way) {
      request.time = Time::min();  // asked twice: the answer can't be assigned (Karn)
      return;
    }
  }
  if (detail.requests.size() < FlowDetail::request_limit) detail.requests.push_back({key, time, way});
  else detail.requests[detail.next_request++ % FlowDetail::request_limit] = {key, time, way};
}

bool Engine::asked(const FlowState& state, Way way, std::uint64_t key) {
  return state.detail && std::any_of(state.detail->requests.begin(), state.detail->requests.end(), [&](const PendingRequest& request) {
    return request.key == key && request.way == way;
  });
}

std::optional<Duration> Engine::answer(FlowState& state, Way way, std::uint64_t key, Time time) {
  if (!state.detail) return std::nullopt;
  for (auto& request : state.detail->requests) {
    if (request.key != key || request.way == way) continue;
    const Time asked = request.time;
    request.key = 0;
    if (asked == Time::min() || time < asked || time - asked > longest_answer) return std::nullopt;
    return time - asked;
  }
  return std::nullopt;
}

void Engine::note_turn_around(FlowState& state, Way way, Duration taken) {
  WayAnswers& answers = state.answers[static_cast<std::size_t>(way)];
  if (answers.count < 0xffff) ++answers.count;
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(taken).count();
  answers.fastest_us = std::min(answers.fastest_us, static_cast<std::uint32_t>(std::clamp<std::int64_t>(microseconds, 0, 0xfffffffe)));
}

void Engine::on_stun(FlowState& state, Way way, const Datagram& datagram, const StunMessage& message) {
  using Class = StunMessage::Class;
  if (message.has_cookie) state.ice = true;
  if (message.message_class == Class::request) {
    ask(state, way, message.transaction, datagram.time);
  } else if (message.message_class != Class::indication) {
    if (message.message_class == Class::success) note_relay(state.flow.relay, message, datagram.time);
    if (const auto taken = answer(state, way, message.transaction, datagram.time)) {
      sink_.on_round_trip({state.flow.id, datagram.time, *taken, RoundTripBasis::stun, opposite(way)});
      note_turn_around(state, way, *taken);
    }
  }
}

void Engine::on_echo(FlowState& state, Way way, const Datagram& datagram) {
  auto echo = state.application->echo(datagram, way);
  if (!echo) return;
  if (echo->is_mirrored) echo->is_reply = asked(state, opposite(way), echo->key);
  if (!echo->is_reply) {
    ask(state, way, echo->key, datagram.time);
  } else if (const auto taken = answer(state, way, echo->key, datagram.time)) {
    sink_.on_round_trip({state.flow.id, datagram.time, *taken, RoundTripBasis::echo, opposite(way)});
  }
}

/// RTCP on the next port (RFC 3550 11) speaks of the media below it: their flow, and `way` as it counts there.
FlowState& Engine::media_beside(FlowState& state, Way& way) {
  FiveTuple below = way == Way::forward ? state.flow.five_tuple : state.flow.five_tuple.reversed();
  if (state.stream_count > 0 || below.protocol != capture::protocol::udp || below.source.port-- == 0 || below.destination.port-- == 0) return state;
  Way way_below = way;
  const auto slot = table_.find(below, way_below);
  if (slot == FlowTable::none || table_[slot].stream_count == 0) return state;
  way = way_below;
  return table_[slot];
}

bool Engine::on_rtcp(FlowState& state, Way way, const Datagram& datagram, Bytes bytes, std::uint32_t length) {
  const auto compound = parse_rtcp(bytes, length);
  if (!compound) return false;  // one random payload in 32 begins like RTCP
  state.rtcp = true;
  if (compound->encrypted) return true;
  FlowDetail& detail = detail_of(state);
  const auto own = static_cast<std::size_t>(way), other = 1 - own;
  Way way_of_media = way;
  FlowState& media = media_beside(state, way_of_media);
  for (std::size_t i = 0; i < compound->block_count; ++i) {
    const auto& block = compound->blocks[i];
    sink_.on_receiver_report({state.flow.id, way, datagram.time, block.ssrc, block.fraction_lost, block.cumulative_lost,
                              block.highest_sequence, block.jitter});
    if (block.last_sender_report == 0 || block.last_sender_report != detail.sender_report_middle[other]) continue;
    // RFC 3550 6.4.1 with our clock for A and LSR: both were captured here.
    const auto held = Duration(static_cast<std::int64_t>(block.delay_since) * 1'000'000'000 / 65'536);
    const Duration taken = datagram.time - detail.sender_report_time[other] - held;
    if (taken > Duration{} && taken < longest_answer) {
      sink_.on_round_trip({media.flow.id, datagram.time, taken, RoundTripBasis::rtcp, opposite(way_of_media)});
    }
  }
  if (compound->sender_report) {
    sink_.on_sender_report({state.flow.id, way, datagram.time, compound->sender_ssrc, compound->sender_packets});
    detail.sender_report_middle[own] = *compound->sender_report;
    detail.sender_report_time[own] = datagram.time;
  }
  if (compound->bye) state.rtcp_bye = media.rtcp_bye = datagram.time;
  return true;
}

StreamId Engine::open_stream(FlowState& state, Way way, Stream stream) {
  stream.id = StreamId{static_cast<std::uint32_t>(streams_.size())};
  stream.flow = state.flow.id;
  stream.way = way;
  const FiveTuple& tuple = state.flow.five_tuple;
  stream.source = way == Way::forward ? tuple.source : tuple.destination;
  stream.destination = way == Way::forward ? tuple.destination : tuple.source;
  stream.over_tcp = tuple.protocol == capture::protocol::tcp;
  stream.label = label_of(state);
  describe(stream, state.flow.first_time, now_);
  streams_.push_back(stream);
  facts_.push_back({});
  facts_.back().slot = state.flow.slot;
  ++state.stream_count;
  if (state.flow.role == Role::unknown) state.flow.role = Role::media;
  sink_.on_stream(stream);
  return stream.id;
}

void Engine::tell(FlowState& state, MediaPacket& packet, StreamId stream) {
  packet.stream = stream;
  StreamFacts& facts = facts_[static_cast<std::size_t>(stream)];
  if (facts.packets++ == 0) facts.first_time = packet.time;
  facts.last_time = std::max(facts.last_time, packet.time);
  facts.payload_bytes += packet.payload_bytes;
  state.last_media_time = std::max(state.last_media_time, packet.time);
  sink_.on_media(packet);
}

const RtpTracker::TypeFacts& Engine::type_of(FlowState& state, Way way, std::uint8_t payload_type, Time time) {
  auto& facts = state.rtp->facts_of(way, payload_type);
  if (!facts.asked) {
    const auto known = static_payload_type(payload_type);
    facts.clock_rate_hz = known.clock_rate_hz;
    facts.auxiliary = is_auxiliary_codec(known.codec);
  } else if (facts.clock_rate_hz != 0 || facts.version == dialogs_.version()) {
    return facts;
  }
  facts.asked = true;
  facts.version = dialogs_.version();
  if (dialogs_.empty()) return facts;
  const FiveTuple tuple = way == Way::forward ? state.flow.five_tuple : state.flow.five_tuple.reversed();
  for (const auto* endpoint : {&tuple.destination, &tuple.source}) {
    const auto* announcement = dialogs_.find(*endpoint, time, time);
    const auto* format = announcement ? announcement->media.format(payload_type) : nullptr;
    if (!format || format->codec.empty()) continue;
    if (format->clock_rate_hz != 0) facts.clock_rate_hz = format->clock_rate_hz;
    facts.auxiliary = is_auxiliary_codec(format->codec);
    facts.redundant = format->codec == "red";
    break;
  }
  return facts;
}

int Engine::dialog_of(const FlowState& state, Time time) const {
  for (const auto* endpoint : {&state.flow.five_tuple.source, &state.flow.five_tuple.destination})
    if (const auto* announcement = dialogs_.find(*endpoint, time, time)) return static_cast<int>(dialogs_.leading(announcement->dialog));
  return -1;
}

void Engine::end_with_dialogs(FlowState& state, Time time) {
  state.rtp->dialogs_version = dialogs_.version();
  const int now = dialog_of(state, time);
  if (now < 0) return;
  for (auto& track : state.rtp->tracks()) {
    if (!track.stream || track.over) continue;
    const int its = track.dialog < 0 ? -1 : static_cast<int>(dialogs_.leading(static_cast<std::size_t>(track.dialog)));
    if (its < 0) track.dialog = now;
    else if (its != now && dialogs_.dialog(static_cast<std::size_t>(its)).ended) track.over = true;
  }
}

bool Engine::on_rtp(FlowState& state, Way way, const Datagram& datagram, Bytes bytes, std::uint32_t length) {
  const auto header = parse_rtp(bytes, length);
  if (!header) return false;
  if (!state.rtp) {
    state.rtp = std::make_unique<RtpTracker>();
    state.announced = dialogs_.announced(state.flow.five_tuple.source) || dialogs_.announced(state.flow.five_tuple.destination);
  }
  if (!dialogs_.empty() && state.rtp->dialogs_version != dialogs_.version()) end_with_dialogs(state, datagram.time);
  MediaPacket packet = packet_of(datagram, length - header->header_length);
  const auto& type = type_of(state, way, header->payload_type, datagram.time);
  packet.type_has_clock = true;
  packet.clock_rate_hz = type.clock_rate_hz;
  packet.is_auxiliary = type.auxiliary;
  const Bytes payload = bytes.size() > header->header_length ? bytes.subspan(header->header_length) : Bytes{};
  const auto outcome = state.rtp->on_packet(*header, way, packet, {state.announced, state.ice || state.dtls, payload, type.redundant});
  if (!outcome.track) return false;
  RtpTrack& track = *outcome.track;
  if (!outcome.accepted_now) {
    tell(state, packet, *track.stream);
    return true;
  }
  Stream stream;
  stream.ssrc = track.ssrc;
  stream.payload_type = track.main_type();
  const auto known = static_payload_type(stream.payload_type);
  stream.codec = known.codec;
  stream.clock_rate_hz = known.clock_rate_hz;
  stream.kind = known.kind;
  stream.sequence_basis = SequenceBasis::rtp;
  track.dialog = dialogs_.empty() ? -1 : dialog_of(state, datagram.time);
  track.stream = open_stream(state, way, std::move(stream));
  for (auto& earlier : track.backlog) tell(state, earlier, *track.stream);
  track.backlog = {};
  return true;
}

std::optional<MediaHeader> Engine::media_of(const FlowState& state, const Datagram& datagram, Way way) const {
  if (!state.application) return std::nullopt;
  if (state.claim.role == Role::signalling || state.claim.role == Role::control) return std::nullopt;
  if (state.claim.role == Role::tunnel && !state.application->media) return MediaHeader{};
  return state.application->media ? state.application->media(datagram, way) : std::nullopt;
}

void Engine::on_counter(FlowState& state, Way way, const Datagram& datagram, const MediaHeader& header) {
  FlowDetail& detail = detail_of(state);
  CounterTrack* track = nullptr;
  for (auto& known : detail.counters) {
    if (known.way == way && known.space == header.space) track = &known;
  }
  if (!track) {
    if (detail.counters.size() >= RtpTracker::stream_limit) return;
    track = &detail.counters.emplace_back();
    track->way = way;
    track->space = header.space;
  }
  if (header.partner) track->partner = header.partner;
  if (header.goodbye) track->goodbye = datagram.time;
  const auto numbers = track->keeper.next(header);
  if (!numbers.is_media) return;
  const std::uint32_t offset = std::min<std::uint32_t>(header.payload_offset, datagram.payload_length);
  MediaPacket packet = packet_of(datagram, datagram.payload_length - offset);
  packet.has_sequence = numbers.sequence.has_value();
  packet.sequence = numbers.sequence.value_or(0);
  packet.has_media_time = numbers.media_time.has_value();
  packet.media_time = numbers.media_time.value_or(0);
  packet.marker = header.marker;
  packet.payload_type = static_cast<std::int16_t>(header.payload_type);
  if (!numbers.sequence) packet.payload_hash = payload_hash(datagram.payload);
  if (track->stream) {
    tell(state, packet, *track->stream);
    return;
  }
  track->backlog.push_back(packet);
  // What its format doesn't call audio or video must last to be taken for media.
  if (track->backlog.size() < (header.kind == MediaKind::unknown && state.claim.role != Role::tunnel ? packets_to_tell_unknown : packets_to_tell)) return;
  Stream stream;
  stream.kind = header.kind;
  stream.ssrc = header.ssrc;
  stream.payload_type = header.payload_type;
  stream.codec = header.codec;
  stream.clock_rate_hz = header.clock_rate_hz;
  stream.sequence_basis = !numbers.sequence ? SequenceBasis::none : header.ssrc ? SequenceBasis::rtp : SequenceBasis::counter;
  stream.sequence_bits = header.sequence_bits;
  stream.sequence_shared = header.sequence_shared;
  track->stream = open_stream(state, way, std::move(stream));
  for (auto& earlier : track->backlog) tell(state, earlier, *track->stream);
  track->backlog = {};
}

void Engine::on_cadence(FlowState& state, Way way, const Datagram& datagram) {
  FlowDetail& detail = detail_of(state);
  if (!detail.cadence) detail.cadence = std::make_unique<CadenceMeter>();
  MediaPacket packet = packet_of(datagram, datagram.payload_length);
  packet.payload_hash = payload_hash(datagram.payload);
  auto& track = [&]() -> CounterTrack& {
    for (auto& known : detail.counters) if (known.way == way) return known;
    detail.counters.emplace_back().way = way;
    return detail.counters.back();
  }();
  if (track.stream) {
    tell(state, packet, *track.stream);
    return;
  }
  detail.cadence->on_packet(way, packet);
  const bool known = state.application != nullptr && state.claim.confidence >= 0.5;
  if (!detail.cadence->accepted(known ? CadenceMeter::Bar::known : CadenceMeter::Bar::unknown)) {
    if (detail.cadence->hopeless()) {
      state.gave_up_cadence = true;
      detail.cadence.reset();
      detail.counters.clear();
    }
    return;
  }
  for (const Way each : {Way::forward, Way::backward}) {
    auto& side = detail.cadence->side(each);
    const bool open = std::any_of(detail.counters.begin(), detail.counters.end(), [&](const CounterTrack& other) {
      return other.way == each && other.stream;
    });
    if (open || side.backlog.empty() || !detail.cadence->carries(each)) continue;
    Stream stream;
    stream.kind = MediaKind::audio;
    const StreamId id = open_stream(state, each, std::move(stream));
    auto found = std::find_if(detail.counters.begin(), detail.counters.end(),
                              [&](const CounterTrack& other) { return other.way == each; });
    if (found == detail.counters.end()) found = detail.counters.insert(detail.counters.end(), CounterTrack{});
    found->way = each;
    found->stream = id;
    for (auto& earlier : side.backlog) tell(state, earlier, id);
    side.backlog = {};
  }
}

/// RTCP, RTP and DTLS, as bare as they get. True: it was one of them.
bool Engine::carry(FlowState& state, Way way, const Datagram& datagram, const Unwrapped& inner) {
  if (inner.bytes.empty()) return false;
  if (looks_like_rtcp(inner.bytes) && on_rtcp(state, way, datagram, inner.bytes, inner.wire_length)) return true;
  if (looks_like_rtp(inner.bytes) && on_rtp(state, way, datagram, inner.bytes, inner.wire_length)) return true;
  if (!is_dtls(inner)) return false;
  state.dtls = true;
  if (inner.bytes[0] == 21) state.close_notify = datagram.time;
  return true;
}

void Engine::on_udp(FlowState& state, Way way, const Datagram& datagram) {
  if (datagram.payload.empty()) return;
  const bool may_be_rtp = (datagram.payload[0] & 0xc0) == 0x80;   // so begins neither STUN, nor text, nor a wrapper
  if (datagram.payload[0] <= 3) {
    if (const auto message = parse_stun(datagram.payload, datagram.payload_length)) {
      on_stun(state, way, datagram, *message);
      if (message->data.empty()) return;
    }
  }
  if (state.signalling == Signalling::mgcp || (state.signalling == Signalling::none && looks_like_mgcp(datagram.payload))) {
    on_mgcp(state, datagram);
    return;
  }
  if (state.signalling != Signalling::none || (!may_be_rtp && looks_like_sip(datagram.payload))) {
    on_signalling(state, way, datagram, datagram.payload);
    return;
  }
  const bool has_rtp = carries_rtp(state);
  if (state.application && state.settled && state.application->echo) on_echo(state, way, datagram);
  if (!has_rtp && state.application && state.settled) {
    if (const auto header = media_of(state, datagram, way)) return on_counter(state, way, datagram, *header);
  }
  if (!has_rtp && never_media(state.flow.five_tuple)) return;
  const Unwrapped bare{datagram.payload, datagram.payload_length, false};
  if (carry(state, way, datagram, may_be_rtp ? bare : unwrap(datagram.payload, datagram.payload_length))) return;
  if (has_rtp || state.gave_up_cadence || !state.settled || (state.application && state.application->media)) return;
  if (state.claim.role == Role::signalling || state.claim.role == Role::control) return;
  if (state.flow.forward.packets + state.flow.backward.packets > packets_before_beat) on_cadence(state, way, datagram);
}

}  // namespace callwitness::classify
