// Which segments of a TCP connection were lost, seen from before and from behind the loss.
#include "metrics/tcp/losses.hpp"

#include <catch2/catch.hpp>

using namespace callwitness;
using metrics::SegmentTrace;
using metrics::TcpTransfer;
using metrics::Viewpoint;

namespace {

struct Wire {
  SegmentTrace trace;
  std::uint64_t ordinal = 0;
  bool data(double milliseconds, std::uint32_t begin, std::uint32_t payload = 1'000, std::uint16_t id = 0) {
    capture::Datagram datagram = at(milliseconds, payload);
    datagram.tcp->sequence = begin;
    datagram.ip_id = id;
    return trace.add(datagram);
  }
  void acknowledge(double milliseconds, std::uint32_t number) {
    capture::Datagram datagram = at(milliseconds, 0);
    datagram.tcp->acknowledgement = number;
    trace.acknowledge(datagram);
  }
  capture::Datagram at(double milliseconds, std::uint32_t payload) {
    capture::Datagram datagram;
    datagram.time = capture::Time(std::chrono::seconds(100)) + capture::from_seconds(milliseconds / 1e3);
    datagram.ordinal = ++ordinal;
    datagram.tcp.emplace();
    datagram.tcp->flags = 16;
    datagram.payload_length = payload;
    datagram.ip_length = payload + 40;
    return datagram;
  }
  TcpTransfer transfer(std::optional<capture::Duration> round_trip = std::nullopt) { return metrics::transfer_of(trace.take(), capture::Time(std::chrono::seconds(100)), round_trip); }
};

}  // namespace

TEST_CASE("before the loss: what is sent again was lost the first time") {
  Wire wire;
  for (std::uint32_t i = 0; i < 10; ++i) wire.data(i, 5'000 + 1'000 * i);
  wire.acknowledge(100, 8'000);
  wire.data(105, 8'000);                                  // the fourth, again
  wire.acknowledge(200, 15'000);
  const auto transfer = wire.transfer();
  CHECK(transfer.viewpoint == Viewpoint::before_losses);
  REQUIRE(transfer.packets.size() == 11);
  CHECK(transfer.losses == 1);
  CHECK(transfer.packets[3].lost == Approx(1'040));
  CHECK(transfer.packets[3].bytes == Approx(0));
  CHECK(transfer.packets[10].lost == Approx(0));
  CHECK(transfer.packets[2].queueing == Approx(0).margin(1e-3));     // acknowledged 98 ms later, the least
  CHECK(transfer.packets[0].queueing == Approx(0.002).margin(2e-4));
  CHECK(transfer.packets[5].queueing < 0);                           // waited for the repetition: tells no round trip
}

TEST_CASE("a repetition that is answered too soon had not been lost") {
  Wire wire;
  for (std::uint32_t i = 0; i < 5; ++i) {
    wire.data(100 * i, 1'000 * i);
    wire.acknowledge(100 * i + 50, 1'000 * i + 1'000);
  }
  wire.data(600, 5'000);
  wire.data(645, 5'000);                                  // sent again 5 ms before the first one's answer comes
  wire.acknowledge(650, 6'000);
  CHECK(wire.transfer().losses == 0);
}

TEST_CASE("behind the loss: a hole that is filled a round trip later, not one that is filled at once") {
  Wire wire;
  const auto round_trip = std::chrono::milliseconds(80);
  for (const std::uint32_t i : {0U, 1U, 2U, 4U, 5U, 7U, 6U, 8U}) wire.data(10 + i, 1'000 * i);   // 7 and 6 only changed places
  wire.data(95, 3'000);
  const auto transfer = wire.transfer(round_trip);
  CHECK(transfer.viewpoint == Viewpoint::after_losses);
  CHECK(transfer.losses == 1);
  double lost_at = 0;
  for (const auto& packet : transfer.packets)
    if (packet.lost > 0) lost_at = packet.time;
  CHECK(lost_at > 0.012);
  CHECK(lost_at < 0.014);
}

TEST_CASE("several segments shown as one count their headers, and lose a part only") {
  Wire wire;
  for (std::uint32_t i = 0; i < 20; ++i) wire.data(i, 1'000 * i);
  wire.data(30, 20'000, 10'000);                          // as offload shows ten of 1,000
  wire.acknowledge(100, 22'000);                          // all before the third of the ten
  wire.data(140, 22'000);
  wire.acknowledge(250, 30'000);
  const auto transfer = wire.transfer();
  CHECK(transfer.losses == 1);
  CHECK(transfer.packets[20].lost == Approx(1'040));
  CHECK(transfer.packets[20].bytes == Approx(9 * 1'040));
}

TEST_CASE("probes, second copies and what was sent before the first are not kept") {
  Wire wire;
  CHECK(wire.data(0, 1'000, 1'000, 7));
  CHECK_FALSE(wire.data(0.1, 1'000, 1'000, 7));           // a mirror port's second copy
  CHECK_FALSE(wire.data(5, 1'999, 1));                    // a keep-alive probe
  CHECK_FALSE(wire.data(6, 500, 500));
  CHECK(wire.data(7, 2'000));
  CHECK(wire.data(8, 4'000'000'000U) == false);           // two thousand million bytes on: another connection's number
}

TEST_CASE("a trace is bounded") {
  Wire wire;
  std::size_t kept = 0;
  for (std::uint32_t i = 0; i < SegmentTrace::limit + 10; ++i) kept += wire.data(i * 0.01, i * 100, 100) ? 1 : 0;
  CHECK(kept == SegmentTrace::limit);
}
