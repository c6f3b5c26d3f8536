// KakaoTalk: names; RTP of one type on its ports.
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr std::string_view domains[] = {"kakao.com", "kakao.co.kr", "kakaotalk.com", "kakaocdn.net"};
constexpr std::string_view ndpi_labels[] = {"KakaoTalk", "KakaoTalk_Voice"};

/// RTP of type 108 on ports from 23044 on: seen of it, and of nobody else that we know of. No format of its own.
Claim recognise(const FlowStart& start) {
  constexpr std::uint16_t first_port = 23'044, last_port = 23'143;
  constexpr int audio = 108;
  if (!is_udp(start) || !port_between(start, first_port, last_port) || rtp_run(start, audio) < 4) return {};
  if (std::any_of(start.packets.begin(), start.packets.end(), is_stun)) return {};
  return {0.7, Basis::behaviour, Role::media};
}

}  // namespace

const Application& kakaotalk() {
  static const Application application{
      .key = "kakaotalk",
      .name = "KakaoTalk",
      .recognised_by = "behaviour,port,name",
      .measures = "loss,jitter",
      .checked_on = "no real call: chat in nDPI KakaoTalk_chat",
      .domains = domains,
      .ports = {},
      .ndpi_labels = ndpi_labels,
      .recognise = recognise,
      .media = nullptr,
      .echo = nullptr};
  return application;
}

}  // namespace callwitness::classify
