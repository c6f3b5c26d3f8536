// The fields as Wireshark names them (docs/formats.md); little-endian but for addresses.
#include "classify/exchanges/skinny.hpp"

#include "classify/exchanges/per.hpp"

#include <algorithm>

namespace callwitness::classify {
namespace {

using Kind = SkinnyMessage::Kind;

constexpr std::size_t longest = 4096;
constexpr std::uint32_t newest_version = 0x20, wide_addresses_from = 17, message_id_limit = 0x200;
constexpr std::uint32_t longest_packet_ms = 1000;
constexpr std::uint32_t call_state_on_hook = 2;

struct Codec { std::uint32_t compression; int payload_type; std::string_view name; std::uint32_t clock_rate_hz; };
// Media_PayloadType, those with a payload type of their own (RFC 3551), and one whose type the message tells: -1.
constexpr Codec codecs[] = {{2, 8, "pcma", 8000}, {3, 8, "pcma", 8000}, {4, 0, "pcmu", 8000}, {5, 0, "pcmu", 8000}, {6, 9, "g722", 8000},
                            {7, 9, "g722", 8000}, {8, 9, "g722", 8000}, {9, 4, "g723", 8000}, {10, 15, "g728", 8000}, {11, 18, "g729", 8000},
                            {12, 18, "g729", 8000}, {15, 18, "g729", 8000}, {16, 18, "g729", 8000}, {18, 3, "gsm", 8000}, {80, 3, "gsm", 8000},
                            {100, 31, "h261", 90'000}, {101, 34, "h263", 90'000}, {103, -1, "h264", 90'000}};

void take_codec(std::uint32_t compression, SdpMedia& media) {
  const auto* known = std::find_if(std::begin(codecs), std::end(codecs), [&](const Codec& c) { return c.compression == compression; });
  if (known == std::end(codecs) || known->payload_type < 0) return;
  media.formats.assign(1, {static_cast<std::uint8_t>(known->payload_type), std::string(known->name), known->clock_rate_hz});
}

/// `payload_type`: 96..127, or 0 where the codec's own goes without saying.
void take_video_codec(std::uint32_t compression, std::uint32_t payload_type, SdpMedia& media) {
  take_codec(compression, media);
  if (payload_type < 96 || payload_type > 127) return;
  const auto* known = std::find_if(std::begin(codecs), std::end(codecs), [&](const Codec& c) { return c.compression == compression; });
  const bool named = known != std::end(codecs);
  media.formats.assign(1, {static_cast<std::uint8_t>(payload_type), named ? std::string(known->name) : std::string(), named ? known->clock_rate_hz : 0});
}

Endpoint address(capture::Cursor& cursor, std::uint32_t version) {
  Endpoint endpoint;
  std::uint32_t family = 0;
  Bytes network;
  if (version >= wide_addresses_from) {
    family = cursor.u32_le();
    network = cursor.take(16);
    if (family == 0 && cursor.ok()) network = network.first(4);
  } else {
    network = cursor.take(4);
  }
  if (family <= 1) endpoint.address = address_of(network);
  const std::uint32_t port = cursor.u32_le();
  endpoint.port = static_cast<std::uint16_t>(port <= 0xffff ? port : 0);
  return endpoint;
}

std::optional<std::uint32_t> reference_at_end(capture::Cursor& cursor) {
  if (cursor.remaining() < 4) return std::nullopt;     // early versions end before
  return cursor.u32_le();
}

void take_packet_time(std::uint32_t milliseconds, SdpMedia& media) {
  if (milliseconds > 0 && milliseconds <= longest_packet_ms) media.packet_time_ms = milliseconds;
}

/// What the messages for several media end with: call reference, number of the RFC, payload type.
void read_video_end(capture::Cursor& cursor, std::uint32_t compression, SkinnyMessage& message) {
  message.call_reference = reference_at_end(cursor);
  if (cursor.remaining() < 8) return take_codec(compression, message.media);
  cursor.skip(4);
  take_video_codec(compression, cursor.u32_le(), message.media);
}

void read_open(capture::Cursor& cursor, SkinnyMessage& message, bool is_video) {
  message.conference = cursor.u32_le();
  message.party = cursor.u32_le();
  if (!is_video) take_packet_time(cursor.u32_le(), message.media);
  const std::uint32_t compression = cursor.u32_le();
  cursor.skip(is_video ? 4 : 8);                       // line instance; echo cancellation, codec parameters
  if (is_video) return read_video_end(cursor, compression, message);
  take_codec(compression, message.media);
  message.call_reference = reference_at_end(cursor);
}

void read_start(capture::Cursor& cursor, std::uint32_t version, SkinnyMessage& message, bool is_video) {
  message.conference = cursor.u32_le();
  message.party = cursor.u32_le();
  const std::uint32_t compression = is_video ? cursor.u32_le() : 0;
  message.media.endpoint = address(cursor, version);
  if (is_video) return read_video_end(cursor, compression, message);
  take_packet_time(cursor.u32_le(), message.media);
  take_codec(cursor.u32_le(), message.media);
  cursor.skip(16);                                     // precedence, silence suppression, frames, codec parameters
  message.call_reference = reference_at_end(cursor);
}

/// True: the telephone did what it was asked.
bool read_opened(capture::Cursor& cursor, std::uint32_t version, SkinnyMessage& message) {
  const std::uint32_t status = cursor.u32_le();
  message.media.endpoint = address(cursor, version);
  message.party = cursor.u32_le();
  message.call_reference = reference_at_end(cursor);
  return status == 0;
}

bool read_started(capture::Cursor& cursor, std::uint32_t version, SkinnyMessage& message) {
  message.conference = cursor.u32_le();
  message.party = cursor.u32_le();
  message.call_reference = cursor.u32_le();
  message.media.endpoint = address(cursor, version);
  return cursor.u32_le() == 0;
}

void read_end(capture::Cursor& cursor, SkinnyMessage& message) {
  message.conference = cursor.u32_le();
  message.party = cursor.u32_le();
}

bool read_state(capture::Cursor& cursor, SkinnyMessage& message) {
  const std::uint32_t state = cursor.u32_le();
  cursor.skip(4);
  message.call_reference = cursor.u32_le();
  return state == call_state_on_hook;
}

/// False: nothing that concerns media.
bool read_body(std::uint32_t id, capture::Cursor& cursor, std::uint32_t version, SkinnyMessage& message) {
  const bool is_video = id == 0x131 || id == 0x31 || id == 0x132 || id == 0x155 || id == 0x136 || id == 0x133;
  message.media.kind = is_video ? MediaKind::video : MediaKind::audio;
  switch (id) {
    case 0x105: case 0x131: message.kind = Kind::open_receive; read_open(cursor, message, is_video); return true;
    case 0x022: case 0x031: message.kind = Kind::receive_opened; return read_opened(cursor, version, message);
    case 0x08a: case 0x132: message.kind = Kind::start_transmission; read_start(cursor, version, message, is_video); return true;
    case 0x154: case 0x155: message.kind = Kind::transmission_started; return read_started(cursor, version, message);
    case 0x106: case 0x136: message.kind = Kind::close_receive; read_end(cursor, message); return true;
    case 0x08b: case 0x133: message.kind = Kind::stop_transmission; read_end(cursor, message); return true;
    case 0x111: message.kind = Kind::on_hook; return read_state(cursor, message);
    default: return false;
  }
}

}  // namespace

std::size_t skinny_size(Bytes stream) {
  capture::Cursor cursor(stream);
  const std::uint32_t length = cursor.u32_le(), version = cursor.u32_le(), id = cursor.u32_le();
  const bool known = length >= 4 && length <= longest && (version == 0 || (version >= 0x0a && version <= newest_version)) && id < message_id_limit;
  return cursor.ok() && known ? length + 8u : 0;
}

bool looks_like_skinny(Bytes first) { return skinny_size(first) > 0; }

std::optional<SkinnyMessage> parse_skinny(Bytes bytes) {
  const std::size_t size = skinny_size(bytes);
  if (size == 0 || size > bytes.size()) return std::nullopt;
  capture::Cursor cursor(bytes.first(size));
  cursor.skip(4);
  const std::uint32_t version = cursor.u32_le(), id = cursor.u32_le();
  SkinnyMessage message;
  if (!read_body(id, cursor, version, message) || !cursor.ok()) return std::nullopt;
  return message;
}

void SkinnyExchange::close(Channels& channels, const Key& which, Time time) {
  const auto found = channels.find(which);
  if (found == channels.end()) return;
  const std::size_t dialog = found->second.dialog;
  channels.erase(found);
  const bool goes_on = std::any_of(channels.begin(), channels.end(), [&](const auto& each) { return each.second.dialog == dialog; });
  if (!goes_on) dialogs_.end(dialog, time);
}

void SkinnyExchange::on_message(Bytes bytes, const Flow& flow, Time time) {
  const auto message = parse_skinny(bytes);
  if (!message) return;
  if (connections_.size() >= connection_limit && !connections_.contains(flow.id)) return;
  Channels& channels = connections_[flow.id];
  on_message(*message, flow, channels, time);
  if (channels.empty()) connections_.erase(flow.id);
}

void SkinnyExchange::on_message(const SkinnyMessage& message, const Flow& flow, Channels& channels, Time time) {
  const bool receives = message.kind == Kind::open_receive || message.kind == Kind::receive_opened || message.kind == Kind::close_receive;
  const Key which(message.party, receives);
  switch (message.kind) {
    case Kind::open_receive: case Kind::start_transmission: {
      if (channels.size() >= channel_limit && !channels.contains(which)) return;
      // All that one telephone sends and takes for a conversation, a recorder's copy too, bears its conference's number.
      const std::uint32_t number = message.conference != 0 ? message.conference : message.call_reference.value_or(message.party);
      std::string key = dialog_key("skinny", static_cast<std::uint32_t>(flow.id));
      key += '/';
      key += std::to_string(number);
      const auto dialog = dialogs_.open(std::move(key), Signalling::skinny, flow.id, time);
      if (!dialog) return;
      channels.insert_or_assign(which, Channel{*dialog, message.call_reference, message.media});
      return dialogs_.add(*dialog, message.media, time);
    }
    case Kind::receive_opened: case Kind::transmission_started: {
      const auto channel = channels.find(which);
      if (channel == channels.end()) return;
      SdpMedia media = channel->second.media;
      media.endpoint = message.media.endpoint;
      return dialogs_.add(channel->second.dialog, media, time);
    }
    case Kind::close_receive: case Kind::stop_transmission: return close(channels, which, time);
    case Kind::on_hook: {
      std::vector<Key> ended;
      for (const auto& [key, channel] : channels) {
        if (channel.call_reference == message.call_reference) ended.push_back(key);
      }
      for (const auto& key : ended) close(channels, key, time);
    }
  }
}

}  // namespace callwitness::classify
