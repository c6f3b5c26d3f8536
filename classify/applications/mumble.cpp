// Mumble: every datagram begins with the low byte of the OCB counter, pings included; tunnelled voice is small TLS records.
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr std::string_view domains[] = {"mumble.info", "mumble.com"};
constexpr PortRange ports[] = {{protocol::udp, 64738, 64738}, {protocol::tcp, 64738, 64738}};
constexpr std::uint16_t usual_port = 64738;
constexpr std::uint32_t crypt_header = 4;     // counter byte and three bytes of the tag
constexpr std::uint32_t longest_ping = 16;    // type byte and a varint of up to nine bytes, after the header
constexpr std::uint32_t longest_datagram = 1024;

bool is_plain_ping(Bytes bytes, std::uint32_t length) { return length == 12 && bytes.size() == 12 && u32_at(bytes, 0) == 0; }
bool is_plain_answer(Bytes bytes, std::uint32_t length) {
  return length == 24 && bytes.size() == 24 && bytes[0] == 0 && bytes[1] == 1 && bytes[2] >= 2 && bytes[2] <= 9;
}

/// Packets whose counter goes on by one to three; 0 if too many do not, or if the tags are no tags.
int counter_run(const FlowStart& start, Way way) {
  int run = 0, breaks = 0;
  std::optional<std::uint8_t> last;
  std::uint32_t last_tag = 0;
  for (const auto& packet : start.packets) {
    if (packet.way != way) continue;
    if (packet.bytes.size() < 10 || packet.payload_length > longest_datagram) return 0;
    const std::uint32_t tag = u32_at(packet.bytes, 0) & 0xffffff;
    if (last) {
      const auto step = static_cast<std::uint8_t>(packet.bytes[0] - *last);
      if (tag == last_tag) return 0;
      if (step >= 1 && step <= 3) ++run;
      else ++breaks;
    }
    last = packet.bytes[0];
    last_tag = tag;
  }
  return breaks * 8 > run + 8 ? 0 : run;  // a lone ping may stand outside the count
}

Claim recognise_tunnel(const FlowStart& start) {
  if (!start.has_port(usual_port)) return {};
  const Bytes first = start.packets[0].bytes;
  if (first.size() < 6 || first[0] != 0x16 || first[1] != 3) return {};
  int small = 0;
  for (const auto& packet : start.packets) {
    if (packet.bytes.size() >= 5 && packet.bytes[0] == 0x17 && packet.payload_length >= 60 && packet.payload_length <= 400) ++small;
  }
  // Voice through the tunnel fills the beginning with small records; a control connection pings every 5 s.
  const Duration span = start.packets.back().time - start.packets[0].time;
  if (small >= 16 && span < std::chrono::seconds(10)) return {0.9, Basis::format, Role::media};
  if (start.packets.size() >= FlowStart::packet_limit) return {0.89, Basis::format, Role::control};
  return {0.8, Basis::port, Role::control};
}

Claim recognise(const FlowStart& start) {
  if (start.is_tcp()) return recognise_tunnel(start);
  if (!is_udp(start)) return {};
  const StartPacket& first = start.packets[0];
  if (is_plain_ping(first.bytes, first.payload_length)) {
    for (const auto& packet : start.packets) {
      if (packet.way == Way::backward && is_plain_answer(packet.bytes, packet.payload_length) &&
          std::equal(first.bytes.begin() + 4, first.bytes.end(), packet.bytes.begin() + 4)) {
        return {0.97, Basis::format, Role::control};
      }
    }
    return start.has_port(usual_port) ? Claim{0.7, Basis::port, Role::control} : Claim{};
  }
  const int sent = counter_run(start, Way::forward), received = counter_run(start, Way::backward);
  if (start.has_port(usual_port) && sent + received >= 6) return {0.95, Basis::format, Role::media};
  if (sent >= 12 && received >= 12) return {0.6, Basis::behaviour, Role::media};
  return {};
}

std::optional<MediaHeader> media(const Datagram& datagram, Way) {
  const Bytes bytes = datagram.payload;
  if (datagram.five_tuple.protocol != protocol::udp || bytes.size() < crypt_header + 2) return std::nullopt;
  if (is_plain_ping(bytes, datagram.payload_length) || is_plain_answer(bytes, datagram.payload_length)) return std::nullopt;
  MediaHeader header;
  header.kind = MediaKind::audio;
  header.codec = "opus";
  header.sequence = bytes[0];
  header.sequence_bits = 8;
  header.payload_offset = crypt_header;
  header.number_only = datagram.payload_length <= longest_ping;
  return header;
}

std::optional<Echo> echo(const Datagram& datagram, Way) {
  capture::Cursor cursor(datagram.payload);
  cursor.skip(4);
  const std::uint64_t key = cursor.u64();
  if (is_plain_ping(datagram.payload, datagram.payload_length)) return Echo{key, false};
  if (is_plain_answer(datagram.payload, datagram.payload_length)) return Echo{key, true};
  return std::nullopt;
}

}  // namespace

const Application& mumble() {
  static const Application application{
      .key = "mumble",
      .name = "Mumble",
      .covers = "UDP voice, TCP tunnel",
      .recognised_by = "format,behaviour,port,name",
      .measures = "loss,rtt",
      .checked_on = "mumble-server, real cases, nDPI mumble (pings), simulated cases",
      .domains = domains,
      .ports = ports,
      .ndpi_labels = {},
      .recognise = recognise,
      .media = media,
      .echo = echo};
  return application;
}

}  // namespace callwitness::classify
