// OpenVPN: an opcode and key id, a session id; over TCP behind a length. A tunnel.
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr PortRange ports[] = {{protocol::udp, 1194, 1194}, {protocol::tcp, 1194, 1194}};
constexpr std::string_view ndpi_labels[] = {"OpenVPN"};
constexpr std::uint8_t reset_client = 7, reset_server = 8, reset_client_v3 = 10;

std::uint8_t opcode(const StartPacket& packet, bool tcp) {
  const std::size_t at = tcp ? 2 : 0;
  if (packet.bytes.size() < at + 14) return 0;
  if (tcp && u16_at(packet.bytes, 0) + 2u > packet.payload_length) return 0;
  if ((packet.bytes[at] & 7) != 0) return 0;
  return packet.bytes[at] >> 3;
}

Claim recognise(const FlowStart& start) {
  if (!is_udp(start) && !start.is_tcp()) return {};
  const bool tcp = start.is_tcp();
  if (is_udp(start) && start.has_port(53)) return {};
  const std::uint8_t first = opcode(start.packets[0], tcp);
  if (start.packets[0].way != Way::forward || (first != reset_client && first != reset_client_v3)) return {};
  for (const auto& packet : start.packets) {
    if (packet.way != Way::backward) continue;
    return opcode(packet, tcp) == reset_server ? Claim{0.97, Basis::format, Role::tunnel} : Claim{};
  }
  return start.has_port(1194) ? Claim{0.8, Basis::port, Role::tunnel} : Claim{};
}

}  // namespace

const Application& openvpn() {
  static const Application application{
      .key = "openvpn",
      .name = "OpenVPN",
      .recognised_by = "format,port",
      .measures = "rate,gaps",
      .checked_on = "nDPI 443-opvn, openvpn-tlscrypt, openvpn_nohmac_tcp",
      .domains = {},
      .ports = ports,
      .ndpi_labels = ndpi_labels,
      .recognise = recognise,
      .media = nullptr,
      .echo = nullptr};
  return application;
}

}  // namespace callwitness::classify
