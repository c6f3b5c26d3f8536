// Snapchat: names; its calls run inside QUIC and are followed by behaviour.
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr std::string_view domains[] = {"snapchat.com", "sc-cdn.net", "snap-dev.net", "snapkit.com", "sc-gw.com", "snapads.com"};
constexpr std::string_view ndpi_labels[] = {"Snapchat", "SnapchatCall"};

}  // namespace

const Application& snapchat() {
  static const Application application{
      .key = "snapchat",
      .name = "Snapchat",
      .recognised_by = "name",
      .measures = "cadence",
      .checked_on = "nDPI snapchat",
      .domains = domains,
      .ports = {},
      .ndpi_labels = ndpi_labels,
      .recognise = nullptr,
      .media = nullptr,
      .echo = nullptr};
  return application;
}

}  // namespace callwitness::classify
