// H.323: Q.931 in TPKT on 1720, H.245 in TPKT on a port that Q.931 names, RAS on 1719.
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr PortRange ports[] = {{protocol::tcp, 1720, 1720}, {protocol::udp, 1718, 1719}};
constexpr std::string_view ndpi_labels[] = {"H323"};
Claim recognise(const FlowStart& start) {
  if (start.is_tcp()) {
    for (const auto& packet : start.packets) {
      const Bytes bytes = packet.bytes;
      // TPKT (RFC 1006): version 3, reserved 0, length; Q.931's discriminator is 8 and its call reference two bytes long.
      if (bytes.size() >= 9 && bytes[0] == 3 && bytes[1] == 0 && u16_at(bytes, 2) <= packet.payload_length && bytes[4] == 8 && bytes[5] == 2) {
        return {start.has_port(1720) ? 0.97 : 0.85, Basis::format, Role::signalling};
      }
      // H.245 begins with terminalCapabilitySet, which bears its own identifier (0.0.8.245.0.n).
      constexpr std::string_view identifier("\x00\x08\x81\x75\x00", 5);
      if (bytes.size() >= 12 && bytes[0] == 3 && bytes[1] == 0 && u16_at(bytes, 2) <= packet.payload_length && bytes[4] == 2 &&
          contains(bytes.first(std::min<std::size_t>(bytes.size(), 16)), identifier)) return {0.95, Basis::format, Role::signalling};
    }
    return {};
  }
  if (!is_udp(start) || !(start.has_port(1719) || start.has_port(1718))) return {};
  // RAS (H.225.0): a PER choice in the first byte, then an object identifier of H.225.0 in registration messages.
  constexpr std::string_view identifier("\x00\x08\x91\x4a", 4);
  for (const auto& packet : start.packets) {
    if (packet.bytes.size() >= 8 && contains(packet.bytes.first(std::min<std::size_t>(packet.bytes.size(), 16)), identifier)) return {0.95, Basis::format, Role::signalling};
  }
  return start.packets.size() >= 2 && start.packets[0].bytes.size() >= 4 ? Claim{0.6, Basis::port, Role::signalling} : Claim{};
}

}  // namespace

const Application& h323() {
  static const Application application{
      .key = "h323",
      .name = "H.323",
      .recognised_by = "format,port",
      .measures = "loss,jitter",
      .checked_on = "nDPI h323 (exchange without media), constructed calls",
      .domains = {},
      .ports = ports,
      .ndpi_labels = ndpi_labels,
      .recognise = recognise,
      .media = nullptr,
      .echo = nullptr};
  return application;
}

}  // namespace callwitness::classify
