// Round trips that applications and RTCP give away, and to which flow they are told.
#include "classify_support.hpp"

using namespace callwitness::classify;
using namespace callwitness::classify::test;

namespace {

const Endpoint here = endpoint("192.168.1.2", 40'000), there = endpoint("198.51.100.7", 50'000);
const Endpoint here_control = endpoint("192.168.1.2", 40'001), there_control = endpoint("198.51.100.7", 50'001);

// SR of ssrc 70000 with NTP middle bits 0x11112222; RR about it, held for 0.5 s; BYE of both kinds behind an empty RR.
const Buffer report{0x80, 200, 0, 6, 0, 1, 0x11, 0x70, 0, 0, 0x11, 0x11, 0x22, 0x22, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3};
const Buffer answer{0x81, 201, 0, 7, 0, 0, 0, 2, 0, 1, 0x11, 0x70, 0, 0, 0, 0, 0, 1, 0, 5, 0, 0, 0, 9, 0x11, 0x11, 0x22, 0x22, 0, 0, 0x80, 0};
const Buffer farewell{0x80, 201, 0, 1, 0, 1, 0x11, 0x70, 0x81, 203, 0, 1, 0, 1, 0x11, 0x70};

const Flow& flow_between(const Classification& result, const Endpoint& a) {
  for (const auto& flow : result.flows) if (flow.five_tuple.source == a || flow.five_tuple.destination == a) return flow;
  throw std::runtime_error("no such flow");
}

}  // namespace

TEST_CASE("RTCP on the next port tells the round trip of the media below it", "[classify]") {
  for (const bool remote_asks : {false, true}) {
    Wire wire;
    // Whoever sends the first RTCP packet, "forward" of the control flow need not be "forward" of the media's.
    call(wire, 0, here, there, 70'000, 100);
    wire.udp(2000, remote_asks ? there_control : here_control, remote_asks ? here_control : there_control, report);
    wire.udp(2540, remote_asks ? here_control : there_control, remote_asks ? there_control : here_control, answer);
    const auto& result = wire.finish();
    REQUIRE(wire.recorder.round_trips.size() == 1);
    const RoundTrip& trip = wire.recorder.round_trips[0];
    CHECK(trip.basis == RoundTripBasis::rtcp);
    CHECK(trip.round_trip == std::chrono::milliseconds(40));
    CHECK(trip.flow == flow_between(result, here).id);
    CHECK(trip.asked == (remote_asks ? Way::backward : Way::forward));
  }
}

TEST_CASE("RTCP beside no media keeps its round trip to itself, and so does that of other ports", "[classify]") {
  Wire alone, elsewhere;
  alone.udp(0, here_control, there_control, report);
  alone.udp(540, there_control, here_control, answer);
  alone.finish();
  REQUIRE(alone.recorder.round_trips.size() == 1);
  const Endpoint far_control = endpoint("192.168.1.2", 40'005);
  call(elsewhere, 0, here, there, 70'000, 100);
  elsewhere.udp(2000, far_control, there_control, report);
  elsewhere.udp(2540, there_control, far_control, answer);
  const auto& result = elsewhere.finish();
  REQUIRE(elsewhere.recorder.round_trips.size() == 1);
  CHECK(elsewhere.recorder.round_trips[0].flow == flow_between(result, far_control).id);
}

TEST_CASE("an RTCP BYE on the next port ends the call, unless media go on", "[classify]") {
  Wire ended, goes_on;
  for (Wire* wire : {&ended, &goes_on}) {
    call(*wire, 0, here, there, 70'000, 100);
    wire->udp(2000, here_control, there_control, farewell);
  }
  call(goes_on, 2500, here, there, 90'000, 500);
  REQUIRE(ended.finish().calls.size() == 1);
  CHECK(ended.recorder.result.calls[0].ended_by == Ending::rtcp_bye);
  REQUIRE(goes_on.finish().calls.size() == 1);
  CHECK(goes_on.recorder.result.calls[0].ended_by == Ending::capture_end);
}

TEST_CASE("Discord's keep-alive comes back as it went", "[classify]") {
  Wire wire;
  Buffer discovery(74, 0);
  discovery[1] = 1;
  discovery[3] = 0x46;
  wire.udp(0, here, there, discovery);
  for (std::uint8_t i = 0; i < 3; ++i) {
    const Buffer beat{0x13, 0x37, 0xca, 0xfe, i, 0, 0, 0};
    wire.udp(1000 + i * 5000.0, here, there, beat);
    wire.udp(1023 + i * 5000.0, there, here, beat, 52);
  }
  wire.udp(20'000, here, there, {0x13, 0x37, 0xca, 0xfe, 9, 0, 0, 0});
  wire.udp(20'030, there, here, {0x13, 0x37, 0xca, 0xfe, 8, 0, 0, 0}, 52);   // not that one's answer
  wire.finish();
  REQUIRE(wire.recorder.round_trips.size() == 3);
  for (const auto& trip : wire.recorder.round_trips) {
    CHECK(trip.round_trip == std::chrono::milliseconds(23));
    CHECK(trip.basis == RoundTripBasis::echo);
    CHECK(trip.asked == Way::forward);
  }
}

TEST_CASE("TeamSpeak's pong names its ping", "[classify]") {
  const Endpoint server = endpoint("198.51.100.7", 9987);
  const auto ping = [](std::uint8_t number) { return Buffer{1, 2, 3, 4, 5, 6, 7, 8, 0x10, number, 0, 1, 0x84}; };
  const auto pong = [](std::uint8_t number, std::uint8_t about) { return Buffer{1, 2, 3, 4, 5, 6, 7, 8, 0, number, 0x85, 0x10, about}; };
  Wire wire;
  wire.udp(0, here, server, Buffer{'T', 'S', '3', 'I', 'N', 'I', 'T', '1', 0, 0x65, 0, 0, 0x88, 0, 0, 0});
  wire.udp(100, here, server, ping(1));
  wire.udp(135, server, here, pong(7, 1), 52);
  wire.udp(1100, here, server, ping(2));
  wire.udp(1135, server, here, pong(8, 9), 52);
  wire.finish();
  REQUIRE(wire.recorder.round_trips.size() == 1);
  CHECK(wire.recorder.round_trips[0].round_trip == std::chrono::milliseconds(35));
}
