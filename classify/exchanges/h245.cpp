// Structure and bounds: ITU-T H.245, module MULTIMEDIA-SYSTEM-CONTROL; numbers of choices in the order given there.
#include "classify/exchanges/h245.hpp"

#include <algorithm>

namespace callwitness::classify {
namespace {

constexpr int dynamic_type = -1;

void skip_non_standard(PerReader& reader) {
  if (!reader.flag()) reader.counted();       // object
  else reader.octets(4);                      // h221NonStandard: 0..255, 0..255, 0..65535
  reader.counted();
}

void set_format(SdpMedia& media, MediaKind kind, int payload_type, std::string_view codec, std::uint32_t clock_rate_hz) {
  media.kind = kind;
  media.formats.assign(1, {static_cast<std::uint8_t>(payload_type == dynamic_type ? 0xff : payload_type), std::string(codec), clock_rate_hz});
}

void audio(PerReader& reader, SdpMedia& media) {
  struct Known { int payload_type; std::string_view codec; };
  // RFC 3551's types and clocks: G.722's clock is 8000 for a historical reason.
  static constexpr Known root[] = {{dynamic_type, ""}, {8, "pcma"}, {8, "pcma"}, {0, "pcmu"}, {0, "pcmu"}, {9, "g722"}, {9, "g722"}, {9, "g722"},
                                   {4, "g723"}, {15, "g728"}, {18, "g729"}, {18, "g729"}, {dynamic_type, ""}, {dynamic_type, ""}};
  static constexpr Known added[] = {{18, "g729"}, {18, "g729"}, {4, "g723"}, {3, "gsm"}};   // …wAnnexB twice, 7231AnnexC, gsmFullRate
  const auto choice = reader.choice(4);
  media.kind = MediaKind::audio;
  if (choice.extended) {
    reader.counted();
    if (choice.index < std::size(added)) set_format(media, MediaKind::audio, added[choice.index].payload_type, added[choice.index].codec, 8000);
    return;
  }
  if (choice.index == 0) return skip_non_standard(reader);
  if (choice.index >= 12) return reader.give_up();      // MPEG's audio: nobody was seen to use it
  reader.octet();                                       // frames in a packet, 1..256
  if (choice.index == 8) reader.flag();                 // G.723.1's silence suppression
  set_format(media, MediaKind::audio, root[choice.index].payload_type, root[choice.index].codec, 8000);
}

void skip_h261(PerReader& reader) {
  const bool extended = reader.flag(), quarter = reader.flag(), whole = reader.flag();
  if (quarter) reader.bits(2);
  if (whole) reader.bits(2);
  reader.flag();
  reader.two_octets();                        // maxBitRate 1..19200
  reader.flag();
  reader.skip_additions(extended);
}

void skip_h263(PerReader& reader) {
  const bool extended = reader.flag();
  const std::uint32_t optional = reader.bits(7);
  for (unsigned size = 0; size < 5; ++size) {
    if (optional >> (6 - size) & 1) reader.bits(5);     // intervals of the five picture sizes, 1..32
  }
  reader.skip_long(2);                        // maxBitRate 1..192400
  reader.bits(5);
  if (optional & 2) reader.skip_long(2);      // hrd-B 0..524287
  if (optional & 1) reader.two_octets();      // bppMaxKb
  reader.skip_additions(extended);
}

/// ITU-T H.241: the identifier of H.264 is 0.0.8.241.0.0.1.
bool is_h264(Bytes generic) {
  PerReader reader(generic);
  reader.bits(6);                             // extension, optional parts
  const auto identifier = reader.choice(2);
  if (identifier.extended || identifier.index != 0) return false;
  static constexpr std::uint8_t h264[] = {0, 8, 0x81, 0x71, 0, 0, 1};
  const Bytes object = reader.counted();
  return std::equal(object.begin(), object.end(), std::begin(h264), std::end(h264));
}

void video(PerReader& reader, SdpMedia& media) {
  const auto choice = reader.choice(3);
  media.kind = MediaKind::video;
  if (choice.extended) {
    const Bytes value = reader.counted();
    if (choice.index == 0 && is_h264(value)) set_format(media, MediaKind::video, dynamic_type, "h264", 90'000);
  } else if (choice.index == 0) {
    skip_non_standard(reader);
  } else if (choice.index == 1) {
    skip_h261(reader);
    set_format(media, MediaKind::video, 31, "h261", 90'000);
  } else if (choice.index == 3) {
    skip_h263(reader);
    set_format(media, MediaKind::video, 34, "h263", 90'000);
  } else {
    reader.give_up();
  }
}

void data_type(PerReader& reader, SdpMedia& media) {
  const auto choice = reader.choice(3);
  if (choice.extended) reader.counted();                // enciphered (H.235) or multiplexed: an address all the same
  else if (choice.index == 0) skip_non_standard(reader);
  else if (choice.index == 2) video(reader, media);
  else if (choice.index == 3) audio(reader, media);
  else if (choice.index != 1) reader.give_up();         // 1: nullData
}

Endpoint address(PerReader& reader) {
  const auto transport = reader.choice(1);
  if (transport.extended || transport.index != 0) { reader.give_up(); return {}; }
  const auto unicast = reader.choice(3);
  if (unicast.extended || (unicast.index != 0 && unicast.index != 2)) { reader.give_up(); return {}; }
  const bool extended = reader.flag();
  const Bytes network = reader.octets(unicast.index == 0 ? 4 : 16);
  Endpoint endpoint;
  endpoint.port = reader.two_octets();
  reader.skip_additions(extended);
  endpoint.address = address_of(network);
  return endpoint;
}

/// dynamicRTPPayloadType 96..127 overrides the type that goes without saying.
void take_dynamic_type(PerReader& reader, SdpMedia& media) {
  const auto type = static_cast<std::uint8_t>(96 + reader.bits(5));
  if (media.formats.empty()) media.formats.push_back({type, {}, 0});
  media.formats.front().payload_type = type;
}

void h2250_parameters(Bytes bytes, SdpMedia& media) {
  PerReader reader(bytes);
  reader.flag();
  const std::uint32_t optional = reader.bits(10);
  const auto has = [&](unsigned which) { return (optional >> (9 - which) & 1) != 0; };
  if (has(0)) for (std::size_t count = reader.length(); count > 0 && reader.ok(); --count) skip_non_standard(reader);
  reader.octet();                                       // sessionID 0..255
  if (has(1)) reader.bits(8);                           // associatedSessionID 1..255
  if (has(2)) media.endpoint = address(reader);         // mediaChannel
  if (has(3)) reader.flag();
  if (has(4)) address(reader);                          // mediaControlChannel: RTCP's
  if (has(5)) reader.flag();
  if (has(6)) reader.flag();
  if (has(7)) { reader.skip_additions(reader.flag()); reader.give_up(); }   // of a conference's terminal
  if (has(8)) take_dynamic_type(reader, media);
  if (!reader.ok()) media = {};
}

/// A choice of one.
void forward_acknowledgement(Bytes bytes, SdpMedia& media) {
  PerReader reader(bytes);
  if (reader.choice(0).extended) return;
  reader.flag();
  const std::uint32_t optional = reader.bits(5);
  const auto has = [&](unsigned which) { return (optional >> (4 - which) & 1) != 0; };
  if (has(0)) for (std::size_t count = reader.length(); count > 0 && reader.ok(); --count) skip_non_standard(reader);
  if (has(1)) reader.bits(8);                           // sessionID 1..255
  if (has(2)) media.endpoint = address(reader);
  if (has(3)) address(reader);
  if (has(4)) take_dynamic_type(reader, media);
  if (!reader.ok()) media = {};
}

/// The parameters of H.225.0's media are the first addition to each of the choices.
void multiplex_parameters(PerReader& reader, unsigned width, SdpMedia& media) {
  const auto choice = reader.choice(width);
  if (!choice.extended) return reader.give_up();        // H.222, H.223, V.76: no packets
  const Bytes value = reader.counted();
  if (choice.index == 0 && reader.ok()) h2250_parameters(value, media);
}

std::optional<H245Message> open_logical_channel(PerReader& reader) {
  H245Message message;
  reader.flag();
  const bool has_reverse = reader.flag();
  message.channel = static_cast<std::uint16_t>(reader.two_octets() + 1);
  const bool extended = reader.flag(), has_port = reader.flag();
  if (has_port) reader.two_octets();
  data_type(reader, message.forward);
  multiplex_parameters(reader, 2, message.forward);
  reader.skip_additions(extended);
  if (has_reverse) {
    const bool reverse_extended = reader.flag(), has_parameters = reader.flag();
    data_type(reader, message.reverse);
    if (has_parameters) multiplex_parameters(reader, 1, message.reverse);
    reader.skip_additions(reverse_extended);
  }
  if (!reader.ok()) return std::nullopt;
  return message;
}

std::optional<H245Message> acknowledgement(PerReader& reader) {
  H245Message message;
  message.kind = H245Message::Kind::acknowledged;
  const bool extended = reader.flag(), has_reverse = reader.flag();
  message.channel = static_cast<std::uint16_t>(reader.two_octets() + 1);
  if (has_reverse) {
    const bool reverse_extended = reader.flag(), has_port = reader.flag(), has_parameters = reader.flag();
    reader.two_octets();
    if (has_port) reader.two_octets();
    if (has_parameters) multiplex_parameters(reader, 0, message.reverse);
    reader.skip_additions(reverse_extended);
  }
  reader.additions(extended, [&](std::uint32_t index, Bytes value) {
    if (index == 1) forward_acknowledgement(value, message.forward);   // 0: separateStack
  });
  if (!reader.ok()) return std::nullopt;
  return message;
}

}  // namespace

std::optional<H245Message> parse_h245(Bytes bytes) {
  PerReader reader(bytes);
  const auto message = reader.choice(2);                // request, response, command, indication
  if (message.extended) return std::nullopt;
  const auto which = reader.choice(message.index == 0 ? 4 : message.index == 1 ? 5 : 3);
  if (!reader.ok() || which.extended) return std::nullopt;
  if (message.index == 0 && which.index == 3) return open_logical_channel(reader);
  if (message.index == 1 && which.index == 5) return acknowledgement(reader);
  if (message.index != 2 || which.index != 5) return std::nullopt;
  reader.choice(2);                                     // disconnect, or another network's
  if (!reader.ok()) return std::nullopt;
  H245Message end;
  end.kind = H245Message::Kind::end_of_session;
  return end;
}

std::optional<H245Message> parse_open_logical_channel(Bytes bytes) {
  PerReader reader(bytes);
  return open_logical_channel(reader);
}

}  // namespace callwitness::classify
