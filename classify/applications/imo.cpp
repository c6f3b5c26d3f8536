// imo: 0D and a 16-bit counter; 0902 is echoed by 0903.
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr std::string_view domains[] = {"imo.im", "imoim.net", "imo.com"};
constexpr std::string_view ndpi_labels[] = {"IMO"};
bool is_voice(Bytes bytes) { return bytes.size() >= 8 && bytes[0] == 0x0d; }

Claim recognise(const FlowStart& start) {
  if (!is_udp(start)) return {};
  int continued = 0, voice = 0, asked = 0, answered = 0;
  std::array<std::optional<std::uint16_t>, 2> last{};
  for (const auto& packet : start.packets) {
    const std::uint16_t first = u16_at(packet.bytes, 0);
    if (packet.bytes.size() >= 8 && first == 0x0902) ++asked;
    if (packet.bytes.size() >= 8 && first == 0x0903) ++answered;
    if (!is_voice(packet.bytes)) continue;
    ++voice;
    auto& before = last[static_cast<std::size_t>(packet.way)];
    const std::uint16_t number = u16_at(packet.bytes, 1);
    if (before && static_cast<std::uint16_t>(number - *before) <= 4) ++continued;
    before = number;
  }
  const bool mostly = static_cast<std::size_t>(voice + asked + answered) * 10 >= start.packets.size() * 8;
  if (asked >= 1 && answered >= 1 && continued >= 3 && mostly) return {0.93, Basis::format, Role::media};
  if (continued >= 8 && mostly) return {0.75, Basis::format, Role::media};
  return {};
}

std::optional<MediaHeader> media(const Datagram& datagram, Way) {
  if (!is_voice(datagram.payload)) return std::nullopt;
  MediaHeader header;
  header.sequence = u16_at(datagram.payload, 1);
  header.payload_offset = 3;
  return header;
}

std::optional<Echo> echo(const Datagram& datagram, Way) {
  const std::uint16_t first = u16_at(datagram.payload, 0);
  if (datagram.payload.size() < 8 || (first != 0x0902 && first != 0x0903)) return std::nullopt;
  capture::Cursor cursor(datagram.payload);
  cursor.skip(2);
  return Echo{cursor.u32(), first == 0x0903};
}

}  // namespace

const Application& imo() {
  static const Application application{
      .key = "imo",
      .name = "imo",
      .recognised_by = "format,name",
      .measures = "loss,rtt",
      .checked_on = "no real capture: constructed packets",
      .domains = domains,
      .ports = {},
      .ndpi_labels = ndpi_labels,
      .recognise = recognise,
      .media = media,
      .echo = echo};
  return application;
}

}  // namespace callwitness::classify
