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

/// In the midst of a call: each way's packets begin with the same 16 bytes, drawn at random, and go on in cipher text.
bool keeps_a_tag(const FlowStart& start) {
  constexpr std::size_t tag = 16, looked_at = 32, least = 8, least_different = 8;
  if (start.packets.size() < least || !port_between(start, 500, 600)) return false;
  std::array<Bytes, 2> tags{};
  std::size_t high = 0, all = 0;
  for (const auto& packet : start.packets) {
    if (packet.bytes.size() < tag + looked_at) return false;
    Bytes& told = tags[static_cast<std::size_t>(packet.way)];
    if (told.empty()) told = packet.bytes.first(tag);
    if (!std::equal(told.begin(), told.end(), packet.bytes.begin())) return false;
    for (const auto byte : packet.bytes.subspan(tag, looked_at)) high += byte >> 7;
    all += looked_at;
  }
  const auto is_drawn = [](Bytes told) {
    std::array<bool, 256> seen{};
    for (const auto byte : told) seen[byte] = true;
    return static_cast<std::size_t>(std::count(seen.begin(), seen.end(), true)) >= least_different;
  };
  return is_drawn(tags[0]) && (tags[1].empty() || is_drawn(tags[1])) && high * 10 > all * 4 && high * 10 < all * 6;
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
  if (keeps_a_tag(start)) return {0.8, Basis::format, Role::media};
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
