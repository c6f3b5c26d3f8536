// RTP by behaviour: the flow table finds it; no name is known.
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr std::string_view ndpi_labels[] = {"RTP"};

}  // namespace

const Application& rtp() {
  static const Application application{
      .key = "rtp",
      .name = "RTP",
      .covers = "of no known application",
      .recognised_by = "behaviour",
      .measures = "loss,jitter",
      .checked_on = "nDPI rtp, skinny, stun_classic, corpus rtp",
      .domains = {},
      .ports = {},
      .ndpi_labels = ndpi_labels,
      .recognise = nullptr,
      .media = nullptr,
      .echo = nullptr};
  return application;
}

}  // namespace callwitness::classify
