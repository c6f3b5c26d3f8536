// SIP (RFC 3261): a request or status line; its media is what its SDP announces.
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr PortRange ports[] = {{protocol::udp, 5060, 5061}, {protocol::tcp, 5060, 5061}};
constexpr std::string_view ndpi_labels[] = {"SIP"};
constexpr std::string_view methods[] = {"INVITE ", "ACK ", "BYE ", "CANCEL ", "OPTIONS ", "REGISTER ", "SUBSCRIBE ", "NOTIFY ", "MESSAGE ", "INFO ", "PRACK ", "UPDATE ", "REFER ", "PUBLISH "};

bool is_message(Bytes bytes) {
  if (starts_with(bytes, "SIP/2.0 ")) return true;
  for (const auto method : methods) {
    if (!starts_with(bytes, method)) continue;
    const Bytes rest = bytes.subspan(method.size());
    return starts_with(rest, "sip:") || starts_with(rest, "sips:") || starts_with(rest, "tel:");
  }
  return false;
}

Claim recognise(const FlowStart& start) {
  if (!is_udp(start) && !start.is_tcp()) return {};
  for (const auto& packet : start.packets) {
    if (is_message(packet.bytes)) return {0.97, Basis::format, Role::signalling};
  }
  return {};
}

}  // namespace

const Application& sip() {
  static const Application application{
      .key = "sip",
      .name = "SIP",
      .recognised_by = "format",
      .measures = "loss,jitter,rtt",
      .checked_on = "baresip, linphone, corpus rtp, nDPI sip, simulated cases",
      .domains = {},
      .ports = ports,
      .ndpi_labels = ndpi_labels,
      .recognise = recognise,
      .media = nullptr,
      .echo = nullptr};
  return application;
}

}  // namespace callwitness::classify
