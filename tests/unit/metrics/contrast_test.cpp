// What other traffic says of a limit, on flows made by hand: one number for each second.
#include "metrics/contrast.hpp"
#include "metrics/finding_support.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <vector>

using namespace callwitness;
using metrics::Arm;
using metrics::Contrast;
using metrics::Direction;

namespace {

constexpr double cap = 40'000;   // bit/s
constexpr std::size_t minute = 60;

/// A call of 50 packets a second whose losses and sizes the tests choose, and other flows beside it.
struct Line {
  classify::Classification classification;
  metrics::Observation observation;
  Arm call;

  Line() {
    observation.classification = &classification;
    observation.last_time = observation.first_time + std::chrono::seconds(minute);
    add_flow(0xcb007105, "sip");
    call.flow = classify::FlowId{0};
    for (std::size_t second = 0; second < minute; ++second)
      for (int i = 0; i < 50; ++i) call.packets.push_back({static_cast<double>(second) + 0.02 * i, 100, 1, i % 10 == 0, false});
  }
  metrics::FlowObservation& add_flow(std::uint32_t remote, std::string_view application = "") {
    metrics::FlowObservation flow;
    flow.flow.id = classify::FlowId{static_cast<std::uint32_t>(observation.flows.size())};
    flow.flow.five_tuple = {{capture::IpAddress::v4(0x0a000001), 40000}, {capture::IpAddress::v4(remote), 443}, capture::protocol::tcp};
    flow.flow.label.application = application;
    flow.flow.last_time = observation.last_time;
    flow.bytes.start = observation.first_time;
    flow.bytes.received.assign(minute, 0);
    observation.flows.push_back(flow);
    return observation.flows.back();
  }
  /// `bits` in each second from `from` on, for `seconds`.
  void download(double bits, std::size_t from, std::size_t seconds, std::uint32_t remote = 0xc6336401, std::string_view application = "") {
    auto& flow = add_flow(remote, application);
    for (std::size_t i = from; i < from + seconds; ++i) flow.bytes.received[i] = static_cast<std::uint32_t>(bits / 8);
  }
  Contrast contrast(double from = 0, double to = minute) const { return metrics::contrast_of(observation, call, cap, from, to); }
};

}  // namespace

TEST_CASE("others at 1.7 times the cap exceed it, at less they only are there", "[contrast]") {
  Line fast, slow, alone;
  fast.download(1.71 * cap, 10, 10);
  slow.download(1.69 * cap, 10, 20);
  CHECK(fast.contrast().exceeds);
  CHECK(fast.contrast().busy_seconds == 10);
  CHECK(slow.contrast().present);
  CHECK_FALSE(slow.contrast().exceeds);
  CHECK_FALSE(alone.contrast().present);
}

TEST_CASE("others' speed while the call runs free proves nothing: the line may have recovered", "[contrast]") {
  Line meanwhile, limited, faster;
  for (auto* line : {&meanwhile, &limited})
    for (auto& packet : line->call.packets)
      if (packet.time >= 20 && packet.time < 40) packet.lost = false;
  meanwhile.download(5 * cap, 20, 20);                            // up to the last second that is free of losses
  limited.download(5 * cap, 5, 10);
  CHECK_FALSE(meanwhile.contrast().exceeds);
  CHECK(meanwhile.contrast().busy_seconds == 0);
  CHECK(limited.contrast().busy_seconds == 10);
  CHECK(limited.contrast().exceeds);
  for (auto& packet : faster.call.packets) packet.bytes = 120;    // 45 of them pass: 43.2 kbit/s, the cap and 3 % are 41.2 and a packet
  faster.download(5 * cap, 5, 10);
  CHECK(faster.contrast().busy_seconds == 0);
}

TEST_CASE("a call that loses nothing is limited while it passes about the cap", "[contrast]") {
  for (const double bytes : {100.0, 106.0, 94.0}) {               // 40, 42.4 and 37.6 kbit/s: 3 % and a packet are 2 kbit
    Line line;
    for (auto& packet : line.call.packets) packet.lost = false, packet.bytes = bytes;
    line.download(5 * cap, 5, 10);
    CHECK(line.contrast().exceeds == (bytes == 100));
  }
}

TEST_CASE("many that are together faster than the call may have an even share of the line each", "[contrast]") {
  Line shared, one_faster;
  for (auto* line : {&shared, &one_faster})
    for (std::uint32_t i = 0; i < 8; ++i) line->download(cap, 10, 10, 0xc6336401 + i);
  one_faster.download(1.71 * cap, 10, 10, 0xc6336440);
  CHECK(shared.contrast().busy_seconds == 10);
  CHECK(shared.contrast().faster_alone == 0);
  CHECK_FALSE(shared.contrast().exceeds);
  CHECK(one_faster.contrast().exceeds);
}

TEST_CASE("where a queue stands now and then, others count only while it does", "[contrast]") {
  Line meanwhile, between, segments;
  meanwhile.download(10 * cap, 10, 10);
  between.download(10 * cap, 30, 10);
  auto& record = segments.add_flow(0xc6336401).segments[static_cast<std::size_t>(Direction::received)];
  record.start = segments.observation.first_time;
  record.header_bytes = 40;
  for (std::uint32_t i = 0; i < 200; ++i) record.segments.push_back({1'230'000 + i * 1'000, i * 1460, i + 1, 1460, 0});   // 1.2 Mbit/s from 12.3 s to 14.3 s
  const std::vector<metrics::Stretch> stands{{8.9, 9.4}, {12, 15.5}};
  const auto told = [&](const Line& line) { return metrics::contrast_in(line.observation, line.call, cap, stands); };
  CHECK(told(meanwhile).faster_alone == 12);                      // the seconds from 12 to 15
  CHECK(told(meanwhile).exceeds);
  CHECK_FALSE(told(between).exceeds);
  CHECK(told(segments).faster_alone == 9);                        // the quarters of a second from 12.25 on, the first and last in part
  CHECK(told(segments).exceeds);
}

TEST_CASE("a quota lets everything pass until it is used up: others' speed counts in the periods in which it is", "[contrast]") {
  Line line;
  for (auto& packet : line.call.packets) packet.bytes = 150, packet.lost = std::fmod(packet.time, 5) >= 3;   // 60 kbit/s pass, then nothing
  line.download(5 * cap, 11, 2);
  const std::vector<metrics::Stretch> used_up{{10.0, 15.0}}, another{{15.0, 20.0}}, begins_within{{11.5, 13.5}};
  CHECK_FALSE(line.contrast().exceeds);
  CHECK(metrics::contrast_of_quota(line.observation, line.call, cap, used_up).exceeds);
  CHECK(metrics::contrast_of_quota(line.observation, line.call, cap, used_up).busy_seconds == 2);
  CHECK_FALSE(metrics::contrast_of_quota(line.observation, line.call, cap, another).exceeds);
  CHECK(metrics::contrast_of_quota(line.observation, line.call, cap, begins_within).busy_seconds == 1);
  CHECK_FALSE(metrics::contrast_of_quota(line.observation, line.call, cap, {}).present);
}

TEST_CASE("a burst that a shared bucket may have held back proves no faster line", "[contrast]") {
  Line small, large;
  small.download(4 * cap, 10, 2);    // 240 kbit beyond the cap
  large.download(4.2 * cap, 10, 2);  // 256
  CHECK_FALSE(small.contrast().exceeds);
  CHECK(large.contrast().exceeds);
}

TEST_CASE("the call's own application and its own remote host are no control", "[contrast]") {
  Line same_host, same_application;
  same_host.download(10 * cap, 10, 20, 0xcb007105);
  same_application.download(10 * cap, 10, 20, 0xc6336401, "sip");
  CHECK_FALSE(same_host.contrast().present);
  CHECK_FALSE(same_application.contrast().present);
}

TEST_CASE("others that lose a lot themselves must be three times as fast", "[contrast]") {
  for (const double excess : {2.5, 3.1}) {
    Line line;
    line.download(excess * cap, 10, 20);
    auto& tcp = line.observation.flows.back().tcp.emplace();
    tcp.segments[static_cast<std::size_t>(Direction::received)] = 1000;
    tcp.retransmissions[static_cast<std::size_t>(Direction::received)] = 51;
    CHECK(line.contrast().suffers);
    CHECK(line.contrast().exceeds == (excess > 3));
  }
}

TEST_CASE("a call that shrinks while others are fast shares its line with them", "[contrast]") {
  Line line;
  line.download(5 * cap, 10, 20);
  for (auto& packet : line.call.packets)
    if (packet.time >= 10 && packet.time < 30) packet.bytes = 50;
  CHECK(line.contrast().call_in_busy == Approx(0.5));
  CHECK_FALSE(line.contrast().exceeds);
}

TEST_CASE("a call that loses when others are fast loses to them", "[contrast]") {
  Line line;
  line.download(3 * cap, 10, 20);
  for (auto& packet : line.call.packets) packet.lost = packet.time >= 10 && packet.time < 30 && packet.lost;
  CHECK(line.contrast().loss_in_busy > 3);
  CHECK_FALSE(line.contrast().exceeds);
}

TEST_CASE("a few losing seconds may fall on busy ones by chance", "[contrast]") {
  // Seconds 10-29 are busy; of five losing ones four are: p = 0.0383 (Fisher), no sign.
  Line line;
  line.download(3 * cap, 10, 20);
  for (auto& packet : line.call.packets) {
    const auto second = static_cast<int>(packet.time);
    packet.lost = packet.lost && (second == 5 || second == 12 || second == 15 || second == 20 || second == 25);
  }
  CHECK(line.contrast().loss_in_busy == 1);
  CHECK(line.contrast().exceeds);
}

TEST_CASE("connections that nobody answers say that others suffer, too", "[contrast]") {
  Line line;
  for (const std::uint32_t host : {1u, 2u}) {
    auto& flow = line.add_flow(0xc6336400 + host);
    flow.tcp.emplace().unanswered = true;
    flow.flow.last_time = line.observation.first_time + std::chrono::seconds(20);
  }
  CHECK(line.contrast().suffers);
  CHECK(line.contrast().present);
}

TEST_CASE("others at another time are there, yet prove nothing of these minutes", "[contrast]") {
  Line line;
  line.download(10 * cap, 0, 10);
  CHECK_FALSE(line.contrast(20, 60).present);
  const auto around = metrics::contrast_around(line.observation, line.call, cap, 20, 60);
  CHECK(around.present);
  CHECK_FALSE(around.exceeds);
}

TEST_CASE("losses of the capture hold back what is not four times as large", "[contrast]") {
  metrics::Finding gate;
  gate.kind = metrics::FindingKind::capture_loss;
  gate.numbers["capture_loss_ratio"] = 0.02;
  const std::vector<metrics::Finding> earlier{gate};
  CHECK(metrics::capture_may_explain(earlier, 0.079));
  CHECK_FALSE(metrics::capture_may_explain(earlier, 0.081));
  CHECK_FALSE(metrics::capture_may_explain({}, 0.01));
}
