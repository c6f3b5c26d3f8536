// Cisco Skinny: little-endian length, version and message id on TCP 2000.
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr PortRange ports[] = {{protocol::tcp, 2000, 2000}};
constexpr std::string_view ndpi_labels[] = {"CiscoSkinny", "Skinny"};
bool is_message(const StartPacket& packet) {
  if (packet.bytes.size() < 12) return false;
  const std::uint32_t length = u32_le_at(packet.bytes, 0), version = u32_le_at(packet.bytes, 4), id = u32_le_at(packet.bytes, 8);
  return length >= 4 && length + 8 <= packet.payload_length && (version == 0 || (version >= 0x0a && version <= 0x20)) && id < 0x200;
}

Claim recognise(const FlowStart& start) {
  if (!start.is_tcp() || !start.has_port(2000)) return {};
  std::size_t mine = 0;
  for (const auto& packet : start.packets) mine += is_message(packet) ? 1 : 0;
  if (mine >= 3 && mine * 10 >= start.packets.size() * 8) return {0.95, Basis::format, Role::signalling};
  return {};
}

}  // namespace

const Application& skinny() {
  static const Application application{
      .key = "skinny",
      .name = "Skinny",
      .covers = "SCCP",
      .recognised_by = "format,port",
      .measures = "loss,jitter",
      .checked_on = "nDPI skinny, constructed calls",
      .domains = {},
      .ports = ports,
      .ndpi_labels = ndpi_labels,
      .recognise = recognise,
      .media = nullptr,
      .echo = nullptr};
  return application;
}

}  // namespace callwitness::classify
