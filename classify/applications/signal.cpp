// Signal: ICE without DTLS, RTP types 102 (audio) and 118 (video): Signal exchanges keys in its own messages.
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr std::string_view domains[] = {"signal.org", "whispersystems.org", "signal.art", "signal.group"};
constexpr std::string_view ndpi_labels[] = {"Signal", "SignalVoip"};
Claim recognise(const FlowStart& start) {
  if (!is_udp(start)) return {};
  bool stun = false, secure = false;
  for (const auto& packet : start.packets) {
    stun = stun || is_stun(packet);
    secure = secure || is_dtls_handshake(packet);
  }
  if (!stun || secure) return {};
  // Browsers use the same numbers for other codecs, and after a reconnection show no DTLS handshake either; but with them
  // come types that Signal doesn't have.
  for (int type = 96; type <= 127; ++type)
    if (type != 102 && type != 118 && rtp_run(start, type) >= 3) return {};
  const int audio = rtp_run(start, 102), video = rtp_run(start, 118);
  // Its receiver reports (type 201) outnumber the media while a call is set up.
  const bool reports = std::any_of(start.packets.begin(), start.packets.end(), [](const StartPacket& packet) {
    return packet.bytes.size() >= 8 && packet.bytes[0] == 0x80 && packet.bytes[1] == 201;
  });
  return audio >= 3 || video >= 3 || (reports && audio >= 1) ? Claim{0.7, Basis::behaviour, Role::media} : Claim{};
}

}  // namespace

const Application& signal() {
  static const Application application{
      .key = "signal",
      .name = "Signal",
      .recognised_by = "behaviour,name",
      .measures = "loss,jitter,rtt",
      .checked_on = "nDPI stun_signal",
      .domains = domains,
      .ports = {},
      .ndpi_labels = ndpi_labels,
      .recognise = recognise,
      .media = nullptr,
      .echo = nullptr};
  return application;
}

}  // namespace callwitness::classify
