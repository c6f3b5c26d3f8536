#include "classify/flows/flow_table.hpp"
#include "classify_support.hpp"

#include <set>

using namespace callwitness::classify;
using namespace callwitness::classify::test;
using callwitness::capture::IpAddress;
using callwitness::capture::TcpSegment;

namespace {

const Endpoint client = endpoint("192.168.1.2", 40000), server = endpoint("198.51.100.7", 64738);

FiveTuple tuple(std::uint32_t i) {
  return {{IpAddress::v4(0x0a000000 + i), static_cast<std::uint16_t>(i)}, {IpAddress::v4(0xc6336407), 53}, 17};
}

TcpSegment segment(std::uint8_t flags, std::uint32_t sequence, std::uint32_t acknowledgement = 0) {
  TcpSegment made;
  made.flags = flags;
  made.sequence = sequence;
  made.acknowledgement = acknowledgement;
  return made;
}

void handshake(Wire& wire, double at_ms) {
  wire.tcp(at_ms, client, server, segment(2, 100));
  wire.tcp(at_ms + 30, server, client, segment(18, 500, 101), {}, 52);
  wire.tcp(at_ms + 30.2, client, server, segment(16, 101, 501));
}

}  // namespace

TEST_CASE("the table finds every flow in both directions after inserts and erasures", "[classify]") {
  FlowTable table(100'000);
  std::vector<std::uint32_t> slots;
  for (std::uint32_t i = 0; i < 20'000; ++i) slots.push_back(table.insert(tuple(i)));
  for (std::uint32_t i = 0; i < 20'000; i += 3) table.erase(slots[i]);
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    Way way{};
    const auto found = table.find(tuple(i).reversed(), way);
    REQUIRE((found != FlowTable::none) == (i % 3 != 0));
    if (found != FlowTable::none) {
      REQUIRE(found == slots[i]);
      REQUIRE(way == Way::backward);
    }
  }
}

TEST_CASE("the same five-tuple but for the protocol is another flow", "[classify]") {
  FlowTable table(100);
  auto other = tuple(1);
  other.protocol = 6;
  const auto slot = table.insert(tuple(1));
  Way way{};
  CHECK(table.find(tuple(1), way) == slot);
  CHECK(table.find(other, way) == FlowTable::none);
}

TEST_CASE("a flood evicts its own lone packets and never a call", "[classify]") {
  auto options = Wire::without_ndpi();
  options.flow_limit = 1000;
  Wire wire(options);
  call(wire, 0, client, server, 9, 10);
  for (std::uint32_t i = 0; i < 20'000; ++i) wire.udp(300 + i * 0.01, tuple(i).source, tuple(i).destination, Buffer{1, 2, 3, 4});
  for (std::uint16_t i = 10; i < 20; ++i) wire.udp(1000 + i * 20.0, client, server, rtp(0, i, i * 160u, 9));
  const auto& result = wire.finish();
  CHECK(result.streams.size() == 2);
  CHECK(wire.recorder.packets_of(StreamId{0}) == 20);
  CHECK(result.flows.size() <= 1000);
  CHECK(result.anomalies.counts().count("flow_evicted_lone") == 1);
  CHECK(wire.recorder.closed > 18'000);
}

TEST_CASE("a handshake tells round trips on either side and who is near", "[classify]") {
  Wire wire;
  handshake(wire, 0);
  wire.finish();
  REQUIRE(wire.recorder.round_trips.size() == 2);
  CHECK(wire.recorder.round_trips[0].basis == RoundTripBasis::tcp_handshake);
  CHECK(wire.recorder.round_trips[0].round_trip == std::chrono::milliseconds(30));
  CHECK(wire.recorder.round_trips[0].asked == Way::forward);
  CHECK(wire.recorder.round_trips[1].round_trip == std::chrono::microseconds(200));
}

TEST_CASE("a forged reset shows what is wrong with it", "[classify]") {
  Wire wire;
  handshake(wire, 0);
  std::uint32_t up = 101, down = 501;
  for (int i = 0; i < 20; ++i) {
    wire.tcp(100 + i * 50.0, client, server, segment(24, up, down), Buffer(50, 1));
    up += 50;
    wire.tcp(130 + i * 50.0, server, client, segment(24, down, up), Buffer(70, 2), 52);
    down += 70;
  }
  wire.tcp(1200, client, server, segment(24, up, down), Buffer(50, 1));
  wire.tcp(1202, server, client, segment(4, down + 1000), {}, 61);
  wire.tcp(1230, server, client, segment(24, down, up + 50), Buffer(70, 2), 52);
  const auto& result = wire.finish();
  REQUIRE(result.resets.size() == 1);
  const Reset& reset = result.resets[0];
  CHECK(reset.way == Way::backward);
  CHECK(reset.sequence_offset == 1000);
  CHECK(reset.time_to_live == 61);
  CHECK(reset.flow_time_to_live == 52);
  CHECK(reset.segments_after == 1);
  CHECK(!reset.closing);
  REQUIRE(reset.since_trigger);
  CHECK(*reset.since_trigger == std::chrono::milliseconds(2));
  REQUIRE(reset.minimum_round_trip);
  CHECK(*reset.minimum_round_trip == std::chrono::milliseconds(30));
}

TEST_CASE("a reset after a ClientHello is told as such", "[classify]") {
  Wire wire;
  handshake(wire, 0);
  Buffer hello{22, 3, 1, 0, 100, 1};
  hello.resize(105);
  wire.tcp(40, client, server, segment(24, 101, 501), hello);
  wire.tcp(45, server, client, segment(20, 501, 206), {}, 60);
  const auto& result = wire.finish();
  REQUIRE(result.resets.size() == 1);
  CHECK(result.resets[0].after_client_hello);
  CHECK(result.resets[0].sequence_offset == 0);
  REQUIRE(result.flows.size() == 1);
  CHECK(result.flows[0].ended_by == Ending::rst);
}

TEST_CASE("ports used again are a new flow", "[classify]") {
  Wire wire;
  handshake(wire, 0);
  wire.tcp(1000, client, server, segment(17, 101, 501));
  wire.tcp(1030, server, client, segment(17, 501, 102), {}, 52);
  wire.tcp(5000, client, server, segment(2, 90'000));
  wire.tcp(5030, server, client, segment(18, 7000, 90'001), {}, 52);
  wire.finish();
  CHECK(wire.recorder.closed == 1);
}

TEST_CASE("the local end is told by what leaves with a fresh TTL", "[classify]") {
  Wire wire;
  call(wire, 0, client, server, 1, 50);
  const auto& result = wire.finish();
  CHECK(result.vantage.basis == Vantage::Basis::time_to_live);
  REQUIRE(result.vantage.local.size() == 1);
  CHECK(result.vantage.local[0] == client.address);
  REQUIRE(result.calls.size() == 1);
  CHECK(result.calls[0].local_endpoint == client);
  CHECK(result.calls[0].remote_endpoint == server);
}

TEST_CASE("told is told, and two ends alike can't be told apart", "[classify]") {
  auto options = Wire::without_ndpi();
  options.local = {server.address};
  Wire told(options), alike;
  for (Wire* wire : {&told, &alike}) {
    for (std::uint16_t i = 0; i < 50; ++i) {
      wire->udp(i * 20.0, endpoint("203.0.113.1", 4000), server, rtp(0, i, i * 160u, 3), 55);
      wire->udp(i * 20.0 + 1, server, endpoint("203.0.113.1", 4000), rtp(0, i, i * 160u, 4), 56);
    }
  }
  CHECK(told.finish().vantage.basis == Vantage::Basis::told);
  CHECK(told.recorder.result.calls.at(0).local == server.address);
  CHECK(alike.finish().vantage.basis == Vantage::Basis::unknown);
  CHECK(!alike.recorder.result.calls.at(0).local);
}

namespace {

/// A connection in use, and what then comes from the server: offsets of the sequence number and hop limits of resets, 5 ms apart.
std::vector<Reset> after_use(const std::vector<std::pair<std::uint32_t, std::uint8_t>>& resets, bool goes_on = false,
                             callwitness::capture::Checksum of_others = callwitness::capture::Checksum::unchecked, callwitness::capture::Checksum of_reset = callwitness::capture::Checksum::unchecked) {
  Wire wire;
  handshake(wire, 0);
  std::uint32_t up = 101, down = 501;
  for (int i = 0; i < 20; ++i) {
    wire.tcp(100 + i * 50.0, client, server, segment(24, up, down), Buffer(50, 1));
    up += 50;
    auto answer = segment(24, down, up);
    if (i == 0) {
      answer = segment(18, 500, 101);   // the SYN's acknowledgement once more: its checksum is looked at
      answer.checksum = of_others;
      wire.tcp(130, server, client, answer, {}, 52);
      continue;
    }
    wire.tcp(130 + i * 50.0, server, client, answer, Buffer(70, 2), 52);
    down += 70;
  }
  double at = 1200;
  for (const auto& [offset, left] : resets) {
    auto reset = segment(4, down + offset);
    reset.checksum = of_reset;
    wire.tcp(at += 5, server, client, reset, {}, left);
    if (goes_on && offset == 0) wire.tcp(at += 5, server, client, segment(24, down, up), Buffer(70, 2), 52);
  }
  return wire.finish().resets;
}

}  // namespace

TEST_CASE("what follows the far end's own reset is marked as such; what follows a forged one isn't", "[classify]") {
  const auto own = after_use({{0, 52}, {0, 117}, {70, 117}});
  REQUIRE(own.size() == 3);
  CHECK_FALSE(own[0].after_reset);
  CHECK(own[1].after_reset);
  CHECK(own[2].after_reset);
  const auto forged = after_use({{0, 117}, {70, 117}, {140, 117}});
  REQUIRE(forged.size() == 3);
  for (const auto& reset : forged) CHECK_FALSE(reset.after_reset);
  const auto alive = after_use({{0, 52}, {70, 117}}, true);   // whoever goes on sending has not reset
  REQUIRE(alive.size() == 2);
  CHECK_FALSE(alive[1].after_reset);
}

TEST_CASE("a reset with a bad checksum counts as damaged where its way's others are good", "[classify]") {
  using enum callwitness::capture::Checksum;
  for (const auto& [others, of_reset, damaged] : {std::tuple{good, bad, true}, {good, good, false}, {bad, bad, false}, {unchecked, bad, false}}) {
    const auto resets = after_use({{1000, 61}}, false, others, of_reset);
    REQUIRE(resets.size() == 1);
    CHECK(resets[0].bad_checksum == damaged);
  }
}
