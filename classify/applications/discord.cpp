// Discord: a 74-byte address discovery, then RTP; an 8-byte keep-alive 1337CAFE.
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr std::string_view domains[] = {"discord.com", "discord.gg", "discordapp.com", "discordapp.net", "discord.media"};
constexpr std::string_view ndpi_labels[] = {"Discord"};
constexpr std::uint32_t ask = 0x00010046, tell = 0x00020046, keep_alive = 0x1337cafe;

Claim recognise(const FlowStart& start) {
  if (!is_udp(start)) return {};
  for (const auto& packet : start.packets) {
    const std::uint32_t first = u32_at(packet.bytes, 0);
    if (packet.payload_length == 74 && packet.bytes.size() >= 12 && (first == ask || first == tell)) return {0.97, Basis::format, Role::media};
    if (packet.payload_length == 8 && first == keep_alive) return {0.97, Basis::format, Role::media};
  }
  // In the midst of a call: bare RTP of its type at its servers' ports.
  constexpr int audio = 120;
  if (port_between(start, 50'000, 50'100) && rtp_run(start, audio) >= 4 && std::none_of(start.packets.begin(), start.packets.end(), is_stun)) return {0.7, Basis::behaviour, Role::media};
  return {};
}

/// The server sends each keep-alive back as it is, its count included.
std::optional<Echo> echo(const Datagram& datagram, Way) {
  capture::Cursor cursor(datagram.payload);
  if (datagram.payload_length != 8 || cursor.u32() != keep_alive) return std::nullopt;
  return Echo{std::uint64_t{1} << 32 | cursor.u32_le(), false, true};
}

}  // namespace

const Application& discord() {
  static const Application application{
      .key = "discord",
      .name = "Discord",
      .recognised_by = "format,behaviour,port,name",
      .measures = "loss,jitter,rtt",
      .checked_on = "nDPI discord, discord_mid_flow, i3d, rtp, dtls_certificate_fragments",
      .domains = domains,
      .ports = {},
      .ndpi_labels = ndpi_labels,
      .recognise = recognise,
      .media = nullptr,
      .echo = echo};
  return application;
}

}  // namespace callwitness::classify
