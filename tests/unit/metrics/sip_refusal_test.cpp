// A SIP server that says no, all the way to the verdict: no accusation. Silence in its place, told apart from it.
#include "classify/classifier.hpp"
#include "metrics/analyzer.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>

using namespace callwitness;

namespace {

struct Line {
  capture::CaptureRecords records;
  metrics::Analyzer analyzer{records};
  classify::Classifier classifier{analyzer, {{}, 200'000, false}};
  std::uint64_t ordinal = 0;

  void send(double at_s, bool sent, std::string_view server, std::uint16_t port, const std::string& payload) {
    capture::Datagram datagram;
    datagram.time = capture::Time(capture::from_seconds(1'700'000'000 + at_s));
    datagram.ordinal = ++ordinal;
    const capture::Endpoint me{*capture::IpAddress::parse("192.168.1.2"), port}, other{*capture::IpAddress::parse(server), port};
    datagram.five_tuple = sent ? capture::FiveTuple{me, other, capture::protocol::udp} : capture::FiveTuple{other, me, capture::protocol::udp};
    datagram.time_to_live = sent ? 64 : 52;
    datagram.payload = capture::Bytes(reinterpret_cast<const std::uint8_t*>(payload.data()), payload.size());
    datagram.payload_length = static_cast<std::uint32_t>(payload.size());
    datagram.ip_length = datagram.payload_length + 28;
    classifier.on_datagram(datagram);
  }
  bool blocked() {
    classifier.finish();
    const auto analysis = analyzer.take_analysis();
    return std::any_of(analysis.findings.begin(), analysis.findings.end(), [](const auto& finding) { return finding.kind == metrics::FindingKind::blocking; });
  }
};

/// Twelve tries of five seconds each at two servers, answered with `status` (empty: not at all), while others answer.
bool blocked_by(const std::string& method, const std::string& status, const std::string& more = {}) {
  Line line;
  for (int i = 0; i < 12; ++i) {
    const double at = 40.0 * i;
    const std::string number = std::to_string(i), tail = "\r\nCall-ID: " + number + "@a\r\nCSeq: " + number + ' ' + method + "\r\n";
    const auto server = i % 2 == 0 ? "203.0.113.5" : "203.0.113.6";
    for (const double again : {0.0, 0.5, 1.5, 3.5}) {
      line.send(at + again, true, server, 5060, method + " sip:e.net SIP/2.0" + tail + more + "\r\n");
      if (!status.empty()) {
        line.send(at + again + 0.04, false, server, 5060, "SIP/2.0 " + status + tail + "\r\n");
        break;
      }
    }
    for (const auto web : {"198.51.100.7", "198.51.100.8", "198.51.100.9"}) {
      line.send(at + 2, true, web, 50'443, "question");
      line.send(at + 2.05, false, web, 50'443, "answer");
    }
  }
  return line.blocked();
}

}  // namespace

TEST_CASE("a SIP server that refuses is no blocked network") {
  const std::string proof = "Authorization: Digest username=\"a\", response=\"0\"\r\n";
  CHECK_FALSE(blocked_by("REGISTER", "401 Unauthorized", proof));
  CHECK_FALSE(blocked_by("REGISTER", "401 Unauthorized"));
  CHECK_FALSE(blocked_by("INVITE", "407 Proxy Authentication Required", proof));
  CHECK_FALSE(blocked_by("REGISTER", "403 Forbidden", proof));
  CHECK_FALSE(blocked_by("REGISTER", "403 Forbidden"));
  CHECK_FALSE(blocked_by("INVITE", "488 Not Acceptable Here"));
  CHECK_FALSE(blocked_by("INVITE", "503 Service Unavailable"));
  CHECK(blocked_by("REGISTER", ""));
}
