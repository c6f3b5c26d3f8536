// Zoom: a header of the media server (absent between peers), then a media header, then RTP.
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr std::string_view domains[] = {"zoom.us", "zoom.com", "zoomgov.com", "zoom.com.cn", "zoom-cdn.com"};
constexpr PortRange ports[] = {{protocol::udp, 8801, 8810}, {protocol::tcp, 8801, 8802}};
constexpr std::string_view ndpi_labels[] = {"Zoom"};
constexpr std::size_t server_header = 8;
constexpr std::uint8_t share_wide = 30, share = 13, audio = 15, video = 16;

bool is_media_type(std::uint8_t type) { return type == audio || type == video || type == share || type == share_wide; }
bool is_report_type(std::uint8_t type) { return type >= 33 && type <= 35; }
bool has_server_header(Bytes bytes) {
  return bytes.size() > server_header && bytes[0] == 5 && (bytes[7] == 0 || bytes[7] == 4) &&
         (is_media_type(bytes[8]) || is_report_type(bytes[8]));
}

/// Offset of the RTP header within the datagram: where version 2 stands at one of the places the media type allows.
std::optional<std::size_t> rtp_offset(Bytes bytes) {
  const bool server = has_server_header(bytes);
  const std::size_t base = server ? server_header : 0;
  if (bytes.size() <= base + 12 || !is_media_type(bytes[base])) return std::nullopt;
  std::array<std::size_t, 2> places{};
  switch (bytes[base]) {
    case audio: places = {19, 19}; break;
    case video: places = {24, 20}; break;
    default: places = {server ? std::size_t{27} : std::size_t{20}, 20}; break;
  }
  const std::uint16_t number = u16_at(bytes, base + 9);
  for (const std::size_t place : places) {  // the media header repeats RTP's sequence number in most packets
    if (bytes.size() >= base + place + 12 && bytes[base + place] >> 6 == 2 && u16_at(bytes, base + place + 2) == number) return base + place;
  }
  for (const std::size_t place : places) {
    if (bytes.size() >= base + place + 12 && bytes[base + place] >> 6 == 2 && (bytes[base + place + 1] & 0x7f) >= 96) return base + place;
  }
  return std::nullopt;
}

Claim recognise(const FlowStart& start) {
  if (!is_udp(start)) return {};
  const bool usual_port = port_between(start, 8801, 8810);
  int server = 0, peer = 0;
  for (const auto& packet : start.packets) {
    if (has_server_header(packet.bytes) && (is_report_type(packet.bytes[8]) || rtp_offset(packet.bytes))) ++server;
    else if (rtp_offset(packet.bytes)) ++peer;
  }
  if (server >= 3) return {usual_port ? 0.98 : 0.9, Basis::format, Role::media};
  if (peer >= 6 && static_cast<std::size_t>(peer) * 2 > start.packets.size()) return {0.9, Basis::format, Role::media};
  if (usual_port) {
    const StartPacket& first = start.packets[0];
    if (!first.bytes.empty() && (first.bytes[0] <= 2 || server > 0)) return {0.75, Basis::port, Role::media};
  }
  return {};
}

std::optional<MediaHeader> media(const Datagram& datagram, Way) {
  const Bytes bytes = datagram.payload;
  MediaHeader header;
  std::size_t at = 0;
  if (const auto found = rtp_offset(bytes)) {
    at = *found;
    switch (bytes[has_server_header(bytes) ? server_header : 0]) {
      case audio: header.kind = MediaKind::audio; break;
      case video: header.kind = MediaKind::video; break;
      default: header.kind = MediaKind::screen; break;
    }
  } else if (bytes.size() < 12 || bytes[0] >> 6 != 2 || (bytes[1] & 0x7f) < 96) {
    return std::nullopt;  // neither Zoom's framing nor plain RTP of the web client
  }
  const int payload_type = bytes[at + 1] & 0x7f;
  constexpr int forward_correction = 110;
  if (payload_type == forward_correction && header.kind != MediaKind::audio) header.kind = MediaKind::fec;
  header.ssrc = u32_at(bytes, at + 8);
  header.space = *header.ssrc ^ (payload_type == forward_correction ? 0x80000000u : 0);
  header.sequence = u16_at(bytes, at + 2);
  header.media_time = u32_at(bytes, at + 4);
  header.marker = (bytes[at + 1] & 0x80) != 0;
  header.payload_type = payload_type;
  header.payload_offset = static_cast<std::uint16_t>(at + 12);
  if (header.kind == MediaKind::video || header.kind == MediaKind::fec) header.clock_rate_hz = 90'000;
  return header;
}

}  // namespace

const Application& zoom() {
  static const Application application{
      .key = "zoom",
      .name = "Zoom",
      .recognised_by = "format,port,name",
      .measures = "loss,jitter",
      .checked_on = "nDPI zoom_p2p, stun_zoom, simulated cases",
      .domains = domains,
      .ports = ports,
      .ndpi_labels = ndpi_labels,
      .recognise = recognise,
      .media = media,
      .echo = nullptr};
  return application;
}

}  // namespace callwitness::classify
