#include "capture/sha256.hpp"
#include "tests/unit/capture/capture_support.hpp"

#include <catch2/catch.hpp>

using namespace callwitness::test;
using callwitness::capture::Duration;
using callwitness::capture::Error;
using callwitness::capture::SourceOptions;
using callwitness::capture::Time;

TEST_CASE("pcap in both byte orders and both resolutions gives the same packets", "[capture]") {
  const auto micro = read_bytes(pcap_header() + pcap_record(1, 5, "abcd") + pcap_record(2, 6, "ef", false, 60));
  REQUIRE(micro.error.empty());
  REQUIRE(micro.packets.size() == 2);
  CHECK(micro.packets[0].time == Time(Duration(1'000'005'000)));
  CHECK(micro.packets[1].bytes == "ef");
  CHECK(micro.packets[1].wire_length == 60);
  CHECK(micro.packets[1].ordinal == 2);
  const auto big = read_bytes(pcap_header(true) + pcap_record(1, 5, "abcd", true) + pcap_record(2, 6, "ef", true, 60));
  const auto nano = read_bytes(pcap_header(true, true) + pcap_record(1, 5000, "abcd", true) +
                               pcap_record(2, 6000, "ef", true, 60));
  CHECK(big.packets == micro.packets);
  CHECK(nano.packets == micro.packets);
  const auto& record = nano.records.front();
  CHECK(record.format == "pcap-ns");
  CHECK(record.packets == 2);
  CHECK(record.bytes == 64);
  CHECK(record.truncated_packets == 1);
  CHECK_FALSE(record.damaged);
}

TEST_CASE("the stored bytes' hash is known", "[capture]") {
  const auto result = read_bytes(pcap_header());
  CHECK(result.error.empty());
  CHECK(result.records.front().size_bytes == 24);
  CHECK(result.records.front().sha256.size() == 64);
}

TEST_CASE("a big capture's hash is of all its bytes, read to the end or not", "[capture]") {
  std::string contents = pcap_header();
  // 12 MB: read ahead and hashed while it is decoded. Every tenth record is longer than a piece has room in front.
  for (std::uint32_t i = 0; i < 200; ++i) contents += pcap_record(i, 0, std::string(i % 10 == 9 ? 200'000 : 45'000, static_cast<char>(i)));
  callwitness::capture::Sha256 expected;
  expected.add(reinterpret_cast<const std::uint8_t*>(contents.data()), contents.size());
  const std::string hash = expected.hex();
  SourceOptions few;
  few.packet_limit = 3;
  for (const auto& options : {SourceOptions{}, few}) {
    const auto result = read_bytes(contents, options);
    REQUIRE(result.packets.size() == (options.packet_limit == 0 ? 200 : 3));
    for (std::size_t i = 0; i < result.packets.size(); ++i)
      CHECK(result.packets[i].bytes == std::string(i % 10 == 9 ? 200'000 : 45'000, static_cast<char>(i)));
    CHECK(result.records.front().sha256 == hash);
    CHECK(result.records.front().size_bytes == contents.size());
  }
}

TEST_CASE("what is no capture is told, and why", "[capture]") {
  CHECK(read_bytes("").error.find("it is empty") != std::string::npos);
  CHECK(read_bytes("hello, world").kind == Error::Kind::unreadable);
  CHECK(read_paths({"/nonexistent/a.pcap"}).kind == Error::Kind::unreadable);
}

TEST_CASE("a wrong filter is told before any packet", "[capture]") {
  SourceOptions options;
  options.filter = "udp prot 5060";
  const auto wrong = read_bytes(pcap_header() + pcap_record(1, 0, "x"), options);
  CHECK(wrong.kind == Error::Kind::usage);
  CHECK(wrong.error.find("udp prot 5060") != std::string::npos);
  options.filter = "udp port 9";
  const std::string hit = ethernet(0x0800, ipv4(17, udp(9, 7, "hi"))), miss = ethernet(0x0800, ipv4(17, udp(8, 7, "hi")));
  const auto right = read_bytes(pcap_header() + pcap_record(1, 0, miss) + pcap_record(1, 1, hit), options);
  REQUIRE(right.packets.size() == 1);
  CHECK(right.packets[0].ordinal == 2);
}
