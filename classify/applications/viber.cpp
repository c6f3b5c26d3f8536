// Viber: id, then a little-endian type; type 0C counts, type 09 is echoed by 0B. Control over TCP is framed by a length.
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr std::string_view domains[] = {"viber.com", "viber.co", "cdn.viber.com", "vibelab.com"};
constexpr PortRange ports[] = {{protocol::udp, 7985, 7987}, {protocol::tcp, 5242, 5243}, {protocol::udp, 5242, 5243}, {protocol::tcp, 4244, 4244}, {protocol::tcp, 9785, 9785}, {protocol::udp, 9785, 9785}};
constexpr std::string_view ndpi_labels[] = {"Viber", "ViberVoip"};
bool usual_port(const FlowStart& start) {
  return port_between(start, 7985, 7987) || start.has_port(5242) || start.has_port(5243) || start.has_port(4244) || start.has_port(9785);
}
bool is_control(const StartPacket& packet) {
  if (packet.bytes.size() < 8 || packet.bytes[3] != 0) return false;
  switch (packet.bytes[2]) {
    case 0x03: return packet.payload_length == 12;
    case 0x09: return packet.payload_length == 20;
    case 0x0b: return packet.payload_length == 34 || packet.payload_length == 20;
    case 0x11: return packet.payload_length == 18;
    case 0x01: return packet.payload_length >= 200 && u16_le_at(packet.bytes, 4) == 5;
    default: return false;
  }
}
bool is_counted(const StartPacket& packet) { return packet.payload_length >= 20 && packet.bytes.size() >= 6 && u16_le_at(packet.bytes, 2) == 0x0c; }
bool is_voice(Bytes bytes) { return bytes.size() > 4 && bytes[0] == 0x11 && bytes[1] == 0; }

Claim recognise(const FlowStart& start) {
  if (start.is_tcp()) {
    if (!start.has_port(5242) && !start.has_port(5243) && !start.has_port(4244) && !start.has_port(9785)) return {};
    const StartPacket& first = start.packets[0];
    const bool framed = first.bytes.size() >= 4 && (u16_le_at(first.bytes, 0) == first.payload_length);
    const Claim signalling = framed ? Claim{0.89, Basis::format, Role::signalling} : Claim{0.5, Basis::port, Role::signalling};
    if (start.packets.size() < FlowStart::packet_limit) return signalling;
    // Where UDP is barred its voice goes through the same connection: small segments that don't stop. Their beat decides.
    const auto small = std::count_if(start.packets.begin(), start.packets.end(), [](const StartPacket& packet) { return packet.payload_length >= 30 && packet.payload_length <= 400; });
    const bool brisk = start.packets.back().time - first.time < std::chrono::seconds(10);
    return small >= 16 && brisk ? Claim{signalling.confidence, signalling.basis, Role::media} : signalling;
  }
  if (!is_udp(start)) return {};
  int control = 0, voice = 0;
  bool forward = false, backward = false;
  std::array<std::optional<std::uint16_t>, 2> last{};   // of the counters
  for (const auto& packet : start.packets) {
    bool known = is_control(packet);
    if (is_counted(packet)) {
      auto& before = last[static_cast<std::size_t>(packet.way)];
      const std::uint16_t number = u16_le_at(packet.bytes, 4);
      constexpr std::uint16_t longest_gap = 64;
      known = !before || static_cast<std::uint16_t>(number - *before + longest_gap) <= 2 * longest_gap;
      before = number;
    }
    const bool mine = known || is_voice(packet.bytes);
    control += known ? 1 : 0;
    voice += is_voice(packet.bytes) ? 1 : 0;
    if (mine) (packet.way == Way::forward ? forward : backward) = true;
  }
  if (static_cast<std::size_t>(control + voice) * 10 < start.packets.size() * 8) return {};
  if (usual_port(start) && control >= 2) return {0.97, Basis::format, Role::media};
  if (usual_port(start) && control + voice >= 4) return {0.9, Basis::format, Role::media};
  if (control >= 4 && forward && backward) return {0.75, Basis::format, Role::media};
  return {};
}

std::optional<MediaHeader> media(const Datagram& datagram, Way) {
  const Bytes bytes = datagram.payload;
  MediaHeader header;
  header.kind = MediaKind::audio;
  if (is_voice(bytes)) {
    header.payload_offset = 2;
    return header;
  }
  if (bytes.size() >= 8 && u16_le_at(bytes, 2) == 0x0c) {
    header.space = 0x0c;
    header.sequence = u16_le_at(bytes, 4);
    header.payload_offset = 6;
    return header;
  }
  return std::nullopt;
}

std::optional<Echo> echo(const Datagram& datagram, Way) {
  const std::uint16_t type = u16_le_at(datagram.payload, 2);
  if (datagram.payload.size() < 12 || (type != 0x09 && type != 0x0b)) return std::nullopt;
  capture::Cursor cursor(datagram.payload);
  cursor.skip(4);
  return Echo{cursor.u64(), type == 0x0b};
}

}  // namespace

const Application& viber() {
  static const Application application{
      .key = "viber",
      .name = "Viber",
      .recognised_by = "format,port,name",
      .measures = "loss,rtt",
      .checked_on = "nDPI viber, simulated cases",
      .domains = domains,
      .ports = ports,
      .ndpi_labels = ndpi_labels,
      .recognise = recognise,
      .media = media,
      .echo = echo};
  return application;
}

}  // namespace callwitness::classify
