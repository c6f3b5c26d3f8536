// WireGuard: four message types with fixed sizes. A tunnel: the calls inside can not be seen.
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr PortRange ports[] = {{protocol::udp, 51820, 51820}};
constexpr std::string_view ndpi_labels[] = {"WireGuard"};
Claim recognise(const FlowStart& start) {
  if (!is_udp(start)) return {};
  std::size_t data = 0, greetings = 0;
  for (const auto& packet : start.packets) {
    if (packet.bytes.size() < 32 || packet.bytes[1] != 0 || packet.bytes[2] != 0 || packet.bytes[3] != 0) return {};
    const std::uint8_t type = packet.bytes[0];
    if (type == 1 && packet.payload_length == 148) ++greetings;
    else if (type == 2 && packet.payload_length == 92) ++greetings;
    else if (type == 4 && packet.payload_length % 16 == 0) ++data;
    else if (type != 3 || packet.payload_length != 64) return {};
  }
  if (greetings >= 1) return {0.98, Basis::format, Role::tunnel};
  if (data >= 2) return {0.92, Basis::format, Role::tunnel};
  return {};
}

/// Data messages carry their own counter (WireGuard paper 5.4.6), little-endian; keep-alives use it, too.
std::optional<MediaHeader> media(const Datagram& datagram, Way) {
  const Bytes bytes = datagram.payload;
  if (bytes.size() < 16 || bytes[0] != 4) return std::nullopt;
  MediaHeader header;
  header.kind = MediaKind::data;
  header.space = u32_at(bytes, 4);
  header.sequence = u32_le_at(bytes, 8);
  header.sequence_bits = 32;
  header.payload_offset = 16;
  return header;
}

}  // namespace

const Application& wireguard() {
  static const Application application{
      .key = "wireguard",
      .name = "WireGuard",
      .recognised_by = "format,port",
      .measures = "rate,gaps,loss",
      .checked_on = "nDPI wireguard, simulated cases",
      .domains = {},
      .ports = ports,
      .ndpi_labels = ndpi_labels,
      .recognise = recognise,
      .media = media,
      .echo = nullptr};
  return application;
}

}  // namespace callwitness::classify
