// Skype before 2015: a random id, then a type whose low nibble is D for audio. No sequence numbers.
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr std::string_view domains[] = {"skype.com", "skype.net", "skypeassets.com", "skypedata.akadns.net", "skype-mobile.net"};
constexpr std::string_view ndpi_labels[] = {"SkypeCall", "Skype_TeamsCall", "Skype"};
constexpr std::uint8_t audio = 0x0d, signal = 0x02;

Claim recognise(const FlowStart& start) {
  if (!is_udp(start) || start.five_tuple.source.port < 1024 || start.five_tuple.destination.port < 1024) {
    if (!is_udp(start) || !start.has_port(443)) return {};
  }
  int audio_packets = 0, other = 0, rtp_like = 0;
  std::uint32_t high_nibbles = 0, first_bytes = 0;
  bool signalled = false;
  for (const auto& packet : start.packets) {
    if (packet.bytes.size() < 3) return {};
    const std::uint8_t type = packet.bytes[2] & 0x0f;
    if (type == audio) {
      ++audio_packets;
      high_nibbles |= 1u << (packet.bytes[2] >> 4);
      first_bytes |= 1u << (packet.bytes[0] >> 3);
    } else if (type == signal || type == 0x03 || type == 0x07 || type == 0x0f) {
      signalled = signalled || (packet.bytes[2] == signal);
    } else {
      ++other;
    }
    if (packet.bytes[0] >> 6 == 2) ++rtp_like;
  }
  const auto count = [](std::uint32_t bits) {
    int ones = 0;
    for (; bits != 0; bits &= bits - 1) ++ones;
    return ones;
  };
  if (other > 0 || audio_packets < 6 || count(high_nibbles) < 3 || count(first_bytes) < 3) return {};
  if (static_cast<std::size_t>(rtp_like) == start.packets.size()) return {};
  if (signalled) return {0.93, Basis::format, Role::media};
  return {audio_packets >= 12 ? 0.9 : 0.7, Basis::format, Role::media};
}

std::optional<MediaHeader> media(const Datagram& datagram, Way) {
  if (datagram.payload.size() < 3 || (datagram.payload[2] & 0x0f) != audio || datagram.payload_length <= 3) return std::nullopt;
  MediaHeader header;
  header.kind = MediaKind::audio;
  header.payload_offset = 3;
  return header;
}

}  // namespace

const Application& skype() {
  static const Application application{
      .key = "skype",
      .name = "Skype",
      .covers = "before 2015",
      .recognised_by = "format,name",
      .measures = "loss by cadence",
      .checked_on = "no real capture: constructed packets, simulated cases",
      .domains = domains,
      .ports = {},
      .ndpi_labels = ndpi_labels,
      .recognise = recognise,
      .media = media,
      .echo = nullptr};
  return application;
}

}  // namespace callwitness::classify
