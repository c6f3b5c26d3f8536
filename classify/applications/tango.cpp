// Tango: names only; its media is followed by behaviour.
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr std::string_view domains[] = {"tango.me", "tango.net", "tangome.net", "tangome.gslb.com"};

}  // namespace

const Application& tango() {
  static const Application application{
      .key = "tango",
      .name = "Tango",
      .recognised_by = "name",
      .measures = "loss by cadence",
      .checked_on = "no real capture: simulated cases",
      .domains = domains,
      .ports = {},
      .ndpi_labels = {},
      .recognise = nullptr,
      .media = nullptr,
      .echo = nullptr};
  return application;
}

}  // namespace callwitness::classify
