// TeamSpeak 3: a clear packet number per type after an 8-byte MAC. TeamSpeak 2: a class word 0xBEFx.
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr std::string_view domains[] = {"teamspeak.com", "teamspeak.de", "ts3dns.teamspeak.com", "teamspeakusercontent.com", "myteamspeak.com"};
constexpr PortRange ports[] = {{protocol::udp, 9987, 9987}, {protocol::udp, 8767, 8767}, {protocol::tcp, 10011, 10011}, {protocol::tcp, 30033, 30033}};
constexpr std::string_view ndpi_labels[] = {"TeamSpeak"};
constexpr std::string_view start_text = "TS3INIT1";
constexpr std::uint16_t usual_port = 9987, old_port = 8767, list_port = 2010;
constexpr std::uint8_t voice = 0, whisper = 1, types = 9;  // packet types 0-8

bool is_old(Bytes bytes) { return bytes.size() >= 16 && bytes[1] == 0xbe && bytes[0] >= 0xef && bytes[0] <= 0xf8; }

bool to_server(const FiveTuple& tuple, Way way) {
  if (tuple.destination.port == usual_port) return true;
  if (tuple.source.port == usual_port) return false;
  return way == Way::forward;
}

/// Packets whose type is known and whose number goes on from the last of the same type and way.
int continued(const FlowStart& start) {
  int count = 0;
  std::array<std::array<std::optional<std::uint16_t>, types>, 2> last{};
  for (const auto& packet : start.packets) {
    if (starts_with(packet.bytes, start_text)) continue;
    const FiveTuple tuple = packet.way == Way::forward ? start.five_tuple : start.five_tuple.reversed();
    const std::size_t at = to_server(tuple, packet.way) ? 12 : 10;
    if (packet.bytes.size() <= at || (packet.bytes[at] & 0x0f) >= types) return 0;
    auto& before = last[static_cast<std::size_t>(packet.way)][packet.bytes[at] & 0x0f];
    const std::uint16_t number = u16_at(packet.bytes, 8);
    if (before && static_cast<std::uint16_t>(number - *before) > 8) return 0;
    if (before) ++count;
    before = number;
  }
  return count;
}

Claim recognise(const FlowStart& start) {
  if (!is_udp(start)) return {};
  int old = 0;
  for (const auto& packet : start.packets) {
    if (starts_with(packet.bytes, start_text)) return {0.99, Basis::format, Role::media};
    if (is_old(packet.bytes)) ++old;
  }
  if (old >= 2 && static_cast<std::size_t>(old) == start.packets.size()) {
    return {start.has_port(old_port) || old >= 4 ? 0.95 : 0.6, Basis::format, Role::media};
  }
  if (start.has_port(usual_port) && continued(start) >= 6) return {0.9, Basis::format, Role::media};
  // The server's own registration at the public list.
  if (start.has_port(list_port) && start.packets.size() >= 2 && start.packets[0].bytes.size() >= 4 &&
      start.packets[0].bytes[0] == 1 && (start.packets[0].bytes[1] & 0x80) != 0 &&
      start.packets[1].bytes.size() >= 4 && start.packets[1].bytes[0] == 1 && start.packets[1].bytes[1] == start.packets[0].bytes[1]) {
    return {0.7, Basis::format, Role::control};
  }
  return {};
}

std::optional<MediaHeader> media(const Datagram& datagram, Way way) {
  const Bytes bytes = datagram.payload;
  if (starts_with(bytes, start_text)) return std::nullopt;
  MediaHeader header;
  header.kind = MediaKind::audio;
  // Only on its own port: a TeamSpeak 3 packet begins with a random code that can look like the old class word.
  if (datagram.five_tuple.source.port == old_port || datagram.five_tuple.destination.port == old_port) {
    if (!is_old(bytes)) return std::nullopt;
    if (bytes[0] != 0xf2 && bytes[0] != 0xf3) return std::nullopt;
    header.payload_offset = 16;
    return header;
  }
  const bool sent = to_server(datagram.five_tuple, way);
  const std::size_t at = sent ? 12 : 10;
  if (bytes.size() <= at) return std::nullopt;
  const std::uint8_t type = bytes[at] & 0x0f;
  if (type != voice && type != whisper) return std::nullopt;
  header.space = type;
  header.sequence = u16_at(bytes, 8);
  header.payload_offset = static_cast<std::uint16_t>(at + 1);
  return header;
}

/// A pong carries the number of the ping that it answers, in clear.
std::optional<Echo> echo(const Datagram& datagram, Way way) {
  constexpr std::uint8_t ping = 4, pong = 5;
  const Bytes bytes = datagram.payload;
  const std::size_t at = to_server(datagram.five_tuple, way) ? 12 : 10;
  if (bytes.size() <= at || starts_with(bytes, start_text)) return std::nullopt;
  const std::uint8_t type = bytes[at] & 0x0f;
  if (type == ping) return Echo{std::uint64_t{1} << 32 | u16_at(bytes, 8), false};
  if (type == pong && bytes.size() >= at + 3) return Echo{std::uint64_t{1} << 32 | u16_at(bytes, at + 1), true};
  return std::nullopt;
}

}  // namespace

const Application& teamspeak() {
  static const Application application{
      .key = "teamspeak",
      .name = "TeamSpeak",
      .covers = "versions 2 and 3",
      .recognised_by = "format,port,name",
      .measures = "loss,rtt",
      .checked_on = "nDPI teamspeak3 (handshake and server list, no voice), simulated cases",
      .domains = domains,
      .ports = ports,
      .ndpi_labels = ndpi_labels,
      .recognise = recognise,
      .media = media,
      .echo = echo};
  return application;
}

}  // namespace callwitness::classify
