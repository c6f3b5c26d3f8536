// Every trap of docs/methods/README.md by its name: what looks like interference and isn't. The simulated ones run with
// more seeds in tests/montecarlo; those of signalling and of TCP are made here, packet by packet.
#include "../../montecarlo/world.hpp"
#include "../../support/frames_analysis.hpp"

#include "metrics/detector.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>

using namespace callwitness;
using montecarlo::Wire;

namespace {

/// What the capture of one machine holds; a web page is fetched every few seconds, for there to be control traffic.
struct Machine {
  std::vector<tests::CapturedFrame> frames;

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
    return tests::analysis_of_frames(frames);
  }
};

bool has(const metrics::Analysis& analysis, std::string_view kind) {
  return std::any_of(analysis.findings.begin(), analysis.findings.end(), [&](const auto& finding) { return finding.kind == kind; });
}

bool accused(const metrics::Analysis& analysis) { return analysis.verdict.verdict_class == metrics::VerdictClass::interference; }

constexpr std::uint32_t peer = 0xcb007105;

/// A SIP request of dialog `id` and its answer.
void sip(Machine& machine, double at, const std::string& id, bool from_us, const std::string& method, int sequence, std::uint16_t media_port) {
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
std::pair<std::uint32_t, std::uint32_t> tcp_voice(Machine& machine, const Wire& wire, double from, double seconds) {
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

}  // namespace

TEST_CASE("simulated traps accuse nobody") {
  // The scenario of each trap.
  const auto scenario = GENERATE(as<std::string>{}, "constant_bitrate_codec", "video_after_cross_traffic", "wifi_bursts", "wifi_scans", "lte_handover",
                                 "idle_then_nat_timeout", "dtx_silence", "human_redials", "silent_hangups", "capture_drops", "capture_flush_holes",
                                 "slow_line_small_queue", "plan_cap_on_everything", "line_flaps");
  for (std::uint64_t seed = 7001; seed <= 7003; ++seed) {
    const auto simulated = montecarlo::simulate(scenario, seed, 45);
    std::vector<tests::CapturedFrame> frames;
    for (const auto& frame : simulated.frames) frames.push_back({frame.time, frame.bytes});
    const auto analysis = tests::analysis_of_frames(frames);
    INFO(scenario << " seed " << seed);
    CHECK_FALSE(accused(analysis));
    CHECK_FALSE(has(analysis, "periodic_reset"));
  }
}

TEST_CASE("a bot that hangs up with BYE every 300 s is no periodic cut") {
  Machine machine;
  for (int k = 0; k < 5; ++k) {
    const double from = 2 + 302.0 * k;
    const Wire media{peer, static_cast<std::uint16_t>(30000 + 2 * k), 23456, false};
    const auto id = "call" + std::to_string(k);
    sip(machine, from - 1, id, true, "INVITE", 1, media.local_port);
    // The far end says goodbye and stops; our program takes three seconds to notice.
    machine.talk(media, from, from + 302, from + 299, 100u + static_cast<std::uint32_t>(2 * k));
    sip(machine, from + 299.05, id, false, "BYE", 2, media.local_port);
  }
  machine.pages(1500);
  const auto analysis = machine.analysis();
  CHECK_FALSE(has(analysis, "periodic_reset"));
  CHECK_FALSE(accused(analysis));
}

// The same without a goodbye is what a network does that cuts; so the test above can fail.
TEST_CASE("without BYE, with both ends still sending, five cuts 300 s apart are periodic") {
  Machine machine;
  for (int k = 0; k < 5; ++k) {
    const double from = 2 + 302.0 * k;
    machine.talk({peer, static_cast<std::uint16_t>(30000 + 2 * k), 23456, false}, from, from + 301.5, from + 296, 100u + static_cast<std::uint32_t>(2 * k));
  }
  machine.pages(1500);
  const auto analysis = machine.analysis();
  CHECK(has(analysis, "periodic_reset"));
}

TEST_CASE("re-INVITEs and session timers without an outage are no event") {
  Machine machine;
  const Wire media{peer, 30000, 23456, false};
  sip(machine, 1, "call", true, "INVITE", 1, media.local_port);
  machine.talk(media, 2, 400, 400, 100);
  for (int k = 1; k <= 4; ++k) sip(machine, 1 + 90.0 * k, "call", k % 2 == 0, "INVITE", 1 + k, media.local_port);
  machine.pages(400);
  const auto analysis = machine.analysis();
  CHECK(analysis.verdict.verdict_class == metrics::VerdictClass::clean);
  CHECK_FALSE(has(analysis, "periodic_reset"));
  CHECK_FALSE(has(analysis, "outage"));
}

TEST_CASE("one genuine RST of a server that restarts is no forged one") {
  Machine machine;
  const Wire wire{peer, 41000, 64738, true};
  const auto [ours, theirs] = tcp_voice(machine, wire, 2, 60);
  machine.tcp(62.03, wire, false, theirs, ours, 20, 0);
  machine.pages(80);
  const auto analysis = machine.analysis();
  CHECK_FALSE(has(analysis, "injected_reset"));
  CHECK_FALSE(accused(analysis));
}

TEST_CASE("a load balancer's RST with another TTL is no forged one by that sign alone") {
  Machine machine;
  const Wire wire{peer, 41000, 64738, true};
  const auto [ours, theirs] = tcp_voice(machine, wire, 2, 60);
  machine.tcp(62.03, wire, false, theirs, ours, 20, 0, 58);
  machine.pages(80);
  const auto analysis = machine.analysis();
  CHECK_FALSE(has(analysis, "injected_reset"));
  CHECK_FALSE(accused(analysis));
}

TEST_CASE("a connection that a NAT forgot while it was idle is no freeze and no cut") {
  Machine machine;
  for (int k = 0; k < 5; ++k) {
    const Wire wire{peer + static_cast<std::uint32_t>(k % 2), static_cast<std::uint16_t>(41000 + k), 64738, true};
    const auto [ours, theirs] = tcp_voice(machine, wire, 2 + 200.0 * k, 30);
    // Ninety seconds of silence; then what we send reaches nobody, and is sent again.
    for (const double again : {0.0, 0.3, 0.9, 2.1, 4.5, 9.3}) machine.tcp(122 + 200.0 * k + again, wire, true, ours, theirs, 24, 90);
  }
  machine.pages(1000);
  const auto analysis = machine.analysis();
  CHECK_FALSE(has(analysis, "freeze"));
  CHECK_FALSE(has(analysis, "periodic_reset"));
  CHECK_FALSE(accused(analysis));
}

TEST_CASE("a TURN allocation that expires at 600 s while both were silent is no cut") {
  Machine machine;
  for (int k = 0; k < 4; ++k) {
    const Wire media{peer, static_cast<std::uint16_t>(30000 + 2 * k), 3478, false};
    const double from = 2 + 640.0 * k;
    machine.talk(media, from, from + 120, from + 120, 100u + static_cast<std::uint32_t>(2 * k));
    // On hold: nothing comes or goes until our keepalive meets a dead allocation.
    for (int i = 0; i < 8; ++i) machine.udp(from + 600 + i, media, true, {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, static_cast<std::uint8_t>(i), 9, 10, 11, 12});
  }
  machine.pages(2600);
  const auto analysis = machine.analysis();
  CHECK_FALSE(has(analysis, "periodic_reset"));
  CHECK_FALSE(accused(analysis));
}

TEST_CASE("a server that died answers the same few packets each time and is no freeze") {
  Machine machine;
  for (int k = 0; k < 6; ++k) {
    const Wire wire{peer, static_cast<std::uint16_t>(30000 + 2 * k), 23456, false};
    for (int i = 0; i < 400; ++i) machine.udp(2 + 40.0 * k + i * 0.02, wire, true, std::vector<std::uint8_t>(172, 0x80));
    for (int i = 0; i < 3; ++i) machine.udp(2.1 + 40.0 * k + i * 0.1, wire, false, std::vector<std::uint8_t>(172, 0x80));
  }
  machine.pages(250);
  const auto analysis = machine.analysis();
  CHECK_FALSE(has(analysis, "freeze"));
  CHECK_FALSE(accused(analysis));
}

TEST_CASE("numbers that the sender used up without sending are no drops of the capture, others are") {
  // Packets 500 to 749 (five seconds) are missing from what we sent.
  const bool quiet = GENERATE(true, false);
  Machine machine;
  const Wire media{peer, 30000, 23456, false};
  machine.talk(media, 1, 31, 31, 100);
  const auto missing = [&](const tests::CapturedFrame& frame) { return frame.bytes[26] == 192 && frame.time >= 11 - 0.005 && frame.time < 16 - 0.005; };
  if (quiet) {
    std::erase_if(machine.frames, missing);
  } else {
    // As many, scattered: in no second is the stream silent.
    int k = 0;
    std::erase_if(machine.frames, [&](const auto& frame) { return frame.bytes[26] == 192 && ++k % 6 == 0; });
  }
  machine.pages(31);
  CHECK(has(machine.analysis(), "capture_loss") != quiet);
}
