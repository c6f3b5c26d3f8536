// Snapchat: names; a call is RTP and RTCP beside the QUIC of the same socket pair (RFC 9443's demultiplexing).
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr std::string_view domains[] = {"snapchat.com", "sc-cdn.net", "snap-dev.net", "snapkit.com", "sc-gw.com", "snapads.com", "feelinsonice-hrd.appspot.com"};
constexpr std::string_view ndpi_labels[] = {"Snapchat", "SnapchatCall"};

/// A long header that names a version (RFC 8999 5.1); Google's "Q043" … "Q050" are such, too.
bool is_quic_hello(const StartPacket& packet) {
  if (packet.bytes.size() < 20 || (packet.bytes[0] & 0xc0) != 0xc0 || packet.payload_length < 1000) return false;
  const std::uint32_t version = u32_at(packet.bytes, 1);
  return version == 1 || version == 0x6b3343cf || version >> 8 == 0xff0000 || (version >> 24 == 'Q' && (version >> 16 & 0xff) == '0');
}
bool is_rtcp(const StartPacket& packet) {
  return packet.bytes.size() >= 8 && packet.bytes[0] >> 6 == 2 && packet.bytes[1] >= 200 && packet.bytes[1] <= 207 &&
         4u * (u16_at(packet.bytes, 2) + 1) <= packet.payload_length;
}

Claim recognise(const FlowStart& start) {
  if (!is_udp(start) || !start.has_port(443)) return {};
  bool hello = false;
  int reports = 0, media = 0;
  for (const auto& packet : start.packets) {
    hello = hello || is_quic_hello(packet);
    if (!hello) continue;
    if (is_rtcp(packet)) ++reports;
    else if (is_rtp(packet) && rtp_payload_type(packet) >= 96) media = std::max(media, rtp_run(start, rtp_payload_type(packet)));
  }
  return hello && (reports >= 2 || media >= 3) ? Claim{0.8, Basis::behaviour, Role::media} : Claim{};
}

}  // namespace

const Application& snapchat() {
  static const Application application{
      .key = "snapchat",
      .name = "Snapchat",
      .recognised_by = "behaviour,name",
      .measures = "loss,jitter",
      .checked_on = "nDPI snapchat_call_v1, snapchat_call (no media), snapchat",
      .domains = domains,
      .ports = {},
      .ndpi_labels = ndpi_labels,
      .recognise = recognise,
      .media = nullptr,
      .echo = nullptr};
  return application;
}

}  // namespace callwitness::classify
