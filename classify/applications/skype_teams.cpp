// Microsoft Teams: STUN with attributes of its own, the FF10 multiplex of its relays, its published media addresses.
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr std::string_view domains[] = {"teams.microsoft.com", "teams.live.com", "teams.office.com", "teams.cdn.office.net", "trouter.skype.com", "teams.events.data.microsoft.com", "lync.com"};
constexpr std::string_view ndpi_labels[] = {"Teams", "TeamsCall", "Skype_Teams", "SkypeTeams"};
// https://learn.microsoft.com/microsoft-365/enterprise/urls-and-ip-address-ranges (Teams media)
constexpr Prefix own[] = {{v4(52, 112, 0, 0), 14}, {v4(52, 122, 0, 0), 15}};
// [MS-TURN] 2.2.2 and [MS-ICE2]: service quality, implementation version, candidate identifier
constexpr std::uint16_t service_quality = 0x8055, implementation_version = 0x8070, candidate_identifier = 0x8054;

Claim recognise(const FlowStart& start) {
  if (start.is_tcp()) return touches(start, own) && is_real_time(start) ? Claim{0.8, Basis::name, Role::media} : Claim{};
  if (!is_udp(start)) return {};
  for (const auto& packet : start.packets) {
    if (is_stun(packet) && (stun_has(packet, service_quality) || stun_has(packet, implementation_version) || stun_has(packet, candidate_identifier))) {
      return {0.93, Basis::format, Role::media};
    }
    if (packet.bytes.size() >= 12 && packet.bytes[0] == 0xff && packet.bytes[1] == 0x10 && u16_at(packet.bytes, 2) + 12u <= packet.payload_length + 8u &&
        port_between(start, 3478, 3481)) {
      return {0.93, Basis::format, Role::media};
    }
  }
  if (touches(start, own) && (port_between(start, 3478, 3481) || is_real_time(start))) return {0.9, Basis::name, Role::media};
  // Bare RTP of type 104 on the relays' ports, where others wrap theirs in TURN.
  constexpr int audio = 104;
  if (port_between(start, 3478, 3481) && rtp_run(start, audio) >= 4) return {0.75, Basis::behaviour, Role::media};
  return {};
}

}  // namespace

const Application& skype_teams() {
  static const Application application{
      .key = "skype_teams",
      .name = "Teams or Skype",
      .covers = "Teams, Skype since 2015",
      .recognised_by = "format,behaviour,port,name",
      .measures = "loss,jitter,rtt",
      .checked_on = "nDPI skype-conference-call",
      .domains = domains,
      .ports = {},
      .ndpi_labels = ndpi_labels,
      .recognise = recognise,
      .media = nullptr,
      .echo = nullptr};
  return application;
}

}  // namespace callwitness::classify
