// Captures made packet by packet: one machine, its calls, and a web page every few seconds beside them.
#pragma once

#include "../montecarlo/world.hpp"
#include "frames_analysis.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace tests {

using montecarlo::Wire;
namespace metrics = callwitness::metrics;

inline constexpr std::uint32_t peer = 0xcb007105;

/// What the capture of one machine holds; a web page is fetched every few seconds, for there to be control traffic.
struct Machine {
  std::vector<CapturedFrame> frames;

  void put(double time, std::vector<std::uint8_t> bytes) { frames.push_back({time, std::move(bytes)}); }
  void udp(double time, const Wire& wire, bool sent, const std::vector<std::uint8_t>& payload) {
    put(time, montecarlo::frame(wire, sent, montecarlo::udp(wire, sent, payload), 52));
  }
  void text(double time, const Wire& wire, bool sent, const std::string& payload) { udp(time, wire, sent, {payload.begin(), payload.end()}); }
  void tcp(double time, const Wire& wire, bool sent, std::uint32_t sequence, std::uint32_t acknowledgement, std::uint8_t flags, std::size_t payload, std::uint8_t hops = 52) {
    put(time, montecarlo::frame(wire, sent, montecarlo::tcp(wire, sent, sequence, acknowledgement, flags, payload), hops));
  }

  /// G.711 both ways; `peer_until`: when the far end stops.
  void talk(const Wire& wire, double from, double to, double peer_until, std::uint32_t ssrc) {
    for (const bool sent : {true, false})
      for (int i = 0; from + i * 0.02 < (sent ? to : peer_until); ++i) {
        std::vector<std::uint8_t> rtp = {0x80, 0};
        montecarlo::put16(rtp, static_cast<std::uint32_t>(i) & 0xffff);
        montecarlo::put32(rtp, static_cast<std::uint32_t>(i) * 160);
        montecarlo::put32(rtp, ssrc + (sent ? 0 : 1));
        rtp.resize(172, 0x55);
        udp(from + i * 0.02 + (sent ? 0 : 0.007), wire, sent, rtp);
      }
  }
  void pages(double until) {
    for (int k = 0; 1 + 4.0 * k < until; ++k) {
      const Wire web{0xc6336401, static_cast<std::uint16_t>(42000 + k), 443, true};
      const double at = 1 + 4.0 * k;
      tcp(at, web, true, 500, 0, 2, 0);
      tcp(at + 0.02, web, false, 999, 501, 18, 0);
      tcp(at + 0.0202, web, true, 501, 1000, 24, 300);
      for (std::uint32_t i = 0; i < 60; ++i) tcp(at + 0.04 + i * 0.05, web, false, 1000 + 1400 * i, 801, 16, 1400);
    }
  }
  metrics::Analysis analysis() {
    std::stable_sort(frames.begin(), frames.end(), [](const auto& a, const auto& b) { return a.time < b.time; });
    return analysis_of_frames(frames);
  }
};

inline bool has(const metrics::Analysis& analysis, std::string_view kind) {
  return std::any_of(analysis.findings.begin(), analysis.findings.end(), [&](const auto& finding) { return metrics::name_of(finding.kind) == kind; });
}

inline bool accused(const metrics::Analysis& analysis) { return analysis.verdict.verdict_class == metrics::VerdictClass::interference; }

inline const metrics::Finding* find(const metrics::Analysis& analysis, std::string_view kind) {
  const auto at = std::find_if(analysis.findings.begin(), analysis.findings.end(), [&](const auto& finding) { return metrics::name_of(finding.kind) == kind; });
  return at == analysis.findings.end() ? nullptr : &*at;
}

/// A SIP request of dialog `id` and its answer.
inline void sip(Machine& machine, double at, const std::string& id, bool from_us, const std::string& method, int sequence, std::uint16_t media_port) {
  const Wire wire{peer, 5060, 5060, false};
  const std::string tail = "\r\nVia: SIP/2.0/UDP 192.168.1.23\r\nFrom: <sip:a@e.net>;tag=1\r\nTo: <sip:b@e.net>;tag=2\r\nCall-ID: " + id + "@a\r\nCSeq: " + std::to_string(sequence) + ' ' + method + "\r\n";
  const auto body = [&](const char* address, std::uint16_t port) {
    const std::string sdp = std::string("v=0\r\no=- 1 1 IN IP4 ") + address + "\r\ns=-\r\nc=IN IP4 " + address + "\r\nt=0 0\r\nm=audio " + std::to_string(port) + " RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";
    return "Content-Type: application/sdp\r\nContent-Length: " + std::to_string(sdp.size()) + "\r\n\r\n" + sdp;
  };
  const bool offers = method == "INVITE";
  machine.text(at, wire, from_us, method + " sip:b@e.net SIP/2.0" + tail + (offers ? body("192.168.1.23", media_port) : "Content-Length: 0\r\n\r\n"));
  machine.text(at + 0.03, wire, !from_us, "SIP/2.0 200 OK" + tail + (offers ? body("203.0.113.5", 23456) : "Content-Length: 0\r\n\r\n"));
}

/// A TCP voice connection of `seconds` with a framed message each way every 20 ms; returns the next sequence of each way.
inline std::pair<std::uint32_t, std::uint32_t> tcp_voice(Machine& machine, const Wire& wire, double from, double seconds) {
  machine.tcp(from, wire, true, 99, 0, 2, 0);
  machine.tcp(from + 0.03, wire, false, 499, 100, 18, 0);
  machine.tcp(from + 0.0301, wire, true, 100, 500, 16, 0);
  std::uint32_t ours = 100, theirs = 500;
  for (double t = from + 0.1; t < from + seconds; t += 0.02) {
    machine.tcp(t, wire, true, ours, theirs, 24, 90);
    ours += 90;
    machine.tcp(t + 0.005, wire, false, theirs, ours, 24, 90);
    theirs += 90;
  }
  return {ours, theirs};
}

}  // namespace tests
