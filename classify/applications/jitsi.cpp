// Jitsi: ICE and SRTP to a videobridge on port 10000.
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr std::string_view domains[] = {"meet.jit.si", "jitsi.net", "jitsi.org", "8x8.vc"};
constexpr PortRange ports[] = {{protocol::udp, 10000, 10000}};
Claim recognise(const FlowStart& start) {
  if (!is_udp(start) || !start.has_port(10000)) return {};
  bool stun = false, secure = false, media = false;
  for (const auto& packet : start.packets) {
    stun = stun || (is_stun(packet) && stun_has(packet, 0x0006));
    secure = secure || is_dtls_handshake(packet);
    media = media || is_rtp(packet);
  }
  if (!stun) return {};
  // A little above what WebRTC without a name gets: few but Jitsi's bridge listen there. Signal does, without DTLS.
  if (secure) return {0.72, Basis::port, Role::media};
  return media ? Claim{0.65, Basis::port, Role::media} : Claim{};
}

}  // namespace

const Application& jitsi() {
  static const Application application{
      .key = "jitsi",
      .name = "Jitsi Meet",
      .recognised_by = "name,port",
      .measures = "loss,jitter,rtt",
      .checked_on = "no real capture: constructed packets",
      .domains = domains,
      .ports = ports,
      .ndpi_labels = {},
      .recognise = recognise,
      .media = nullptr,
      .echo = nullptr};
  return application;
}

}  // namespace callwitness::classify
