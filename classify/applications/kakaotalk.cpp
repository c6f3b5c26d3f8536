// KakaoTalk: names; RTP by behaviour.
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr std::string_view domains[] = {"kakao.com", "kakao.co.kr", "kakaotalk.com", "kakaocdn.net"};
constexpr std::string_view ndpi_labels[] = {"KakaoTalk", "KakaoTalk_Voice"};

}  // namespace

const Application& kakaotalk() {
  static const Application application{
      .key = "kakaotalk",
      .name = "KakaoTalk",
      .recognised_by = "name",
      .measures = "loss,jitter",
      .checked_on = "no real call: chat in nDPI KakaoTalk_chat",
      .domains = domains,
      .ports = {},
      .ndpi_labels = ndpi_labels,
      .recognise = nullptr,
      .media = nullptr,
      .echo = nullptr};
  return application;
}

}  // namespace callwitness::classify
