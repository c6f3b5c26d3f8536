// WeChat: names; media by behaviour.
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr std::string_view domains[] = {"wechat.com", "weixin.qq.com", "weixin.com", "wx.qq.com", "wechatapp.com", "weixinbridge.com", "servicewechat.com", "wechatos.net"};
constexpr std::string_view ndpi_labels[] = {"WeChat"};

}  // namespace

const Application& wechat() {
  static const Application application{
      .key = "wechat",
      .name = "WeChat",
      .recognised_by = "name",
      .measures = "loss by cadence",
      .checked_on = "no real call: chat in nDPI wechat",
      .domains = domains,
      .ports = {},
      .ndpi_labels = ndpi_labels,
      .recognise = nullptr,
      .media = nullptr,
      .echo = nullptr};
  return application;
}

}  // namespace callwitness::classify
