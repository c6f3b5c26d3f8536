// FaceTime: a 16-byte start on its own ports, or real-time traffic to Apple on them.
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr std::string_view domains[] = {"facetime.apple.com"};
constexpr PortRange ports[] = {{protocol::udp, 16393, 16402}};
constexpr std::string_view ndpi_labels[] = {"FaceTime", "Apple_FaceTime"};
constexpr Prefix own[] = {{v4(17, 0, 0, 0), 8}};

Claim recognise(const FlowStart& start) {
  if (!is_udp(start) || !(port_between(start, 16384, 16387) || port_between(start, 16393, 16410))) return {};
  if (touches(start, own)) return {0.85, Basis::name, Role::media};
  const StartPacket& first = start.packets[0];
  if (first.payload_length == 16 && first.bytes.size() == 16 && u16_at(first.bytes, 0) == 1 && u32_at(first.bytes, 2) == 2) {
    return {0.7, Basis::format, Role::media};
  }
  return {};
}

}  // namespace

const Application& facetime() {
  static const Application application{
      .key = "facetime",
      .name = "FaceTime",
      .recognised_by = "format,port,name",
      .measures = "loss,jitter",
      .checked_on = "no real capture: constructed packets",
      .domains = domains,
      .ports = ports,
      .ndpi_labels = ndpi_labels,
      .recognise = recognise,
      .media = nullptr,
      .echo = nullptr};
  return application;
}

}  // namespace callwitness::classify
