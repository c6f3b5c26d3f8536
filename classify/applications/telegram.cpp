// Telegram: relays ask for a 16-byte peer tag; its own published addresses; no sequence numbers in clear.
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr std::string_view domains[] = {"telegram.org", "telegram.me", "t.me", "telegra.ph", "tdesktop.com", "telesco.pe"};
constexpr std::string_view ndpi_labels[] = {"Telegram", "TelegramVoip"};
// https://core.telegram.org/resources/cidr.txt
constexpr Prefix own[] = {{v4(91, 108, 4, 0), 22}, {v4(91, 108, 8, 0), 22}, {v4(91, 108, 12, 0), 22}, {v4(91, 108, 16, 0), 22},
                          {v4(91, 108, 20, 0), 22}, {v4(91, 108, 56, 0), 22}, {v4(149, 154, 160, 0), 20}};

bool is_tag_request(const StartPacket& packet) {
  if (packet.bytes.size() < 28) return false;
  return std::all_of(packet.bytes.begin() + 16, packet.bytes.begin() + 28, [](std::uint8_t byte) { return byte == 0xff; });
}

Claim recognise(const FlowStart& start) {
  const bool ours = touches(start, own);
  if (start.is_tcp()) return ours ? Claim{0.85, Basis::name, Role::signalling} : Claim{};
  if (!is_udp(start)) return {};
  // The peer tag stands first in both ways' packets; G.711 silence in RTP is all ones, too, but RTP's head changes.
  for (const auto& packet : start.packets) {
    if (!is_tag_request(packet)) continue;
    const bool echoed = std::any_of(start.packets.begin(), start.packets.end(), [&](const StartPacket& other) {
      return other.way != packet.way && other.bytes.size() >= 16 && std::equal(packet.bytes.begin(), packet.bytes.begin() + 16, other.bytes.begin());
    });
    if (echoed) return {0.95, Basis::format, Role::media};
  }
  if (ours) return {0.9, Basis::name, Role::media};
  return {};
}

}  // namespace

const Application& telegram() {
  static const Application application{
      .key = "telegram",
      .name = "Telegram",
      .recognised_by = "format,name",
      .measures = "loss by cadence,rtt",
      .checked_on = "nDPI telegram, telegram_videocall",
      .domains = domains,
      .ports = {},
      .ndpi_labels = ndpi_labels,
      .recognise = recognise,
      .media = nullptr,
      .echo = nullptr};
  return application;
}

}  // namespace callwitness::classify
