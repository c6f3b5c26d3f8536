// Messenger: names; ICE and SRTP by behaviour.
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr std::string_view domains[] = {"messenger.com", "m.me", "edge-chat.facebook.com", "edge-mqtt.facebook.com", "mqtt-mini.facebook.com", "edge-stun.facebook.com", "edge-turnservice.facebook.com", "turnservice.facebook.com", "stun.fbsbx.com"};
constexpr std::string_view ndpi_labels[] = {"FacebookMessenger", "FacebookVoip", "Messenger"};

}  // namespace

const Application& messenger() {
  static const Application application{
      .key = "messenger",
      .name = "Facebook Messenger",
      .recognised_by = "name",
      .measures = "loss,jitter,rtt",
      .checked_on = "no real call: names in nDPI cloudflare-warp, sites",
      .domains = domains,
      .ports = {},
      .ndpi_labels = ndpi_labels,
      .recognise = nullptr,
      .media = nullptr,
      .echo = nullptr};
  return application;
}

}  // namespace callwitness::classify
