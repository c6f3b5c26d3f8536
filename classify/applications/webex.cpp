// Webex: ICE and SRTP to its published media addresses, ports 9000 and 5004.
#include "classify/recognition_support.hpp"

namespace callwitness::classify {
namespace {

using namespace support;

constexpr std::string_view domains[] = {"webex.com", "wbx2.com", "ciscospark.com", "webexcontent.com"};
constexpr PortRange ports[] = {{protocol::udp, 9000, 9000}, {protocol::udp, 5004, 5004}};
constexpr std::string_view ndpi_labels[] = {"Webex"};
// https://help.webex.com/article/WBX264: media addresses
constexpr Prefix own[] = {{v4(62, 109, 192, 0), 18}, {v4(64, 68, 96, 0), 19}, {v4(66, 114, 160, 0), 20}, {v4(66, 163, 32, 0), 19},
                          {v4(69, 26, 160, 0), 19}, {v4(114, 29, 192, 0), 19}, {v4(150, 253, 128, 0), 17}, {v4(170, 72, 0, 0), 16},
                          {v4(170, 133, 128, 0), 18}, {v4(173, 39, 224, 0), 19}, {v4(173, 243, 0, 0), 20}, {v4(207, 182, 160, 0), 19},
                          {v4(209, 197, 192, 0), 19}, {v4(210, 4, 192, 0), 20}, {v4(216, 151, 128, 0), 19}};

Claim recognise(const FlowStart& start) {
  if (!touches(start, own) || !is_udp(start)) return {};
  return {is_real_time(start) ? 0.9 : 0.7, Basis::name, Role::media};
}

}  // namespace

const Application& webex() {
  static const Application application{
      .key = "webex",
      .name = "Cisco Webex",
      .recognised_by = "name,port",
      .measures = "loss,jitter,rtt",
      .checked_on = "no real capture: constructed packets",
      .domains = domains,
      .ports = ports,
      .ndpi_labels = ndpi_labels,
      .recognise = recognise,
      .media = nullptr,
      .echo = nullptr};
  return application;
}

}  // namespace callwitness::classify
