// IPsec: IKE on 500 and 4500, ESP and AH. A tunnel.
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr PortRange ports[] = {{protocol::udp, 500, 500}, {protocol::udp, 4500, 4500}};
constexpr std::string_view ndpi_labels[] = {"IPsec", "IPSec"};
bool is_ike(Bytes bytes, std::uint32_t length) {
  return bytes.size() >= 28 && (bytes[17] == 0x10 || bytes[17] == 0x20) && u32_at(bytes, 24) == length;
}

Claim recognise(const FlowStart& start) {
  const auto number = start.five_tuple.protocol;
  if (number == protocol::esp || number == protocol::ah) return {0.98, Basis::format, Role::tunnel};
  if (!is_udp(start) || (!start.has_port(500) && !start.has_port(4500))) return {};
  for (const auto& packet : start.packets) {
    if (start.has_port(500) && is_ike(packet.bytes, packet.payload_length)) return {0.97, Basis::format, Role::tunnel};
    // RFC 3948: four zero bytes before IKE, else a security parameters index.
    if (start.has_port(4500) && packet.bytes.size() > 32) {
      if (u32_at(packet.bytes, 0) == 0 && is_ike(packet.bytes.subspan(4), packet.payload_length - 4)) return {0.97, Basis::format, Role::tunnel};
    }
  }
  if (!start.has_port(4500) || start.packets.size() < 4) return {};
  std::array<std::optional<std::uint32_t>, 2> numbers{};
  int continued = 0;
  for (const auto& packet : start.packets) {
    if (packet.payload_length == 1) continue;  // keep-alive
    if (packet.bytes.size() < 16) return {};
    auto& before = numbers[static_cast<std::size_t>(packet.way)];
    const std::uint32_t now = u32_at(packet.bytes, 4);
    if (before && now - *before <= 8) ++continued;
    before = now;
  }
  return continued >= 3 ? Claim{0.9, Basis::format, Role::tunnel} : Claim{};
}

}  // namespace

const Application& ipsec() {
  static const Application application{
      .key = "ipsec",
      .name = "IPsec",
      .recognised_by = "format,port",
      .measures = "rate,gaps",
      .checked_on = "nDPI ah, esp",
      .domains = {},
      .ports = ports,
      .ndpi_labels = ndpi_labels,
      .recognise = recognise,
      .media = nullptr,
      .echo = nullptr};
  return application;
}

}  // namespace callwitness::classify
