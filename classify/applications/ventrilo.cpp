// Ventrilo: control and voice over TCP as messages with a 2-byte length, enciphered; UDP for status and voice.
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr std::string_view domains[] = {"ventrilo.com"};
constexpr PortRange ports[] = {{protocol::tcp, 3784, 3784}, {protocol::udp, 3784, 3784}, {protocol::tcp, 6100, 6100}, {protocol::udp, 6100, 6100}};
bool usual_port(const FlowStart& start) { return start.has_port(3784) || start.has_port(6100); }

/// The segment is a chain of whole messages, as far as its kept prefix tells.
bool is_framed(const StartPacket& packet) {
  std::size_t at = 0;
  while (at < packet.payload_length) {
    if (at + 2 > packet.bytes.size()) return at > 0;
    const std::size_t length = u16_at(packet.bytes, at);
    if (length == 0) return false;
    at += length + 2;
  }
  return at == packet.payload_length;
}

Claim recognise(const FlowStart& start) {
  if (!usual_port(start)) return {};
  if (is_udp(start)) {
    // First four bytes 0, lengths in known pairs of request and answer.
    for (const auto& packet : start.packets) {
      const auto length = packet.payload_length;
      if (packet.bytes.size() < 20 || u32_at(packet.bytes, 0) != 0) continue;
      if (length == 108 || length == 132 || length == 52 || length == 196) return {0.8, Basis::format, Role::media};
    }
    return {};
  }
  if (!start.is_tcp()) return {};
  int framed = 0;
  bool both = false;
  for (const auto& packet : start.packets) {
    if (!is_framed(packet)) continue;
    ++framed;
    both = both || packet.way == Way::backward;
  }
  if (framed >= 3 && both && static_cast<std::size_t>(framed) * 10 >= start.packets.size() * 8) return {0.95, Basis::format, Role::media};
  if (framed >= 1) return {0.6, Basis::port, Role::media};
  return {};
}

}  // namespace

const Application& ventrilo() {
  static const Application application{
      .key = "ventrilo",
      .name = "Ventrilo",
      .recognised_by = "format,port,name",
      .measures = "loss by cadence",
      .checked_on = "no real capture: constructed packets, simulated cases",
      .domains = domains,
      .ports = ports,
      .ndpi_labels = {},
      .recognise = recognise,
      .media = nullptr,
      .echo = nullptr};
  return application;
}

}  // namespace callwitness::classify
