// Every trap of docs/methods/README.md by its name: what looks like interference and isn't. The simulated ones run with
// more seeds in tests/montecarlo; those of signalling and of TCP are made here, packet by packet.
#include "../../support/machine.hpp"

#include "metrics/events/event_weight.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>

using namespace callwitness;
using metrics::Mechanism;
using tests::accused, tests::find, tests::has, tests::Machine, tests::peer, tests::sip, tests::tcp_voice, tests::Wire;

namespace {

/// The scenario of a trap, with a few seeds; tests/montecarlo runs thousands.
void accuses_nobody(const std::string& scenario, double seconds = 45, std::uint64_t seeds = 3) {
  for (std::uint64_t seed = 7001; seed < 7001 + seeds; ++seed) {
    std::vector<tests::CapturedFrame> frames;
    for (const auto& frame : montecarlo::simulate(scenario, seed, seconds).frames) frames.push_back({frame.time, frame.bytes});
    const auto analysis = tests::analysis_of_frames(frames);
    INFO(scenario << " seed " << seed);
    CHECK_FALSE(accused(analysis));
    CHECK_FALSE(has(analysis, "periodic_reset"));
    CHECK(analysis.verdict.verdict_class != metrics::VerdictClass::suspected);
  }
}

}  // namespace

TEST_CASE("the plateau of a constant-bitrate codec is no cap", "[traps]") { accuses_nobody("constant_bitrate_codec"); }
TEST_CASE("video that adapts after cross traffic is no cap", "[traps]") { accuses_nobody("video_after_cross_traffic"); }
TEST_CASE("Wi-Fi's bursts of loss are no policer", "[traps]") { accuses_nobody("wifi_bursts"); }
TEST_CASE("Wi-Fi's scans every ten seconds are neither quota nor cuts", "[traps]") { accuses_nobody("wifi_scans", 65); }
TEST_CASE("a handover every 90 s is no periodic cut", "[traps]") { accuses_nobody("lte_handover", 380, 2); }
TEST_CASE("a NAT timeout after idleness is no cut", "[traps]") { accuses_nobody("idle_then_nat_timeout"); }
TEST_CASE("a talker's silence is no outage and no quota", "[traps]") { accuses_nobody("dtx_silence"); }
TEST_CASE("people who redial when they please keep no period", "[traps]") { accuses_nobody("human_redials", 400, 2); }
TEST_CASE("people who hang up without a goodbye keep no period", "[traps]") { accuses_nobody("silent_hangups", 400, 2); }
TEST_CASE("packets that the capture dropped are no loss of the network", "[traps]") { accuses_nobody("capture_drops"); }
TEST_CASE("holes of 10 ms at every disk flush are no loss of the network", "[traps]") { accuses_nobody("capture_flush_holes"); }
TEST_CASE("a home link's small queue is no policer", "[traps]") { accuses_nobody("slow_line_small_queue"); }
TEST_CASE("a plan's cap on everything is no call's", "[traps]") { accuses_nobody("plan_cap_on_everything"); }
TEST_CASE("a line that drops everything now and then cuts nobody off", "[traps]") { accuses_nobody("line_flaps"); }
TEST_CASE("loss on the far end's side alone accuses nobody", "[traps]") { accuses_nobody("remote_end_loss"); }

TEST_CASE("hang-ups with BYE at a human's hours are no cuts", "[traps]") {
  Machine machine;
  double from = 2;
  int k = 0;
  for (const double age : {41.0, 97.0, 58.0, 133.0, 74.0}) {
    const Wire media{peer, static_cast<std::uint16_t>(30000 + 2 * k), 23456, false};
    const auto id = "call" + std::to_string(k++);
    sip(machine, from - 1, id, true, "INVITE", 1, media.local_port);
    machine.talk(media, from, from + age + 3, from + age, 100u + static_cast<std::uint32_t>(2 * k));
    sip(machine, from + age + 0.05, id, false, "BYE", 2, media.local_port);
    from += age + 12;
  }
  machine.pages(from);
  const auto analysis = machine.analysis();
  CHECK_FALSE(has(analysis, "periodic_reset"));
  CHECK_FALSE(has(analysis, "outage"));
  CHECK_FALSE(has(analysis, "benign_timer"));
  CHECK_FALSE(accused(analysis));
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
  const auto* timer = find(analysis, "benign_timer");
  REQUIRE(timer != nullptr);
  CHECK(timer->mechanism == Mechanism::goodbye);
  CHECK(*timer->count == 5);
  CHECK(*timer->period_s == Approx(302).epsilon(0.01));
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
  CHECK((has(analysis, "periodic_reset") || has(analysis, "dies_after")));   // at the same age, whatever counts it
  CHECK_FALSE(has(analysis, "benign_timer"));
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

TEST_CASE("forged resets that the router at home sent may be its owner's: told, and nobody is accused", "[traps]") {
  const auto hops = static_cast<std::uint8_t>(GENERATE(64, 255, 63, 60, 200));
  Machine machine;
  for (int k = 0; k < 3; ++k) {
    const Wire wire{peer, static_cast<std::uint16_t>(41000 + k), 64738, true};
    const double from = 2 + 40.0 * k;
    const auto [ours, theirs] = tcp_voice(machine, wire, from, from + 30);
    machine.tcp(from + 30.03, wire, false, theirs, ours, 20, 0, hops);
    for (int i = 0; i < 5; ++i) machine.tcp(from + 30.05 + i * 0.02, wire, false, theirs + static_cast<std::uint32_t>(i) * 90, ours, 24, 90);
  }
  machine.pages(140);
  const auto analysis = machine.analysis();
  INFO(int{hops});
  REQUIRE(has(analysis, "injected_reset"));
  const bool nearby = hops != 60 && hops != 200;
  CHECK((find(analysis, "injected_reset")->confidence < 0.9) == nearby);
  CHECK(find(analysis, "injected_reset")->numbers.contains("from_nearby") == nearby);
}

TEST_CASE("a crashed host's resets, behind another TTL and one for each segment on its way, are its own", "[traps]") {
  Machine machine;
  const Wire wire{peer, 41000, 64738, true};
  const auto [ours, theirs] = tcp_voice(machine, wire, 2, 60);
  machine.tcp(62.03, wire, false, theirs, ours, 20, 0, 58);
  // What we sent before that came is answered as well, numbered as we had acknowledged.
  machine.tcp(62.045, wire, false, theirs - 90, ours, 4, 0, 58);
  machine.tcp(62.06, wire, false, theirs - 90, ours, 4, 0, 58);
  machine.pages(80);
  const auto analysis = machine.analysis();
  CHECK_FALSE(has(analysis, "injected_reset"));
  CHECK_FALSE(accused(analysis));
}

TEST_CASE("a talker's silence of four seconds in numbered media is no outage", "[traps]") {
  Machine machine;
  const Wire media{peer, 30000, 23456, false};
  machine.talk(media, 1, 61, 61, 100);
  // What would have come from 30 to 34 s was never sent: the numbers after it follow on.
  std::erase_if(machine.frames, [](const auto& frame) { return frame.bytes[26] == 203 && frame.time >= 30 && frame.time < 34; });
  for (auto& frame : machine.frames) {
    if (frame.bytes[26] != 203 || frame.time < 34) continue;
    const auto number = static_cast<std::uint32_t>(frame.bytes[44] << 8 | frame.bytes[45]) - 200;
    frame.bytes[44] = static_cast<std::uint8_t>(number >> 8);
    frame.bytes[45] = static_cast<std::uint8_t>(number);
  }
  machine.pages(61);
  const auto analysis = machine.analysis();
  CHECK_FALSE(has(analysis, "outage"));
  CHECK(analysis.verdict.verdict_class == metrics::VerdictClass::clean);
}

TEST_CASE("a line that drops at regular times while name queries go unanswered cuts nobody off", "[traps]") {
  const bool queries = GENERATE(true, false);
  Machine machine;
  for (int k = 0; k < 5; ++k) {
    const double from = 2 + 100.0 * k;
    machine.talk({peer, static_cast<std::uint16_t>(30000 + 2 * k), 23456, false}, from, from + 99, from + 92, 100u + static_cast<std::uint32_t>(2 * k));
    if (!queries) continue;
    // Asked three times, answered by nobody: the whole line is dead.
    for (int i = 0; i < 3; ++i) machine.text(from + 93 + 2 * i, {0x08080808, static_cast<std::uint16_t>(50000 + k), 53, false}, true, "\x01\x02 name");
  }
  const auto analysis = machine.analysis();
  CHECK(has(analysis, "outage"));
  // Told whoever else suffers; whom it may be laid to is asked then.
  // (Where nobody redials at will, ages and amounts keep the beat as well.)
  const auto* regular = find(analysis, has(analysis, "periodic_reset") ? "periodic_reset" : "dies_after");
  REQUIRE(regular != nullptr);
  CHECK(metrics::weight_of_event(*regular) == (queries ? metrics::Weight::impairs : metrics::Weight::suspects));
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
  CHECK_FALSE(has(analysis, "dies_after"));
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
  const auto* timer = find(analysis, "benign_timer");
  REQUIRE(timer != nullptr);
  CHECK(timer->mechanism == Mechanism::idle);
  CHECK(*timer->period_s == Approx(480).epsilon(0.02));
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
  CHECK_FALSE(has(analysis, "dies_after"));
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

TEST_CASE("a relay that nobody refreshes for 600 s expires, though both ends are sending", "[traps]") {
  // The same death without a relay's answered request before it is a cut.
  const bool relayed = GENERATE(true, false);
  Machine machine;
  for (int k = 0; k < 4; ++k) {
    const Wire media{peer, static_cast<std::uint16_t>(30000 + 2 * k), 3478, false};
    const double from = 2 + 640.0 * k;
    if (relayed) {
      std::vector<std::uint8_t> ask = {0, 4, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, static_cast<std::uint8_t>(k), 9, 10, 11, 12};
      machine.udp(from, media, true, ask);
      ask[0] = 1;
      machine.udp(from + 0.03, media, false, ask);
    }
    machine.talk(media, from, from + 605, from + 600, 100u + static_cast<std::uint32_t>(2 * k));
  }
  machine.pages(2600);
  const auto analysis = machine.analysis();
  const auto* timer = find(analysis, "benign_timer");
  CHECK((timer != nullptr && timer->mechanism == Mechanism::relay_expiry) == relayed);
  CHECK((has(analysis, "periodic_reset") || has(analysis, "dies_after")) != relayed);
}

TEST_CASE("a policed call in a capture that drops as much itself is inconclusive", "[traps]") {
  auto simulated = montecarlo::simulate("policer_constant", 7001, 60);
  const auto accuses = [&](double dropped) {
    std::vector<tests::CapturedFrame> frames;
    montecarlo::Random random(1);
    for (const auto& frame : simulated.frames)
      if (!random.chance(dropped)) frames.push_back({frame.time, frame.bytes});
    const auto analysis = tests::analysis_of_frames(frames);
    CHECK(has(analysis, "capture_loss") == (dropped > 0));
    return accused(analysis) || has(analysis, "rate_cap");
  };
  CHECK(accuses(0));
  CHECK_FALSE(accuses(0.1));
}
