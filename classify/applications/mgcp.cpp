// MGCP (RFC 3435): a verb of four letters, a transaction, MGCP 1.0.
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr PortRange ports[] = {{protocol::udp, 2427, 2427}, {protocol::udp, 2727, 2727}};
constexpr std::string_view ndpi_labels[] = {"MGCP"};
constexpr std::string_view verbs[] = {"EPCF ", "CRCX ", "MDCX ", "DLCX ", "RQNT ", "NTFY ", "AUEP ", "AUCX ", "RSIP "};

Claim recognise(const FlowStart& start) {
  if (!is_udp(start)) return {};
  for (const auto& packet : start.packets) {
    for (const auto verb : verbs) {
      if (starts_with(packet.bytes, verb) && contains(packet.bytes, "MGCP ")) return {0.97, Basis::format, Role::signalling};
    }
  }
  return {};
}

}  // namespace

const Application& mgcp() {
  static const Application application{
      .key = "mgcp",
      .name = "MGCP",
      .recognised_by = "format",
      .measures = "loss,jitter",
      .checked_on = "nDPI mgcp (no connection made), constructed calls",
      .domains = {},
      .ports = ports,
      .ndpi_labels = ndpi_labels,
      .recognise = recognise,
      .media = nullptr,
      .echo = nullptr};
  return application;
}

}  // namespace callwitness::classify
