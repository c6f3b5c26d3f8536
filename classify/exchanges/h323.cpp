#include "classify/exchanges/h323.hpp"

#include "classify/exchanges/h225.hpp"

#include <algorithm>

namespace callwitness::classify {
namespace {

constexpr std::size_t tpkt_header = 4;
constexpr std::uint8_t q931 = 8, release_complete = 0x5a, user_user = 0x7e, per_coded = 5;   // ITU-T Q.931 4.2, 4.4, 4.5; H.225.0 7.2
// terminalCapabilitySet, which opens every H.245 connection, and the identifier of H.245 (0.0.8.245.0.n) in it.
constexpr std::uint8_t capability_set = 2;
constexpr std::uint8_t h245_identifier[] = {0, 8, 0x81, 0x75, 0};

struct Q931Message {
  std::uint16_t call_reference = 0;
  std::uint8_t type = 0;
  Bytes user_information;
};

std::optional<Q931Message> parse_q931(Bytes bytes) {
  capture::Cursor cursor(bytes);
  Q931Message message;
  if (cursor.u8() != q931 || cursor.u8() != 2) return std::nullopt;
  message.call_reference = cursor.u16() & 0x7fff;
  message.type = cursor.u8();
  if (!cursor.ok()) return std::nullopt;
  while (cursor.remaining() > 0) {
    const std::uint8_t element = cursor.u8();
    if (element & 0x80) continue;                     // one byte in all
    const Bytes value = cursor.take(element == user_user ? cursor.u16() : cursor.u8());
    if (cursor.ok() && element == user_user && !value.empty() && value[0] == per_coded) message.user_information = value.subspan(1);
  }
  return message;
}

}  // namespace

bool looks_like_tpkt(Bytes first, bool told) {
  if (first.size() < tpkt_header || first[0] != 3 || first[1] != 0) return false;
  if (told) return true;
  const Bytes content = first.subspan(tpkt_header);
  if (content.size() >= 5 && content[0] == q931 && content[1] == 2) return true;
  const Bytes head = content.first(std::min<std::size_t>(content.size(), 12));
  return !head.empty() && head[0] == capability_set &&
         std::search(head.begin(), head.end(), std::begin(h245_identifier), std::end(h245_identifier)) != head.end();
}

std::size_t tpkt_size(Bytes stream) {
  if (stream.size() < tpkt_header || stream[0] != 3 || stream[1] != 0) return 0;
  const auto size = static_cast<std::size_t>(stream[2] << 8 | stream[3]);
  return size > tpkt_header ? size : 0;
}

void H323Exchange::on_frame(Bytes frame, const Flow& flow, const Endpoint& source, const Endpoint& destination, Time time) {
  if (frame.size() <= tpkt_header) return;
  Place place{dialog_key("h323", static_cast<std::uint32_t>(flow.id)), flow.id, source, destination, time};
  for (const auto& end : {source, destination}) {
    const auto control = control_.find(end);
    if (control == control_.end()) continue;
    place.key = control->second;
    return on_h245(frame.subspan(tpkt_header), place);
  }
  if (frame[tpkt_header] == q931) on_q931(frame.subspan(tpkt_header), std::move(place));
  else on_h245(frame.subspan(tpkt_header), place);
}

void H323Exchange::on_q931(Bytes bytes, Place place) {
  const auto message = parse_q931(bytes);
  if (!message) return;
  place.key += '/';
  place.key += std::to_string(message->call_reference);
  const H225Message carried = parse_h225(message->user_information);
  if (carried.h245_address && control_.size() < control_limit) control_.insert_or_assign(*carried.h245_address, place.key);
  for (const Bytes element : carried.fast_start) {
    if (const auto opening = parse_open_logical_channel(element)) on_opening(*opening, place);
  }
  for (const Bytes element : carried.h245_control) on_h245(element, place);
  if (message->type != release_complete) return;
  if (const auto dialog = dialogs_.find(place.key)) dialogs_.end(*dialog, place.time);
}

void H323Exchange::on_h245(Bytes bytes, const Place& place) {
  const auto message = parse_h245(bytes);
  if (!message) return;
  if (message->kind != H245Message::Kind::end_of_session) return on_opening(*message, place);
  if (const auto dialog = dialogs_.find(place.key)) dialogs_.end(*dialog, place.time);
}

void H323Exchange::on_opening(const H245Message& message, const Place& place) {
  if (message.kind == H245Message::Kind::open) {
    if (channels_.size() < channel_limit) channels_.insert_or_assign(Channel{place.key, place.source.address, message.channel}, message.forward);
    announce(message.forward, place);
    announce(message.reverse, place);
    return;
  }
  // The Ack says where; what was asked for when the channel was opened.
  SdpMedia media = message.forward;
  const auto opened = channels_.find(Channel{place.key, place.destination.address, message.channel});
  if (opened != channels_.end()) {
    media.kind = opened->second.kind;
    if (media.formats.empty()) media.formats = opened->second.formats;
    else if (!opened->second.formats.empty()) {
      const auto type = media.formats.front().payload_type;
      media.formats = opened->second.formats;
      media.formats.front().payload_type = type;
    }
  }
  announce(media, place);
  announce(message.reverse, place);
}

void H323Exchange::announce(const SdpMedia& media, const Place& place) {
  if (media.endpoint.port == 0 || media.endpoint.address.version == 0) return;
  if (const auto dialog = dialogs_.open(place.key, Signalling::h323, place.flow, place.time)) dialogs_.add(*dialog, media, place.time);
}

}  // namespace callwitness::classify
