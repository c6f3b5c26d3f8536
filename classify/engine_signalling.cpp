// What signalling tells of media, and TCP connections: their text, their frames, their voice.
#include "classify/engine.hpp"

#include <algorithm>

namespace callwitness::classify {
namespace {

constexpr std::uint32_t stun_cookie = 0x2112a442;
constexpr std::uint16_t h225_port = 1720, skinny_port = 2000;

std::uint64_t key_of(const TextMessage& message) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(message.call_id.data());
  return (static_cast<std::uint64_t>(payload_hash(Bytes(bytes, message.call_id.size()))) << 32 | message.sequence) + 1;
}

bool stun_at(Bytes bytes, std::size_t position) {
  capture::Cursor cursor(bytes);
  cursor.skip(position);
  const std::uint8_t first = cursor.u8();
  cursor.skip(3);
  return cursor.u32() == stun_cookie && cursor.ok() && first < 2;
}

}  // namespace

Framing Engine::framing_of(const FlowState& state, Bytes first) const {
  const FiveTuple& tuple = state.flow.five_tuple;
  const auto has_port = [&](std::uint16_t port) { return tuple.source.port == port || tuple.destination.port == port; };
  if (looks_like_sip(first) || looks_like_rtsp(first)) return Framing::text;
  if (looks_like_tpkt(first, has_port(h225_port) || h323_.is_control(tuple))) return Framing::tpkt;
  if (has_port(skinny_port) && looks_like_skinny(first)) return Framing::skinny;
  if (stun_at(first, 0)) return Framing::turn;        // RFC 8656 over TCP: messages follow each other
  if (stun_at(first, 2)) return Framing::prefixed;    // RFC 4571, 6544: a length before each
  return Framing::none;
}

void Engine::on_signalling(FlowState& state, Way way, const Datagram& datagram, Bytes bytes) {
  const auto message = parse_text_message(bytes);
  if (!message) return;
  if (state.signalling == Signalling::none) state.signalling = message->rtsp ? Signalling::rtsp : Signalling::sip;
  state.flow.role = Role::signalling;
  const bool forward = way == Way::forward;
  const FiveTuple& tuple = state.flow.five_tuple;
  dialogs_.on_message(*message, state.flow, forward ? tuple.source : tuple.destination,
                      forward ? tuple.destination : tuple.source, datagram.time);
  if (message->status == 0) {
    if (message->method != "ACK") ask(state, way, key_of(*message), datagram.time);
  } else if (const auto taken = answer(state, way, key_of(*message), datagram.time)) {
    note_turn_around(state, way, *taken);
  }
}

void Engine::describe(Stream& stream, Time first, Time last) const {
  if (dialogs_.empty() || stream.sequence_basis != SequenceBasis::rtp) return;
  // The receiver's description says what it takes; where only the sender's is known, that will do.
  for (const auto* endpoint : {&stream.destination, &stream.source}) {
    const auto* announcement = dialogs_.find(*endpoint, first, last);
    if (!announcement) continue;
    for (auto& each : stream.formats)
      if (const auto* told = announcement->media.format(each.payload_type); told && !told->codec.empty() && each.codec.empty()) {
        each.codec = told->codec;
        each.clock_rate_hz = told->clock_rate_hz;
      }
    const auto* format = announcement->media.format(stream.payload_type);
    if (!format && announcement->media.kind == MediaKind::unknown) continue;
    if (announcement->media.kind != MediaKind::unknown) stream.kind = announcement->media.kind;
    if (announcement->media.packet_time_ms > 0) stream.packet_time_ms = announcement->media.packet_time_ms;
    if (!format || format->codec.empty()) continue;
    if (format->codec == "rtx") stream.kind = MediaKind::retransmission;
    if (format->codec.find("fec") != std::string::npos) stream.kind = MediaKind::fec;   // ulpfec, flexfec, parityfec, …
    stream.codec = format->codec;
    if (format->clock_rate_hz > 0) stream.clock_rate_hz = format->clock_rate_hz;
    return;
  }
}

void Engine::on_mgcp(FlowState& state, const Datagram& datagram) {
  state.signalling = Signalling::mgcp;
  state.flow.role = Role::signalling;
  mgcp_.on_datagram(datagram.payload, state.flow, datagram.five_tuple.source, datagram.five_tuple.destination, datagram.time);
}

// Each takes one frame off the front of what has been gathered. False: it isn't all there yet, or was none.

bool Engine::on_text(FlowState& state, Way way, const Datagram& datagram, StreamReassembly& stream) {
  const Bytes bytes = stream.bytes();
  if (bytes[0] == '$') {  // RFC 7826 14: interleaved
    const std::size_t length = static_cast<std::size_t>(bytes[2] << 8 | bytes[3]);
    if (bytes.size() < 4 + length) return false;
    carry(state, way, datagram, {bytes.subspan(4, length), static_cast<std::uint32_t>(length), true});
    stream.consume(4 + length);
    return true;
  }
  if (bytes[0] == '\r') {  // RFC 5626 keep-alive
    stream.consume(2);
    return true;
  }
  const std::size_t size = text_message_size(bytes);
  if (size == 0) {
    if (!looks_like_sip(bytes) && !looks_like_rtsp(bytes)) stream.clear();
    return false;
  }
  on_signalling(state, way, datagram, bytes.first(size));
  stream.consume(size);
  return true;
}

bool Engine::on_turn(FlowState& state, Way way, const Datagram& datagram, StreamReassembly& stream) {
  const Bytes bytes = stream.bytes();
  const std::size_t at_two = static_cast<std::size_t>(bytes[2] << 8 | bytes[3]);
  const bool channel = bytes[0] >= 0x40 && bytes[0] <= 0x4f;
  if (!channel && bytes[0] > 3) {
    stream.clear();
    return false;
  }
  const std::size_t size = channel ? (4 + at_two + 3) & ~std::size_t{3} : 20 + at_two;
  if (bytes.size() < size) return false;
  on_frame(state, way, datagram, bytes.first(size));
  stream.consume(size);
  return true;
}

bool Engine::on_exchange(FlowState& state, Way, const Datagram& datagram, StreamReassembly& stream) {
  const Bytes bytes = stream.bytes();
  const bool tpkt = state.framing == Framing::tpkt;
  if (!tpkt && bytes.size() < 12) return false;
  const std::size_t size = tpkt ? tpkt_size(bytes) : skinny_size(bytes);
  if (size == 0) stream.clear();
  if (size == 0 || bytes.size() < size) return false;
  state.flow.role = Role::signalling;
  if (tpkt) h323_.on_frame(bytes.first(size), state.flow, datagram.five_tuple.source, datagram.five_tuple.destination, datagram.time);
  else skinny_.on_message(bytes.first(size), state.flow, datagram.time);
  stream.consume(size);
  return true;
}

void Engine::on_frames(FlowState& state, Way way, const Datagram& datagram) {
  StreamReassembly& stream = (*state.detail->reassembly)[static_cast<std::size_t>(way)];
  if (!stream.append(datagram.tcp->sequence, datagram.payload, datagram.payload_length)) return;
  bool taken = true;
  while (taken && stream.bytes().size() >= 4) {
    switch (state.framing) {
      case Framing::text: taken = on_text(state, way, datagram, stream); break;
      case Framing::turn: taken = on_turn(state, way, datagram, stream); break;
      case Framing::tpkt: case Framing::skinny: taken = on_exchange(state, way, datagram, stream); break;
      default: {
        const Bytes bytes = stream.bytes();
        const std::size_t length = static_cast<std::size_t>(bytes[0] << 8 | bytes[1]);
        taken = bytes.size() >= 2 + length;
        if (!taken) break;
        on_frame(state, way, datagram, bytes.subspan(2, length));
        stream.consume(2 + length);
      }
    }
  }
  if (stream.cut()) stream.clear();  // the capture holds less than was sent: its bytes do not follow each other
}

void Engine::on_frame(FlowState& state, Way way, const Datagram& datagram, Bytes frame) {
  const auto length = static_cast<std::uint32_t>(frame.size());
  if (!frame.empty() && frame[0] <= 3) {
    if (const auto message = parse_stun(frame, length)) {
      on_stun(state, way, datagram, *message);
      if (message->data.empty()) return;
    }
  }
  carry(state, way, datagram, unwrap(frame, length));
}

void Engine::on_tcp(FlowState& state, Way way, const Datagram& datagram) {
  FlowDetail& detail = detail_of(state);
  if (!detail.tcp) detail.tcp = std::make_unique<TcpTracker>();
  const auto observed = detail.tcp->on_segment(state.flow, way, datagram, resets_);
  if (observed.round_trip) sink_.on_round_trip(*observed.round_trip);
  if (observed.turn_around) note_turn_around(state, observed.turn_around->first, observed.turn_around->second);
  if (datagram.payload.empty()) return;
  if (state.framing == Framing::undecided) {
    state.framing = framing_of(state, datagram.payload);
    if (state.framing != Framing::none) detail.reassembly = std::make_unique<std::array<StreamReassembly, 2>>();
  }
  if (state.framing != Framing::none) {
    on_frames(state, way, datagram);
    return;
  }
  if (state.gave_up_cadence || !state.settled || !state.application || state.claim.role != Role::media) return;
  on_cadence(state, way, datagram);
}

}  // namespace callwitness::classify
