#include "classify/protocols/sdp.hpp"

#include "classify/protocols/sip.hpp"

#include <algorithm>

namespace callwitness::classify {
namespace {

constexpr std::size_t media_limit = 32, format_limit = 64, codec_limit = 32;
constexpr std::uint32_t longest_packet_ms = 1000;

std::string_view word(std::string_view& text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  const auto taken = text.substr(0, std::min(text.find(' '), text.size()));
  text.remove_prefix(taken.size());
  return taken;
}

void read_media(std::string_view line, SdpMedia& media) {
  const auto kind = word(line);
  if (kind == "audio") media.kind = MediaKind::audio;
  else if (kind == "video") media.kind = MediaKind::video;
  else if (kind == "application") media.kind = MediaKind::data;
  media.endpoint.port = static_cast<std::uint16_t>(std::min(number_of(word(line)).value_or(0), 65535u));
  word(line);
  while (!line.empty() && media.formats.size() < format_limit) {
    const auto type = number_of(word(line));
    if (type && *type < 128) media.formats.push_back({static_cast<std::uint8_t>(*type), {}, 0});
  }
}

void read_connection(std::string_view line, capture::IpAddress& address) {
  word(line);
  word(line);
  auto text = word(line);
  text = text.substr(0, std::min(text.find('/'), std::min<std::size_t>(text.size(), 64)));
  if (const auto parsed = capture::IpAddress::parse(text)) address = *parsed;
}

void read_map(std::string_view line, SdpMedia& media) {  // "111 opus/48000/2"
  const auto type = number_of(word(line));
  const auto coding = word(line);
  const auto slash = coding.find('/');
  if (!type || slash == std::string_view::npos || slash > codec_limit) return;
  for (auto& format : media.formats) {
    if (format.payload_type != *type) continue;
    format.codec = coding.substr(0, slash);
    for (auto& c : format.codec) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    format.clock_rate_hz = number_of(coding.substr(slash + 1)).value_or(0);
  }
}

}  // namespace

const SdpMedia::Format* SdpMedia::format(int payload_type) const {
  const auto found = std::find_if(formats.begin(), formats.end(), [&](const Format& f) { return f.payload_type == payload_type; });
  return found == formats.end() ? nullptr : &*found;
}

std::vector<SdpMedia> parse_sdp(std::string_view text) {
  std::vector<SdpMedia> all;
  capture::IpAddress session;
  bool session_both_ways = true;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() < 2 || line[1] != '=') continue;
    const auto value = line.substr(2);
    SdpMedia* const media = all.empty() ? nullptr : &all.back();
    if (line[0] == 'm') {
      if (all.size() >= media_limit) break;
      all.emplace_back().endpoint.address = session;
      all.back().both_ways = session_both_ways;
      read_media(value, all.back());
    } else if (line[0] == 'c') {
      read_connection(value, media ? media->endpoint.address : session);
    } else if (line[0] == 'a' && (value == "sendonly" || value == "recvonly" || value == "inactive" || value == "sendrecv")) {
      (media ? media->both_ways : session_both_ways) = value == "sendrecv";
    } else if (line[0] == 'a' && media && value.starts_with("rtpmap:")) {
      read_map(value.substr(7), *media);
    } else if (line[0] == 'a' && media && value.starts_with("ptime:")) {
      const auto told = number_of(value.substr(6));
      if (told && *told > 0 && *told <= longest_packet_ms) media->packet_time_ms = *told;
    }
  }
  return all;
}

}  // namespace callwitness::classify
