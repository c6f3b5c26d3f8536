// WhatsApp: STUN with its own attribute 0x4000 or message types 0x0800-0x0805, checks without a user name, RTP type 120.
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr std::string_view domains[] = {"whatsapp.net", "whatsapp.com", "wa.me"};
constexpr std::string_view ndpi_labels[] = {"WhatsApp", "WhatsAppCall", "WhatsAppFiles"};
constexpr std::uint16_t own_attribute = 0x4000, username = 0x0006, integrity = 0x0008;

/// What the client says first, over as many segments as it takes.
std::vector<std::uint8_t> opening(const FlowStart& start) {
  constexpr std::size_t enough = 64;
  std::vector<std::uint8_t> bytes;
  for (const auto& packet : start.packets) {
    if (packet.way != Way::forward) continue;
    bytes.insert(bytes.end(), packet.bytes.begin(), packet.bytes.end());
    if (bytes.size() >= enough || packet.bytes.size() < packet.payload_length) break;
  }
  return bytes;
}

/// "WA" and two version bytes; before it there may be "ED", 0, 1 and routing information behind a 24-bit length.
bool is_opening(Bytes bytes) {
  constexpr std::string_view edge("ED\0\1\0", 5);
  constexpr std::size_t edge_header = 7;
  if (starts_with(bytes, edge) && bytes.size() > edge_header) {
    const std::size_t length = u16_at(bytes, 5);
    if (bytes.size() < edge_header + length) return false;
    bytes = bytes.subspan(edge_header + length);
  }
  return bytes.size() >= 4 && starts_with(bytes, "WA") && bytes[2] >= 1 && bytes[2] <= 9 && bytes[3] <= 9;
}

Claim recognise(const FlowStart& start) {
  if (start.is_tcp()) {
    if (start.packets[0].bytes.empty() || (start.packets[0].bytes[0] != 'E' && start.packets[0].bytes[0] != 'W')) return {};
    if (is_opening(opening(start))) return {start.has_port(5222) || start.has_port(443) ? 0.95 : 0.7, Basis::format, Role::signalling};
    return {};
  }
  if (!is_udp(start)) return {};
  int bare_checks = 0, named = 0;
  for (const auto& packet : start.packets) {
    if (!is_stun(packet)) continue;
    const std::uint16_t type = stun_type(packet);
    if (type >= 0x0800 && type <= 0x0805) return {0.97, Basis::format, Role::media};
    if (type == 0x0003 && u16_at(packet.bytes, 20) == own_attribute) return {0.97, Basis::format, Role::media};
    if (type == 0x0001 && stun_has(packet, username)) ++named;
    if (type == 0x0001 && packet.payload_length == 44 && u16_at(packet.bytes, 20) == integrity) ++bare_checks;
  }
  if (named > 0) return {};
  const int voice = rtp_run(start, 120);
  if (bare_checks >= 1 && voice >= 2) return {0.93, Basis::format, Role::media};
  if (bare_checks >= 1) return {0.75, Basis::format, Role::media};
  if (voice >= 4 && start.has_port(3478)) return {0.75, Basis::behaviour, Role::media};   // others wrap media in TURN there
  return {};
}

}  // namespace

const Application& whatsapp() {
  static const Application application{
      .key = "whatsapp",
      .name = "WhatsApp",
      .recognised_by = "format,behaviour,name",
      .measures = "loss,jitter,rtt",
      .checked_on = "nDPI wa_voice, whatsapp_login_call, whatsapp, simulated cases",
      .domains = domains,
      .ports = {},
      .ndpi_labels = ndpi_labels,
      .recognise = recognise,
      .media = nullptr,
      .echo = nullptr};
  return application;
}

}  // namespace callwitness::classify
