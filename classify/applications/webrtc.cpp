// WebRTC: ICE checks with a user name, then DTLS and SRTP. Who runs it is not said.
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr std::string_view ndpi_labels[] = {"STUN", "DTLS", "WebRTC"};
Claim recognise(const FlowStart& start) {
  if (!is_udp(start)) return {};
  bool check = false, secure = false;
  for (const auto& packet : start.packets) {
    check = check || (is_stun(packet) && stun_type(packet) == 1 && stun_has(packet, 0x0006));
    secure = secure || is_dtls_handshake(packet);
  }
  if (check && secure) return {0.7, Basis::format, Role::media};
  if (check && is_real_time(start)) return {0.4, Basis::format, Role::unknown};
  return {};
}

}  // namespace

const Application& webrtc() {
  static const Application application{
      .key = "webrtc",
      .name = "WebRTC",
      .covers = "of no known application",
      .recognised_by = "format,behaviour",
      .measures = "loss,jitter,rtt",
      .checked_on = "Chromium, real cases, simulated cases",
      .domains = {},
      .ports = {},
      .ndpi_labels = ndpi_labels,
      .recognise = recognise,
      .media = nullptr,
      .echo = nullptr};
  return application;
}

}  // namespace callwitness::classify
