#include "tests/unit/capture/capture_support.hpp"

#include <catch2/catch.hpp>

#include <chrono>

using namespace callwitness::test;
using callwitness::capture::Duration;
using callwitness::capture::LinkDirection;
using callwitness::capture::Time;

namespace {

std::uint64_t anomaly(const ReadResult& result, std::string_view name) {
  const auto& counts = result.records.front().anomalies.counts();
  const auto found = counts.find(name);
  return found == counts.end() ? 0 : found->second;
}

std::string number(std::uint64_t value, int size, bool big_endian = false) {
  ByteBuilder builder(big_endian);
  return size == 8 ? builder.u64(value).bytes() : size == 4 ? builder.u32(value).bytes() : std::string(1, static_cast<char>(value));
}

Time at(std::int64_t nanoseconds) { return Time(Duration(nanoseconds)); }

/// The time of one packet of an interface with these options.
Time time_of(std::uint64_t ticks, std::string_view options) {
  const auto read = read_bytes(pcapng_section() + pcapng_interface(1, 0, options) + pcapng_packet(0, ticks, "data"));
  REQUIRE(read.packets.size() == 1);
  return read.packets[0].time;
}

}  // namespace

TEST_CASE("time resolution and offset", "[capture]") {
  CHECK(time_of(1'500'000, "") == at(1'500'000'000));
  CHECK(time_of(1'500, pcapng_option(9, number(3, 1))) == at(1'500'000'000));
  CHECK(time_of(1'500'000'001, pcapng_option(9, number(9, 1))) == at(1'500'000'001));
  CHECK(time_of(1'500'000'001'999, pcapng_option(9, number(12, 1))) == at(1'500'000'001));
  CHECK(time_of(3, pcapng_option(9, number(0x81, 1))) == at(1'500'000'000));
  CHECK(time_of(UINT64_MAX, pcapng_option(9, number(0xc0, 1))) == at(999'999'999));
  CHECK(time_of(UINT64_MAX, pcapng_option(9, number(0xff, 1))) == at(0));
  CHECK(time_of(UINT64_MAX, pcapng_option(9, number(127, 1))) == at(0));
  CHECK(time_of(5, pcapng_option(9, number(0, 1))) == at(5'000'000'000));
  CHECK(time_of(5, pcapng_option(14, number(100, 8))) == at(100'000'005'000));
  CHECK(time_of(0, pcapng_option(14, number(static_cast<std::uint64_t>(-10), 8))) == at(-10'000'000'000));
  CHECK(callwitness::capture::latest_time - callwitness::capture::earliest_time == Duration::max());
  CHECK(time_of(UINT64_MAX, "") == callwitness::capture::latest_time);
  CHECK(time_of(0, pcapng_option(14, number(0x8000000000000000, 8))) == callwitness::capture::earliest_time);
}

TEST_CASE("several sections, interfaces, link types and byte orders", "[capture]") {
  for (const bool big : {false, true}) {
    const std::string section = pcapng_section(big) + pcapng_interface(1, 0, {}, big) +
                                pcapng_interface(101, 40, pcapng_option(9, number(9, 1), big), big) +
                                pcapng_packet(0, 1'000'000, "ethernet", {}, big) +
                                pcapng_packet(1, 2'000'000'000, "raw", {}, big);
    const auto read = read_bytes(section + pcapng_section(!big) + pcapng_interface(113, 0, {}, !big) +
                                 pcapng_packet(0, 3'000'000, "cooked", {}, !big));
    REQUIRE(read.packets.size() == 3);
    CHECK(read.packets[1].link_type == 101);
    CHECK(read.packets[1].time == at(2'000'000'000));
    CHECK(read.packets[2].link_type == 113);
    CHECK(read.packets[2].bytes == "cooked");
    CHECK_FALSE(read.records.front().damaged);
    CHECK(read.records.front().link_types == std::set<std::uint16_t>{1, 101, 113});
  }
}

TEST_CASE("simple and obsolete packets, and blocks without packets", "[capture]") {
  const std::string simple = pcapng_block(3, ByteBuilder().u32(100).text("12345678").bytes());
  const std::string obsolete = pcapng_block(2, ByteBuilder().u16(0).u16(3).u32(0).u32(7'000'000).u32(3).u32(3).text("old")
                                                   .zeros(1).bytes());
  const std::string names = pcapng_block(4, ByteBuilder().u32(0).bytes());
  const std::string secrets = pcapng_block(10, ByteBuilder().u32(0x544c534b).u32(4).text("key!").bytes());
  const std::string custom = pcapng_block(0xbad, ByteBuilder().u32(32473).text("whatever").bytes());
  const auto read = read_bytes(pcapng_section() + pcapng_interface(1, 8) + names + obsolete + secrets + simple + custom);
  REQUIRE(read.packets.size() == 2);
  CHECK(read.packets[0].bytes == "old");
  CHECK(read.packets[0].time == at(7'000'000'000));
  CHECK(read.packets[1].bytes == "12345678");
  CHECK(read.packets[1].wire_length == 100);
  CHECK(read.packets[1].time == at(7'000'000'000));
  CHECK(anomaly(read, "packet_without_time") == 1);
  CHECK(read.records.front().dropped_by_capture == 3);
  CHECK_FALSE(read.records.front().damaged);
}

TEST_CASE("drops, directions and comments", "[capture]") {
  const auto statistics = [](std::uint64_t ticks, std::uint64_t drops) {
    return pcapng_block(5, ByteBuilder().u32(0).u32(0).u32(ticks).text(pcapng_option(5, number(drops, 8)))
                               .text(pcapng_option(7, number(1, 8))).bytes());
  };
  const auto read = read_bytes(
      pcapng_section(false, pcapng_option(1, "of the section")) + pcapng_interface(1, 0, pcapng_option(1, "of eth0")) +
      pcapng_packet(0, 1, "in", pcapng_option(2, number(1, 4))) + statistics(2, 4) +
      pcapng_packet(0, 3, "out", pcapng_option(2, number(2, 4)) + pcapng_option(4, number(6, 8))) + statistics(5, 9));
  REQUIRE(read.packets.size() == 2);
  CHECK(read.packets[0].direction == LinkDirection::inbound);
  CHECK(read.packets[1].direction == LinkDirection::outbound);
  const auto& record = read.records.front();
  CHECK(record.dropped_by_capture == 10);
  REQUIRE(record.drop_history.size() == 3);
  CHECK(record.drop_history[0] == std::pair(at(2'000), std::uint64_t{5}));
  CHECK(record.drop_history[1].second == 6);
  CHECK(record.drop_history[2].second == 10);
  REQUIRE(record.comments.size() == 2);
  CHECK(record.comments[1].raw() == "of eth0");
  CHECK_FALSE(read_bytes(pcapng_section() + pcapng_interface()).records.front().dropped_by_capture.has_value());
}

TEST_CASE("broken blocks cost themselves and are told", "[capture]") {
  const std::string start = pcapng_section() + pcapng_interface(), good = pcapng_packet(0, 1'000'000, "good");
  const auto around = [&](const std::string& bad) { return read_bytes(start + good + bad + good + good); };
  std::string length_zero = good, length_huge = good, length_odd = good, trailer = good, beyond = good;
  length_zero.replace(4, 4, 4, '\0');
  length_huge.replace(4, 4, 4, '\xff');
  length_odd[4] = static_cast<char>(length_odd[4] + 1);
  trailer[trailer.size() - 4] = 1;
  beyond[20] = 99;
  for (const std::string& bad : {length_zero, length_huge, length_odd, std::string("garbage, and odd in length"),
                                 std::string(1000, '\0'), beyond, pcapng_packet(7, 1, "no such interface")}) {
    const auto read = around(bad);
    CHECK(read.packets.size() == 3);
    CHECK(read.records.front().damaged);
    REQUIRE(read.records.front().problems.size() == 1);
    CHECK(read.records.front().problems.front().find("after packet 1, byte 84") != std::string::npos);
  }
  CHECK(around(trailer).packets.size() == 4);
  CHECK(around(trailer).records.front().damaged);
  CHECK(read_bytes(pcapng_section() + good).records.front().damaged);
  const auto option = around(pcapng_packet(0, 1, "x", ByteBuilder().u16(1).u16(400).text("runs past").zeros(3).bytes()));
  CHECK(option.packets.size() == 4);
  CHECK(anomaly(option, "option_beyond_block") == 1);
}

TEST_CASE("a hundred thousand interfaces", "[capture]") {
  std::string file = pcapng_section();
  const std::string interface = pcapng_interface(1);
  for (int i = 0; i < 100'000; ++i) file += interface;
  file += pcapng_packet(99'999, 1, "last");
  const auto began = std::chrono::steady_clock::now();
  CHECK(read_bytes(file).packets.size() == 1);
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(2));
}
