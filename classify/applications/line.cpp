// LINE: D in the high nibble, the length of the rest in the low 11 bits, then a 16-bit counter of the sender.
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr std::string_view domains[] = {"line.me", "line-apps.com", "line-scdn.net", "line.naver.jp", "linecorp.com"};
constexpr std::string_view ndpi_labels[] = {"Line", "LineCall"};
bool own_frame(Bytes bytes, std::uint32_t length) {
  return bytes.size() >= 8 && bytes[0] >> 4 == 0xd && length >= 8 && length < 1028 && (u16_at(bytes, 0) & 0x03ffu) == length - 4;
}

Claim recognise(const FlowStart& start) {
  if (!is_udp(start)) return {};
  int framed = 0, continued = 0;
  std::array<std::optional<std::uint16_t>, 2> last{};
  for (const auto& packet : start.packets) {
    if (!own_frame(packet.bytes, packet.payload_length)) continue;
    ++framed;
    auto& before = last[static_cast<std::size_t>(packet.way)];
    const std::uint16_t number = u16_at(packet.bytes, 2);
    if (before && static_cast<std::uint16_t>(number - *before) <= 8) ++continued;
    before = number;
  }
  if (framed >= 3 && continued >= 1) return {0.93, Basis::format, Role::media};
  return {};
}

}  // namespace

const Application& line() {
  static const Application application{
      .key = "line",
      .name = "LINE",
      .recognised_by = "format,name",
      .measures = "loss,jitter",
      .checked_on = "nDPI line",
      .domains = domains,
      .ports = {},
      .ndpi_labels = ndpi_labels,
      .recognise = recognise,
      .media = nullptr,  // the calls are RTP beside these frames
      .echo = nullptr};
  return application;
}

}  // namespace callwitness::classify
