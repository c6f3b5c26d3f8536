// What signalling tells of media, and TCP connections: their text, their frames, their voice.
#include "classify/engine.hpp"

#include <algorithm>

namespace callwitness::classify {
namespace {

constexpr std::uint32_t stun_cookie = 0x2112a442;

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

Framing framing_of(Bytes first) {
  if (looks_like_sip(first) || looks_like_rtsp(first)) return Framing::text;
  if (stun_at(first, 0)) return Framing::turn;        // RFC 8656 over TCP: messages follow each other
  if (stun_at(first, 2)) return Framing::prefixed;    // RFC 4571, 6544: a length before each
  return Framing::none;
}

}  // namespace

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
    const auto* format = announcement->media.format(stream.payload_type);
    if (!format && announcement->media.kind == MediaKind::unknown) continue;
    if (announcement->media.kind != MediaKind::unknown) stream.kind = announcement->media.kind;
    if (announcement->media.packet_time_ms > 0) stream.packet_time_ms = announcement->media.packet_time_ms;
    if (!format || format->codec.empty()) continue;
    if (format->codec == "rtx") stream.kind = MediaKind::retransmission;
    stream.codec = format->codec;
    if (format->clock_rate_hz > 0) stream.clock_rate_hz = format->clock_rate_hz;
    return;
  }
}

void Engine::on_frames(FlowState& state, Way way, const Datagram& datagram) {
  StreamReassembly& stream = (*state.detail->reassembly)[static_cast<std::size_t>(way)];
  if (!stream.append(datagram.tcp->sequence, datagram.payload, datagram.payload_length)) return;
  for (;;) {
    const Bytes bytes = stream.bytes();
    if (bytes.size() < 4) return;
    const std::size_t at_two = static_cast<std::size_t>(bytes[2] << 8 | bytes[3]);
    if (state.framing == Framing::text && bytes[0] == '$') {  // RFC 7826 14: interleaved
      if (bytes.size() < 4 + at_two) break;
      carry(state, way, datagram, {bytes.subspan(4, at_two), static_cast<std::uint32_t>(at_two), true});
      stream.consume(4 + at_two);
    } else if (state.framing == Framing::text) {
      const std::size_t size = text_message_size(bytes);
      if (size == 0) {
        if (!looks_like_sip(bytes) && !looks_like_rtsp(bytes) && bytes[0] != '\r') stream.clear();
        else if (bytes[0] == '\r') { stream.consume(2); continue; }  // RFC 5626 keep-alive
        break;
      }
      on_signalling(state, way, datagram, bytes.first(size));
      stream.consume(size);
    } else if (state.framing == Framing::prefixed) {
      const std::size_t length = static_cast<std::size_t>(bytes[0] << 8 | bytes[1]);
      if (bytes.size() < 2 + length) break;
      on_frame(state, way, datagram, bytes.subspan(2, length));
      stream.consume(2 + length);
    } else {
      const bool channel = bytes[0] >= 0x40 && bytes[0] <= 0x4f;
      if (!channel && bytes[0] > 3) {
        stream.clear();
        break;
      }
      const std::size_t size = channel ? (4 + at_two + 3) & ~std::size_t{3} : 20 + at_two;
      if (bytes.size() < size) break;
      on_frame(state, way, datagram, bytes.first(size));
      stream.consume(size);
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
    state.framing = framing_of(datagram.payload);
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
