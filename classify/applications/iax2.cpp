// IAX2 (RFC 5456): mini frames carry 16 bits of a millisecond clock and no sequence number.
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr PortRange ports[] = {{protocol::udp, 4569, 4569}};
constexpr std::string_view ndpi_labels[] = {"IAX"};
constexpr std::uint8_t voice_frame = 2, iax_frame = 6;      // RFC 5456 8.2
constexpr std::uint8_t new_call = 1, hang_up = 5;           // RFC 5456 8.4

bool is_full(Bytes bytes) { return bytes.size() >= 12 && (bytes[0] & 0x80) != 0 && bytes[10] >= 1 && bytes[10] <= 12; }
bool is_mini(Bytes bytes) { return bytes.size() > 4 && (bytes[0] & 0x80) == 0 && u16_at(bytes, 0) != 0; }

/// Trunked and video meta frames (RFC 5456 8.1.3): a zero call number.
bool is_meta(Bytes bytes) { return bytes.size() >= 8 && u16_at(bytes, 0) == 0; }

/// Milliseconds that one frame of this size holds: G.711 80 bytes per 10 ms, GSM 33 per 20 ms, iLBC 50 per 30 ms.
std::uint16_t frame_time(std::size_t size) {
  if (size % 80 == 0 && size >= 80 && size <= 480) return static_cast<std::uint16_t>(size / 8);
  if (size % 50 == 0 && size >= 50 && size <= 150) return static_cast<std::uint16_t>(size / 50 * 30);
  if (size % 33 == 0 && size >= 33 && size <= 132) return static_cast<std::uint16_t>(size / 33 * 20);
  return 20;
}

Claim recognise(const FlowStart& start) {
  if (!is_udp(start)) return {};
  const bool usual_port = start.has_port(4569);
  int full = 0, continued = 0, mini = 0;
  bool fresh = false;
  std::array<std::optional<std::uint16_t>, 2> last{};
  for (const auto& packet : start.packets) {
    if (is_full(packet.bytes)) {
      ++full;
      // NEW (RFC 5456 6.2.2): to call 0, first of both sequences.
      if (packet.bytes[10] == iax_frame && packet.bytes[11] == new_call && (u16_at(packet.bytes, 2) & 0x7fff) == 0 && packet.bytes[8] == 0 && packet.bytes[9] == 0) fresh = true;
    } else if (is_mini(packet.bytes)) {
      ++mini;
      auto& before = last[static_cast<std::size_t>(packet.way)];
      const std::uint16_t time = u16_at(packet.bytes, 2);
      if (before && static_cast<std::uint16_t>(time - *before) <= 200 && time != *before) ++continued;
      before = time;
    } else if (!is_meta(packet.bytes)) {
      return {};
    }
  }
  if (fresh && usual_port) return {0.97, Basis::format, Role::media};
  if (usual_port && (continued >= 3 || full >= 2)) return {0.95, Basis::format, Role::media};
  if (fresh && start.packets.size() >= 2 && full >= 2) return {0.8, Basis::format, Role::media};
  return {};
}

std::optional<MediaHeader> media(const Datagram& datagram, Way) {
  const Bytes bytes = datagram.payload;
  MediaHeader header;
  header.media_time_bits = 16;
  header.clock_rate_hz = 1000;
  header.kind = MediaKind::audio;
  if (is_full(bytes)) {
    const std::uint32_t partner = u16_at(bytes, 2) & 0x7fffu;
    if (partner != 0) header.partner = partner;
    if (bytes[10] == iax_frame && bytes[11] == hang_up) {
      header.goodbye = header.number_only = true;
      header.space = u16_at(bytes, 0) & 0x7fffu;
      return header;
    }
    if (bytes[10] != voice_frame) return std::nullopt;
    header.media_time = u16_at(bytes, 6);
    header.payload_offset = 12;
  } else if (is_mini(bytes)) {
    header.media_time = u16_at(bytes, 2);
    header.payload_offset = 4;
  } else {
    return std::nullopt;
  }
  header.space = u16_at(bytes, 0) & 0x7fffu;
  header.time_step = frame_time(datagram.payload_length - header.payload_offset);
  return header;
}

}  // namespace

const Application& iax2() {
  static const Application application{
      .key = "iax2",
      .name = "IAX2",
      .covers = "Asterisk",
      .recognised_by = "format,port",
      .measures = "loss,jitter",
      .checked_on = "no real capture: constructed packets, simulated cases",
      .domains = {},
      .ports = ports,
      .ndpi_labels = ndpi_labels,
      .recognise = recognise,
      .media = media,
      .echo = nullptr};
  return application;
}

}  // namespace callwitness::classify
