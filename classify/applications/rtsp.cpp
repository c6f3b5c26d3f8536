// RTSP (RFC 2326): a request or status line.
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr PortRange ports[] = {{protocol::tcp, 554, 554}, {protocol::tcp, 8554, 8554}};
constexpr std::string_view ndpi_labels[] = {"RTSP"};
constexpr std::string_view methods[] = {"OPTIONS ", "DESCRIBE ", "SETUP ", "PLAY ", "PAUSE ", "TEARDOWN ", "ANNOUNCE ", "RECORD ", "GET_PARAMETER ", "SET_PARAMETER "};

Claim recognise(const FlowStart& start) {
  if (!is_udp(start) && !start.is_tcp()) return {};
  for (const auto& packet : start.packets) {
    if (starts_with(packet.bytes, "RTSP/1.0 ") || starts_with(packet.bytes, "RTSP/2.0 ")) return {0.97, Basis::format, Role::signalling};
    for (const auto method : methods) {
      if (starts_with(packet.bytes, method) && (contains(packet.bytes, "rtsp://") || contains(packet.bytes, " RTSP/1.0"))) return {0.97, Basis::format, Role::signalling};
    }
  }
  return {};
}

}  // namespace

const Application& rtsp() {
  static const Application application{
      .key = "rtsp",
      .name = "RTSP",
      .recognised_by = "format",
      .measures = "loss,jitter",
      .checked_on = "nDPI rtsp, corpus rtp",
      .domains = {},
      .ports = ports,
      .ndpi_labels = ndpi_labels,
      .recognise = recognise,
      .media = nullptr,
      .echo = nullptr};
  return application;
}

}  // namespace callwitness::classify
