// Each link layer around the same IPv4 and IPv6 datagram.
#include "tests/unit/capture/capture_support.hpp"

#include <catch2/catch.hpp>

using namespace callwitness::test;
using callwitness::capture::LinkDirection;

namespace {

const std::string voice = "0123456789";
const std::string four = ipv4(17, udp(4000, 5060, voice));
const std::string six = ipv6(17, udp(4000, 5060, voice));
constexpr std::uint16_t is_ipv4 = 0x0800, is_ipv6 = 0x86dd;

std::string be(std::initializer_list<unsigned> words) {
  ByteBuilder builder(true);
  for (const unsigned word : words) builder.u16(word);
  return builder.bytes();
}

/// The datagram came out whole, and nothing else did.
KeptDatagram only(std::uint16_t link_type, const std::string& frame) {
  const Decoded decoded = decode(link_type, {frame});
  INFO("link type " << link_type);
  REQUIRE(decoded.datagrams.size() == 1);
  CHECK(decoded.anomalies.counts().empty());
  const KeptDatagram kept = decoded.datagrams.front();
  CHECK(kept.payload == voice);
  CHECK(kept.datagram.payload_length == voice.size());
  CHECK(kept.datagram.five_tuple.source.port == 4000);
  CHECK(kept.datagram.five_tuple.destination.port == 5060);
  CHECK(kept.datagram.ip_length == (kept.datagram.five_tuple.source.address.version == 4 ? 38u : 58u));
  CHECK_FALSE(kept.datagram.truncated);
  return kept;
}

std::string wifi(std::string_view body, bool quality = true, unsigned control = 0x0108, unsigned service = 0) {
  ByteBuilder frame;
  frame.u16(quality ? control | 0x80 : control).u16(0).zeros(18).u16(0);
  if (quality) frame.u16(service);
  return frame.text(body).bytes();
}

std::string snap(std::uint16_t type, std::string_view payload) {
  return ByteBuilder(true).list({0xaa, 0xaa, 3, 0, 0, 0}).u16(type).text(payload).bytes();
}

}  // namespace

TEST_CASE("Ethernet, with tags, labels and PPPoE", "[capture][decoder]") {
  CHECK(only(1, ethernet(is_ipv4, four)).datagram.five_tuple.source.text() == "192.0.2.1:4000");
  CHECK(only(1, ethernet(is_ipv6, six)).datagram.five_tuple.destination.text() == "[2001:db8::2]:5060");
  only(1, ethernet(0x8100, be({7, is_ipv4}) + four));
  only(1, ethernet(0x88a8, be({7, 0x8100, 9, is_ipv6}) + six));
  only(1, ethernet(0x8847, be({1, 0x0040, 1, 0x0140}) + four));
  only(1, ethernet(0x8847, be({1, 0x0140}) + six));
  only(1, ethernet(0x8847, be({1, 0x0140, 0, 0}) + ethernet(is_ipv4, four)));
  only(1, ethernet(0x8864, be({0x1100, 1, static_cast<unsigned>(four.size() + 2), 0x0021}) + four + "padding"));
  only(1, ethernet(0x8864, be({0x1100, 1, static_cast<unsigned>(six.size() + 2), 0x0057}) + six));
  only(1, ethernet(static_cast<std::uint16_t>(four.size() + 8), snap(is_ipv4, four)));
}

TEST_CASE("padding and trailers are no payload", "[capture][decoder]") {
  only(1, ethernet(is_ipv4, four + std::string(22, '\0')));
  only(1, ethernet(is_ipv6, six + "FCS!"));
}

TEST_CASE("cooked, loopback and raw captures", "[capture][decoder]") {
  const std::string address(8, 'a');
  CHECK(only(113, be({0, 1, 6}) + address + be({is_ipv4}) + four).datagram.direction == LinkDirection::inbound);
  CHECK(only(113, be({4, 1, 6}) + address + be({is_ipv6}) + six).datagram.direction == LinkDirection::outbound);
  CHECK(only(276, be({is_ipv4, 0, 0, 3, 1, 0x0406}) + address + four).datagram.direction == LinkDirection::outbound);
  CHECK(only(276, be({0x8100, 0, 0, 3, 1, 0x0006}) + address + be({5, is_ipv6}) + six).datagram.direction ==
        LinkDirection::inbound);
  for (const std::uint16_t raw : std::initializer_list<std::uint16_t>{12, 14, 101}) {
    only(raw, four);
    only(raw, six);
  }
  only(228, four);
  only(229, six);
  only(0, ByteBuilder().u32(2).bytes() + four);
  only(0, ByteBuilder(true).u32(2).bytes() + four);
  for (const unsigned family : {10, 24, 28, 30}) only(0, ByteBuilder().u32(family).bytes() + six);
  only(108, ByteBuilder(true).u32(30).bytes() + six);
}

TEST_CASE("PPP in its dresses", "[capture][decoder]") {
  only(9, be({0xff03, 0x0021}) + four);
  only(9, be({0x0021}) + four);
  only(9, "\x21" + four);
  only(9, be({0xff03, 0x0057}) + six);
  only(50, be({0xff03, 0x0021}) + four);
  only(50, be({0x0f00, is_ipv4}) + four);
  only(104, be({0x8f00, is_ipv6}) + six);
  only(51, be({0x1100, 1, static_cast<unsigned>(four.size() + 2), 0x0021}) + four);
  CHECK(only(204, std::string(1, '\1') + be({0xff03, 0x0021}) + four).datagram.direction == LinkDirection::outbound);
}

TEST_CASE("802.11 data frames that are not encrypted", "[capture][decoder]") {
  only(105, wifi(snap(is_ipv4, four)));
  only(105, wifi(snap(is_ipv6, six), false));
  only(105, wifi(snap(is_ipv4, four), true, 0x8108).insert(26, 4, 'h'));       // +HTC
  only(105, wifi(snap(is_ipv4, four), false, 0x0308).insert(24, 6, 'a'));      // both DS bits: a fourth address
  const std::string radiotap = ByteBuilder().u8(0).u8(0).u16(16).u32(0x80000002).u32(0).u8(0x10).zeros(3).bytes();
  only(127, radiotap + wifi(snap(is_ipv4, four)) + "FCS!");
  const Decoded secret = decode(105, {wifi("????????????", true, 0x4108)});
  CHECK(secret.datagrams.empty());
  CHECK(secret.anomalies.counts().count("wifi_encrypted") == 1);
  CHECK(decode(105, {wifi("", true, 0x0148)}).datagrams.empty());              // null function
}

TEST_CASE("an aggregate of 802.11 holds several datagrams", "[capture][decoder]") {
  const auto part = [](const std::string& llc) {
    std::string bytes = ByteBuilder(true).zeros(12).u16(static_cast<unsigned>(llc.size())).text(llc).bytes();
    return bytes.append((4 - bytes.size() % 4) % 4, '\0');
  };
  const Decoded decoded = decode(105, {wifi(part(snap(is_ipv4, four)) + part(snap(is_ipv6, six)), true, 0x0108, 0x80)});
  REQUIRE(decoded.datagrams.size() == 2);
  CHECK(decoded.datagrams[1].payload == voice);
}

TEST_CASE("phones name the program", "[capture][decoder]") {
  const std::string trailer = ByteBuilder(true).u32(0x01072021).u32(10142).text("WhatsApp").zeros(12).u32(0).bytes();
  const KeptDatagram android = only(1, ethernet(is_ipv4, four + std::string(2, '\0') + trailer));
  CHECK(android.owner == "WhatsApp");
  const auto pktap = [](unsigned type, unsigned flags, const std::string& frame) {
    return ByteBuilder().u32(108).u32(1).u32(type).text("en0").zeros(21).u32(flags).u32(2).u32(14).u32(0).u32(321)
        .text("Viber").zeros(12).zeros(35).text(frame).bytes();
  };
  const KeptDatagram apple = only(258, pktap(1, 2, ethernet(is_ipv4, four)));
  CHECK(apple.owner == "Viber");
  CHECK(apple.datagram.direction == LinkDirection::outbound);
  CHECK(only(149, pktap(12, 1, six)).datagram.direction == LinkDirection::inbound);
  CHECK(only(1, ethernet(is_ipv4, four)).owner.empty());
}

TEST_CASE("PCAPdroid's trailer with and without its checksum; another magic names nobody", "[capture][decoder]") {
  const auto trailer = [](std::uint32_t magic, std::string_view name, std::size_t name_size, bool checksum) {
    ByteBuilder builder(true);
    builder.u32(magic).u32(10142).text(name).zeros(name_size - name.size());
    if (checksum) builder.u32(0x9abcdef0);
    return builder.bytes();
  };
  const auto owner_with = [](const std::string& tail) { return only(1, ethernet(is_ipv4, four + tail)).owner; };
  CHECK(owner_with(trailer(0x01072021, "Viber", 20, true)) == "Viber");
  CHECK(owner_with(trailer(0x01072021, "Viber", 20, false)) == "Viber");
  CHECK(owner_with(trailer(0x01072021, "Viber", 16, true)) == "Viber");          // its first version
  CHECK(owner_with(trailer(0x01072021, "01234567890123456789", 20, true)) == "01234567890123456789");
  CHECK(owner_with(trailer(0x01072022, "Viber", 20, true)).empty());
  CHECK(owner_with(trailer(0x21200701, "Viber", 20, true)).empty());
  CHECK(owner_with(trailer(0x01072021, "Viber", 20, true) + "x").empty());
  CHECK(only(101, four).owner.empty());
}

TEST_CASE("PKTAP's second version, and for whom a program works", "[capture][decoder]") {
  constexpr unsigned second = 0x00080000, delegated = 4, out = 2;
  const auto v2 = [](unsigned comm, unsigned effective, unsigned flags, unsigned type, const std::string& names, const std::string& frame) {
    return ByteBuilder().u8(static_cast<unsigned>(40 + names.size())).u8(0).u8(0).u8(0).u8(comm).u8(effective).u16(type).u16(14).u16(0).u16(6).u16(17)
        .u32(2).u32(0).u32(7).u32(321).u32(322).u32(flags).text(names).text(frame).bytes();
  };
  const auto name = [](std::string text) { return text.append(17 - text.size(), '\0'); };
  const KeptDatagram plain = only(258, v2(40, 0, second | out, 1, name("Viber"), ethernet(is_ipv4, four)));
  CHECK(plain.owner == "Viber");
  CHECK(plain.datagram.direction == LinkDirection::outbound);
  const std::string both = name("nsurlsessiond") + name("Telegram");
  CHECK(only(149, v2(40, 57, second | 1 | delegated, 12, both, six)).owner == "Telegram");
  CHECK(only(149, v2(40, 57, second | 1, 12, both, six)).owner == "nsurlsessiond");
  CHECK(only(258, v2(0, 0, second | out, 1, "", ethernet(is_ipv4, four))).owner.empty());
  CHECK(only(258, v2(200, 0, second | out, 1, name("Viber"), ethernet(is_ipv4, four))).owner.empty());   // beyond its header
  const std::string whole = v2(40, 57, second | out, 1, both, ethernet(is_ipv4, four));
  for (std::size_t cut = 0; cut < 74; ++cut) CHECK(decode(258, {whole.substr(0, cut)}).datagrams.empty());
  std::string short_header = whole;
  short_header[0] = 39;
  CHECK(decode(258, {short_header}).anomalies.counts().count("pktap_bad") == 1);
  const std::string first = ByteBuilder().u32(108).u32(1).u32(1).text("en0").zeros(21).u32(out | delegated).u32(2).u32(14).u32(0).u32(321).text("nsurlsessiond").zeros(7)
      .u32(0).u32(0).u32(322).text("Viber").zeros(15).text(ethernet(is_ipv4, four)).bytes();
  CHECK(only(258, first).owner == "Viber");
}
