#include "classify/names.hpp"

#include <catch2/catch.hpp>

using namespace callwitness;
using namespace callwitness::classify;
using Raw = std::vector<std::uint8_t>;

namespace {

const capture::IpAddress client = capture::IpAddress::v4(0xc0a80002), server = capture::IpAddress::v4(0xcb007101);

/// A reply for api.tango.me with one CNAME and one A record of 198.51.100.7.
Raw reply() {
  return {0x12, 0x34, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0, 3, 'a', 'p', 'i', 5, 't', 'a', 'N', 'g', 'o', 2, 'm', 'e', 0, 0, 1, 0, 1,
          0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 7, 4, 'e', 'd', 'g', 'e', 0xc0, 16,
          0xc0, 42, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 198, 51, 100, 7};
}

Datagram from_server(const Raw& payload) {
  Datagram datagram;
  datagram.five_tuple = {{server, 53}, {client, 50000}, capture::protocol::udp};
  datagram.payload = Bytes(payload);
  datagram.payload_length = static_cast<std::uint32_t>(payload.size());
  return datagram;
}

Raw client_hello(const std::string& name) {
  Raw body(2 + 32, 3);
  body.push_back(0);
  for (const int byte : {0, 2, 0x13, 0x01, 1, 0}) body.push_back(static_cast<std::uint8_t>(byte));
  const auto size = static_cast<std::uint8_t>(name.size());
  const Raw extensions_head{0, static_cast<std::uint8_t>(size + 9), 0, 0, 0, static_cast<std::uint8_t>(size + 5), 0, static_cast<std::uint8_t>(size + 3), 0, 0, size};
  body.insert(body.end(), extensions_head.begin(), extensions_head.end());
  body.insert(body.end(), name.begin(), name.end());
  Raw record{0x16, 3, 1, 0, static_cast<std::uint8_t>(body.size() + 4), 1, 0, 0, static_cast<std::uint8_t>(body.size())};
  record.insert(record.end(), body.begin(), body.end());
  return record;
}

}  // namespace

TEST_CASE("a DNS answer names its address, by the name that was asked") {
  NameTable names;
  const Raw raw = reply();
  names.on_datagram(from_server(raw));
  const auto* entry = names.lookup(capture::IpAddress::v4(0xc6336407));
  REQUIRE(entry);
  CHECK(entry->name.raw() == "api.tango.me");
  CHECK(entry->application == "tango");
  capture::Anomalies anomalies;
  const auto message = read_dns(Bytes(raw), anomalies);
  REQUIRE(message);
  CHECK(message->aliases.at(0) == "edge.tango.me");
  CHECK(message->time_to_live == 300u);
  CHECK(anomalies.counts().empty());
}

TEST_CASE("a DNS message cut at any byte or with any byte changed is survived") {
  const Raw raw = reply();
  capture::Anomalies anomalies;
  for (std::size_t cut = 0; cut < raw.size(); ++cut) static_cast<void>(read_dns(Bytes(raw).first(cut), anomalies));
  for (std::size_t at = 0; at < raw.size(); ++at) {
    for (const int value : {0, 1, 0x3f, 0xc0, 0xff}) {
      Raw changed = raw;
      changed[at] = static_cast<std::uint8_t>(value);
      static_cast<void>(read_dns(Bytes(changed), anomalies));
    }
  }
  CHECK_FALSE(anomalies.counts().empty());
}

TEST_CASE("compression pointers that loop or point forward are refused") {
  Raw loop{0, 1, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1};
  capture::Anomalies anomalies;
  CHECK_FALSE(read_dns(Bytes(loop), anomalies));
  loop[13] = 16;
  CHECK_FALSE(read_dns(Bytes(loop), anomalies));
  CHECK(anomalies.counts().at("dns_bad_name") == 2);
}

TEST_CASE("a forged answer with a private address names nobody") {
  NameTable names;
  Raw raw = reply();
  raw[raw.size() - 4] = 10;
  names.on_datagram(from_server(raw));
  CHECK_FALSE(names.lookup(capture::IpAddress::v4(0x0a336407)));
}

TEST_CASE("the server name is read from a ClientHello, whole or in two segments") {
  const Raw hello = client_hello("cget.tango.me");
  const auto whole = read_client_hello(Bytes(hello));
  REQUIRE(whole);
  CHECK(whole->server_name == "cget.tango.me");
  for (std::size_t cut = 0; cut < hello.size(); ++cut) {
    const auto part = read_client_hello(Bytes(hello).first(cut));
    if (part) CHECK(part->server_name.empty());
  }
  NameTable names;
  Datagram first;
  first.five_tuple = {{client, 50000}, {server, 443}, capture::protocol::tcp};
  first.tcp = capture::TcpSegment{};
  first.tcp->sequence = 1000;
  first.payload = Bytes(hello).first(50);
  first.payload_length = 50;
  CHECK(names.on_datagram(first).empty());
  Datagram second = first;
  second.tcp->sequence = 1050;
  second.payload = Bytes(hello).subspan(50);
  second.payload_length = static_cast<std::uint32_t>(hello.size() - 50);
  CHECK(names.on_datagram(second).raw() == "cget.tango.me");
  REQUIRE(names.lookup(server));
  CHECK(names.lookup(server)->application == "tango");
}
