// Google Meet: ICE and SRTP to its published media addresses, ports 3478 and 19302-19309.
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr std::string_view domains[] = {"meet.google.com", "meetings.googleapis.com", "duo.google.com", "hangouts.google.com", "meet.turns.goog"};
constexpr std::string_view ndpi_labels[] = {"GoogleMeet", "HangoutDuo", "GoogleHangoutDuo", "GoogleCall"};
// https://support.google.com/a/answer/1279090: addresses that serve Meet media only
constexpr Prefix own[] = {{v4(74, 125, 250, 0), 24}, {v4(142, 250, 82, 0), 24}};

bool is_own_v6(const capture::IpAddress& address) {  // 2001:4860:4864:5::/64 and :6::/64
  constexpr std::array<std::uint8_t, 7> head{0x20, 0x01, 0x48, 0x60, 0x48, 0x64, 0x00};
  return address.version == 6 && std::equal(head.begin(), head.end(), address.bytes.begin()) && (address.bytes[7] == 5 || address.bytes[7] == 6);
}

Claim recognise(const FlowStart& start) {
  const auto& tuple = start.five_tuple;
  const bool ours = touches(start, own) || is_own_v6(tuple.source.address) || is_own_v6(tuple.destination.address);
  if (ours && (is_udp(start) || start.is_tcp())) return {0.92, Basis::name, Role::media};
  // Its STUN servers are asked by other WebRTC pages, too; a handshake or media on those ports are its own.
  const auto has = [&](bool (*what)(const StartPacket&)) { return std::any_of(start.packets.begin(), start.packets.end(), what); };
  if (is_udp(start) && port_between(start, 19302, 19309) && (has(is_dtls_handshake) || has(is_rtp))) return {0.75, Basis::port, Role::media};
  return {};
}

}  // namespace

const Application& google_meet() {
  static const Application application{
      .key = "google_meet",
      .name = "Google Meet",
      .covers = "and Duo",
      .recognised_by = "name,port",
      .measures = "loss,jitter,rtt",
      .checked_on = "nDPI stun_google_meet, stun_dtls_rtp, google_meet (web page)",
      .domains = domains,
      .ports = {},  // its STUN port serves every WebRTC page
      .ndpi_labels = ndpi_labels,
      .recognise = recognise,
      .media = nullptr,
      .echo = nullptr};
  return application;
}

}  // namespace callwitness::classify
