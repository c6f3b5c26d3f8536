#include "tests/unit/capture/capture_support.hpp"

#include <catch2/catch.hpp>

using namespace callwitness::test;
using callwitness::capture::FiveTuple;

namespace {

constexpr std::uint16_t raw = 101;
const std::string voice = "0123456789";
const std::string inner = ipv4(17, udp(4000, 5060, voice));

std::uint64_t anomaly(const Decoded& decoded, std::string_view name) {
  const auto found = decoded.anomalies.counts().find(name);
  return found == decoded.anomalies.counts().end() ? 0 : found->second;
}

void check_inner(const std::string& packet) {
  const Decoded decoded = decode(raw, {packet});
  REQUIRE(decoded.datagrams.size() == 1);
  CHECK(decoded.datagrams[0].payload == voice);
  CHECK(decoded.datagrams[0].datagram.five_tuple.protocol == 17);
  CHECK(decoded.datagrams[0].datagram.five_tuple.destination.port == 5060);
  CHECK(decoded.datagrams[0].datagram.ip_length == 38);
  CHECK(decoded.anomalies.counts().empty());
}

ByteBuilder be() { return ByteBuilder(true); }

}  // namespace

TEST_CASE("tunnels: the innermost datagram counts", "[capture][decoder]") {
  check_inner(ipv4(4, inner));
  check_inner(ipv6(4, inner));
  check_inner(ipv4(47, be().u16(0).u16(0x0800).text(inner).bytes()));
  check_inner(ipv4(47, be().u16(0xb000).u16(0x0800).u32(0).u32(7).u32(1).text(inner).bytes()));
  check_inner(ipv4(47, be().u16(0).u16(0x6558).text(ethernet(0x0800, inner)).bytes()));
  check_inner(ipv4(47, be().u16(0x3081).u16(0x880b).u16(42).u16(1).u32(1).u32(1).u16(0xff03).u16(0x0021).text(inner)
                           .bytes()));
  const auto length = static_cast<unsigned>(inner.size());
  check_inner(ipv4(17, udp(2152, 2152, be().u8(0x30).u8(255).u16(length).u32(9).text(inner).bytes())));
  check_inner(ipv4(17, udp(2152, 2152, be().u8(0x34).u8(255).u16(length + 8).u32(9).u16(0).u8(0).u8(0x85).u8(1)
                                           .u16(0x1005).u8(0).text(inner).bytes())));
  check_inner(ipv4(17, udp(55555, 4789, be().u32(0x08000000).u32(0x100).text(ethernet(0x0800, inner)).bytes())));
  check_inner(ipv4(17, udp(55555, 6081, be().u16(0).u16(0x6558).u32(0x100).text(ethernet(0x0800, inner)).bytes())));
  check_inner(ipv4(51, be().u8(4).u8(4).u16(0).u32(1).u32(1).zeros(12).text(inner).bytes()));
}

TEST_CASE("what only looks like a tunnel stays what it is", "[capture][decoder]") {
  const Decoded port = decode(raw, {ipv4(17, udp(2152, 4789, "\x08\0\0\0 not a frame, only chance on this port"))});
  REQUIRE(port.datagrams.size() == 1);
  CHECK(port.datagrams[0].datagram.five_tuple.destination.port == 4789);
  const Decoded gre = decode(raw, {ipv4(47, be().u16(0).u16(0x1234).text("secret").bytes())});
  REQUIRE(gre.datagrams.size() == 1);
  CHECK(gre.datagrams[0].datagram.five_tuple.protocol == 47);
}

TEST_CASE("a thousand nested headers end soon and cost little", "[capture][decoder]") {
  std::string nested = inner;
  for (int i = 0; i < 1000; ++i) nested = ipv4(4, nested);
  const Decoded decoded = decode(raw, {nested});
  CHECK(anomaly(decoded, "nested_too_deep") >= 1);
  CHECK(decoded.datagrams.size() == 1);
  std::string tagged = inner;
  for (int i = 0; i < 1000; ++i) tagged = be().u16(1).u16(i == 0 ? 0x0800 : 0x8100).text(tagged).bytes();
  CHECK(decode(1, {ethernet(0x8100, tagged)}).datagrams.empty());
}

TEST_CASE("IPv6 extension headers", "[capture][decoder]") {
  const std::string datagram = udp(4000, 5060, voice);
  const std::string routing = be().u8(17).u8(0).zeros(6).bytes(), hop = be().u8(43).u8(1).zeros(14).bytes();
  const Decoded decoded = decode(raw, {ipv6(0, hop + routing + datagram)});
  REQUIRE(decoded.datagrams.size() == 1);
  CHECK(decoded.datagrams[0].payload == voice);
  CHECK(decoded.datagrams[0].datagram.ip_length == 40 + 16 + 8 + 18);
  CHECK(decode(raw, {ipv6(59, "")}).datagrams.empty());
  std::string endless = datagram;
  for (int i = 0; i < 100; ++i) endless = be().u8(i == 0 ? 17 : 60).u8(0).zeros(6).text(endless).bytes();
  CHECK(anomaly(decode(raw, {ipv6(60, endless)}), "too_many_extension_headers") == 1);
}

TEST_CASE("lengths that lie are counted and never believed", "[capture][decoder]") {
  const std::string datagram = udp(4000, 5060, voice);
  const Decoded longer = decode(raw, {ipv4(17, datagram, 0, 0, 60000)});
  REQUIRE(longer.datagrams.size() == 1);
  CHECK(longer.datagrams[0].datagram.ip_length == 38);
  CHECK(anomaly(longer, "ip_length_beyond_frame") == 1);
  CHECK(anomaly(decode(raw, {ipv4(17, datagram, 0, 0, 19)}), "ip_length_bad") == 1);
  std::string bad_udp = datagram;
  bad_udp[5] = 7;
  CHECK(anomaly(decode(raw, {ipv4(17, bad_udp)}), "udp_length_bad") == 1);
  std::string bad_header = inner;
  bad_header[0] = 0x44;
  CHECK(anomaly(decode(raw, {bad_header}), "ip_header_bad") == 1);
  CHECK(anomaly(decode(raw, {inner.substr(0, 19)}), "truncated_header") == 1);
}

TEST_CASE("a frame that the card cut up later has no total length", "[capture][decoder]") {
  std::string packet = ipv4(17, be().u16(1).u16(2).u16(0).u16(0).zeros(60000).bytes());
  packet[2] = packet[3] = 0;
  const Decoded decoded = decode(raw, {packet});
  REQUIRE(decoded.datagrams.size() == 1);
  CHECK(decoded.datagrams[0].datagram.ip_length == 60028);
  CHECK(decoded.datagrams[0].datagram.payload_length == 60000);
}

TEST_CASE("a truncated packet counts with its length on the wire", "[capture][decoder]") {
  const std::string whole = ethernet(0x0800, ipv4(17, udp(1, 2, std::string(1000, 'x'))));
  const Decoded decoded = decode(1, {whole.substr(0, 60)}, static_cast<std::uint32_t>(whole.size()));
  REQUIRE(decoded.datagrams.size() == 1);
  const auto& datagram = decoded.datagrams[0].datagram;
  CHECK(datagram.ip_length == 1028);
  CHECK(datagram.payload_length == 1000);
  CHECK(decoded.datagrams[0].payload.size() == 18);
  CHECK(datagram.truncated);
}

TEST_CASE("fragments become one datagram", "[capture][decoder]") {
  const std::string whole = udp(4000, 5060, std::string(3000, 'v'));
  const std::string first = ipv4(17, whole.substr(0, 1480), 77, 0x2000),
                    second = ipv4(17, whole.substr(1480, 1480), 77, 0x2000 | 185),
                    last = ipv4(17, whole.substr(2960), 77, 370);
  for (const auto& order : {std::vector{first, second, last}, {last, first, second}, {first, second, second, last}}) {
    const Decoded decoded = decode(raw, order);
    REQUIRE(decoded.datagrams.size() == 1);
    CHECK(decoded.datagrams[0].payload == std::string(3000, 'v'));
    CHECK(decoded.datagrams[0].datagram.ip_length == 3008 + 3 * 20);
    CHECK(decoded.datagrams[0].datagram.fragmented);
    CHECK(decoded.datagrams[0].datagram.ordinal == order.size());
  }
  const auto six = [&](std::uint16_t field, const std::string& part) {
    return ipv6(44, be().u8(17).u8(0).u16(field).u32(99).text(part).bytes());
  };
  const Decoded decoded = decode(raw, {six(1, whole.substr(0, 1480)), six(1480, whole.substr(1480))});
  REQUIRE(decoded.datagrams.size() == 1);
  CHECK(decoded.datagrams[0].payload.size() == 3000);
}

TEST_CASE("hostile fragments", "[capture][decoder]") {
  const std::string whole = udp(4000, 5060, std::string(3000, 'v'));
  const Decoded overlap = decode(raw, {ipv4(17, whole.substr(0, 1480), 7, 0x2000),
                                       ipv4(17, whole.substr(800, 1480), 7, 0x2000 | 100)});
  CHECK(overlap.datagrams.empty());
  CHECK(anomaly(overlap, "fragment_overlap") == 1);
  std::vector<std::string> endless;
  for (unsigned i = 0; i < 20'000; ++i)
    endless.push_back(ipv4(17, std::string(1480, 'x'), static_cast<std::uint16_t>(i), 0x2000));
  const Decoded flood = decode(raw, endless);
  CHECK(flood.datagrams.empty());
  CHECK(anomaly(flood, "fragments_incomplete") > 18'000);
  CHECK(anomaly(decode(raw, {ipv4(17, std::string(1480, 'x'), 1, 0x1fff)}), "fragment_bad") == 1);
}

TEST_CASE("TCP options", "[capture][decoder]") {
  const std::string options = be().u8(2).u8(4).u16(1460).u8(1).u8(3).u8(3).u8(7).u8(8).u8(10).u32(100).u32(200).u16(0)
                                  .bytes();
  const std::string segment = be().u16(443).u16(50000).u32(5).u32(6).u8(0xa0).u8(0x12).u16(65535).u32(0).text(options)
                                  .text("data").bytes();
  const Decoded decoded = decode(raw, {ipv4(6, segment)});
  REQUIRE(decoded.datagrams.size() == 1);
  CHECK(decoded.datagrams[0].payload == "data");
  const auto& tcp = *decoded.datagrams[0].datagram.tcp;
  CHECK(tcp.maximum_segment_size == 1460);
  CHECK(tcp.window_scale == 7);
  CHECK(tcp.timestamp_value == 100);
  CHECK(tcp.timestamp_echo == 200);
  CHECK(tcp.syn());
  CHECK(tcp.ack());
  std::string bad = segment;
  bad[12] = 0x40;
  CHECK(anomaly(decode(raw, {ipv4(6, bad)}), "tcp_header_bad") == 1);
}

TEST_CASE("the checksum of a segment that opens or closes a connection is looked at, where all of it was captured", "[capture][decoder]") {
  const auto of = [](unsigned flags, unsigned checksum, std::string_view data) {
    const std::string segment = be().u16(443).u16(50000).u32(5).u32(6).u8(0x50).u8(flags).u16(0).u16(checksum).u16(0).text(data).bytes();
    return decode(raw, {ipv4(6, segment)}).datagrams.at(0).datagram.tcp->checksum;
  };
  CHECK(of(0x14, 0x2b1b, "odd") == callwitness::capture::Checksum::good);
  CHECK(of(0x14, 0x2b1a, "odd") == callwitness::capture::Checksum::bad);
  CHECK(of(0x18, 0x2b1b, "odd") == callwitness::capture::Checksum::unchecked);
}

TEST_CASE("an ICMP error names the flow that it is about", "[capture][decoder]") {
  const std::string quoted = inner.substr(0, 28);
  const Decoded decoded = decode(raw, {ipv4(1, be().u8(3).u8(13).u16(0).u32(0).text(quoted).bytes())});
  REQUIRE(decoded.datagrams.size() == 1);
  const auto& icmp = *decoded.datagrams[0].datagram.icmp;
  CHECK(icmp.code == 13);
  REQUIRE(icmp.about.has_value());
  CHECK(icmp.about->source.port == 4000);
  CHECK(icmp.about->destination.text() == "198.51.100.2:5060");
  const Decoded six = decode(raw, {ipv6(58, be().u8(1).u8(1).u16(0).u32(0).text(ipv6(17, udp(1, 2, "")))
                                                .bytes())});
  REQUIRE(six.datagrams.size() == 1);
  REQUIRE(six.datagrams[0].datagram.icmp->about.has_value());
  CHECK(six.datagrams[0].datagram.icmp->about->destination.port == 2);
  CHECK(anomaly(decode(raw, {ipv4(1, be().u8(3).u8(1).u16(0).u32(0).text("short").bytes())}), "icmp_quote_bad") == 1);
}

TEST_CASE("a frame cut at any byte is never read past its end", "[capture][decoder]") {
  const std::string frames[] = {
      ethernet(0x8100, be().u16(1).u16(0x0800).text(ipv4(47, be().u16(0).u16(0x6558).text(ethernet(0x0800, inner)).bytes()))
                           .bytes()),
      ethernet(0x86dd, ipv6(0, be().u8(44).u8(0).zeros(6).u8(17).u8(0).u16(1).u32(9).text(udp(1, 2, voice)).bytes())),
      ethernet(0x0800, ipv4(1, be().u8(3).u8(13).u16(0).u32(0).text(inner).bytes())),
      ethernet(0x0800, ipv4(6, be().u16(1).u16(2).u64(0).u8(0x70).u8(2).u16(1).u32(0).u8(2).u8(4).u16(1460).u32(0)
                                   .text("x").bytes()))};
  for (const std::string& frame : frames)
    for (std::size_t size = 0; size <= frame.size(); ++size) {
      decode(1, {frame.substr(0, size)});
      decode(1, {frame.substr(0, size)}, static_cast<std::uint32_t>(frame.size()));
    }
  SUCCEED();
}
