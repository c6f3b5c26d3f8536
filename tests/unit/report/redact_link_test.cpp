// Frames of every link layer that the decoder reads: the copy decodes to the same datagram under pseudonyms, and holds no
// address of the original.
#include "capture/decoder.hpp"
#include "report/redact/pseudonyms.hpp"
#include "report/redact/redactor.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <vector>

using namespace callwitness;

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr report::RedactionKey key{7, 7, 7};
const Bytes station{0x02, 0x11, 0x22, 0x33, 0x44, 0x55}, point{0x02, 0x66, 0x77, 0x88, 0x99, 0xaa};
const Bytes client{203, 0, 113, 77}, server{198, 51, 100, 9};

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

/// UDP 40000 → 9999 with 60 bytes of binary payload.
Bytes ip_packet() {
  Bytes packet{0x45, 0, 0, 88, 0, 1, 0, 0, 64, 17, 0, 0};
  packet = packet + client + server + Bytes{0x9c, 0x40, 0x27, 0x0f, 0, 68, 0, 0};
  for (int i = 0; i < 60; ++i) packet.push_back(static_cast<std::uint8_t>(i * 37 + 200));
  return packet;
}

const Bytes snap_ip{0xaa, 0xaa, 3, 0, 0, 0, 8, 0};

/// Data from the station to the distribution system, with `flags` in the second control byte.
Bytes wifi(const Bytes& body, std::uint8_t flags = 1, bool quality = false, bool aggregate = false) {
  Bytes frame{static_cast<std::uint8_t>(quality ? 0x88 : 0x08), flags, 0, 0};
  frame = frame + point + station + point + Bytes{0x10, 0};
  if ((flags & 3) == 3) frame = frame + station;
  if (quality) frame = frame + Bytes{static_cast<std::uint8_t>(aggregate ? 0x80 : 0), 0};
  return frame + body;
}

Bytes aggregate_of_two() {
  const Bytes inner = snap_ip + ip_packet();
  const Bytes part = station + point + Bytes{0, static_cast<std::uint8_t>(inner.size())} + inner;
  return part + Bytes(4 - part.size() % 4, 0) + part;
}

Bytes pktap(const std::string& program) {
  Bytes header(156, 0);
  header[0] = 156;
  header[4] = 1;
  header[8] = 101;
  std::copy_n("en0", 3, header.begin() + 12);
  header[36] = 2;
  header[52] = 99;
  std::copy(program.begin(), program.end(), header.begin() + 56);
  return header;
}

struct Told final : capture::DatagramSink {
  struct Kept {
    capture::FiveTuple five_tuple;
    std::uint32_t payload_length = 0;
    std::string owner;
    capture::LinkDirection direction{};
  };
  std::vector<Kept> datagrams;
  void on_datagram(const capture::Datagram& datagram) override {
    datagrams.push_back({datagram.five_tuple, datagram.payload_length, std::string(datagram.owner), datagram.direction});
  }
};

std::vector<Told::Kept> decoded(int link_type, const Bytes& frame, std::size_t wire_length) {
  Told told;
  capture::Anomalies anomalies;
  capture::Decoder decoder(told, anomalies);
  capture::Packet packet;
  packet.bytes = frame;
  packet.wire_length = static_cast<std::uint32_t>(wire_length);
  packet.link_type = static_cast<capture::LinkType>(link_type);
  decoder.on_packet(packet);
  return told.datagrams;
}

Bytes redacted(int link_type, const Bytes& frame) {
  report::Redactor redactor(key);
  capture::Packet packet;
  packet.bytes = frame;
  packet.wire_length = static_cast<std::uint32_t>(frame.size());
  packet.link_type = static_cast<capture::LinkType>(link_type);
  Bytes out;
  redactor.redact(packet, out);
  return out;
}

bool holds(const Bytes& bytes, const Bytes& wanted) { return std::search(bytes.begin(), bytes.end(), wanted.begin(), wanted.end()) != bytes.end(); }

struct Case {
  const char* name;
  int link_type;
  Bytes frame;
  std::size_t datagrams = 1;
};

std::vector<Case> cases() {
  const Bytes ip = ip_packet(), ethernet = point + station, type_ip{8, 0};
  const Bytes ppp_ip{0xff, 3, 0, 0x21};
  return {
      {"Ethernet", 1, ethernet + type_ip + ip},
      {"Ethernet with two tags", 1, ethernet + Bytes{0x88, 0xa8, 0, 1, 0x81, 0, 0, 2} + type_ip + ip},
      {"Ethernet with LLC", 1, ethernet + Bytes{0, 96} + snap_ip + ip},
      {"MPLS", 1, ethernet + Bytes{0x88, 0x47, 0, 1, 0, 9, 0, 2, 1, 9} + ip},
      {"PPPoE", 1, ethernet + Bytes{0x88, 0x64, 0x11, 0, 0, 1, 0, 90, 0, 0x21} + ip},
      {"PPP", 9, ppp_ip + ip},
      {"PPP, protocol compressed", 9, Bytes{0x21} + ip},
      {"PPP in HDLC framing", 50, ppp_ip + ip},
      {"Cisco HDLC", 104, Bytes{0x0f, 0, 8, 0} + ip},
      {"PPP with direction", 204, Bytes{1} + ppp_ip + ip},
      {"PPPoE without Ethernet", 51, Bytes{0x11, 0, 0, 1, 0, 90, 0, 0x21} + ip},
      {"Linux cooked", 113, Bytes{0, 4, 0, 1, 0, 6} + station + Bytes{0, 0, 8, 0} + ip},
      {"Linux cooked 2", 276, Bytes{8, 0, 0, 0, 0, 0, 0, 2, 0, 1, 4, 6} + station + Bytes{0, 0} + ip},
      {"loopback", 0, Bytes{2, 0, 0, 0} + ip},
      {"raw", 101, ip},
      {"802.11", 105, wifi(snap_ip + ip)},
      {"802.11 between points", 105, wifi(snap_ip + ip, 3)},
      {"802.11 with quality of service", 105, wifi(snap_ip + ip, 1, true)},
      {"802.11 aggregate", 105, wifi(aggregate_of_two(), 1, true, true), 2},
      {"802.11 with a check sequence", 105, wifi(snap_ip + ip) + Bytes{1, 2, 3, 4}},
      {"radiotap", 127, Bytes{0, 0, 8, 0, 0, 0, 0, 0} + wifi(snap_ip + ip)},
      {"Prism", 119, Bytes(144, 0) + wifi(snap_ip + ip)},
      {"PKTAP", 258, pktap("WhatsApp") + ip},
      {"PPTP", 101, Bytes{0x45, 0, 0, 128, 0, 1, 0, 0, 64, 47, 0, 0} + server + client + Bytes{0x30, 0x81, 0x88, 0x0b, 0, 94, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xff, 3} +
                           Bytes{0, 0x21} + ip},
      {"GTP with an extension", 101, Bytes{0x45, 0, 0, 132, 0, 1, 0, 0, 64, 17, 0, 0} + server + client + Bytes{8, 0x68, 8, 0x68, 0, 112, 0, 0} +
                                         Bytes{0x34, 0xff, 0, 96, 0, 0, 0, 7, 0, 0, 0, 0x85, 1, 0, 9, 0} + ip},
      {"Geneve", 101, Bytes{0x45, 0, 0, 124, 0, 1, 0, 0, 64, 17, 0, 0} + server + client + Bytes{0x9c, 0x68, 0x17, 0xc1, 0, 104, 0, 0} +
                          Bytes{0, 0, 8, 0, 0, 0, 1, 0} + ip},
  };
}

}  // namespace

TEST_CASE("a redacted frame of any link layer decodes as the original does", "[redact]") {
  report::Pseudonyms pseudonyms(key);
  for (const auto& one : cases()) {
    INFO(one.name);
    const auto original = decoded(one.link_type, one.frame, one.frame.size());
    const auto copy = redacted(one.link_type, one.frame);
    const auto again = decoded(one.link_type, copy, one.frame.size());
    REQUIRE(original.size() == one.datagrams);
    REQUIRE(again.size() == original.size());
    for (std::size_t i = 0; i < original.size(); ++i) {
      CHECK(again[i].five_tuple.source.address == pseudonyms.address(original[i].five_tuple.source.address));
      CHECK(again[i].five_tuple.destination.address == pseudonyms.address(original[i].five_tuple.destination.address));
      CHECK(again[i].five_tuple.source.port == 40000);
      CHECK(original[i].payload_length == 60);
      CHECK(again[i].payload_length == 60);
      CHECK(again[i].direction == original[i].direction);
      CHECK(again[i].owner == original[i].owner);
    }
    for (const auto& secret : {station, point, client, server}) CHECK_FALSE(holds(copy, secret));
    CHECK_FALSE(holds(copy, Bytes{1, 2, 3, 4}));
  }
}

TEST_CASE("an address inside an unknown payload is replaced as outside", "[redact]") {
  Bytes packet = ip_packet();
  std::copy(client.begin(), client.end(), packet.begin() + 28 + 5);
  const auto copy = redacted(101, packet);
  CHECK_FALSE(holds(copy, client));
  CHECK(std::equal(copy.begin() + 12, copy.begin() + 16, copy.begin() + 28 + 5));
}

TEST_CASE("802.11 frames without data keep the addresses' pseudonyms alone", "[redact]") {
  const std::string name = "Alice's network";
  const Bytes ssid(name.begin(), name.end());
  const auto beacon = redacted(105, Bytes{0x80, 0, 0, 0} + Bytes(6, 0xff) + point + point + Bytes{0, 0} + Bytes(12, 0) + Bytes{0, 15} + ssid);
  CHECK(beacon.size() == 24);
  CHECK(std::count(beacon.begin() + 4, beacon.begin() + 10, 0xff) == 6);
  const auto acknowledgement = redacted(105, Bytes{0xd4, 0, 0, 0} + station + Bytes{9, 9, 9, 9});   // its check sequence tells the address
  CHECK(acknowledgement.size() == 10);
  const auto secret = redacted(105, wifi(Bytes(60, 0x5a), 0x41));
  CHECK(secret.size() == 24);
  for (const auto& frame : {beacon, acknowledgement, secret}) {
    CHECK_FALSE(holds(frame, station));
    CHECK_FALSE(holds(frame, point));
  }
}

TEST_CASE("of programs' names only those of known applications stay", "[redact]") {
  const auto owner = [](const std::string& program) { return decoded(258, redacted(258, pktap(program) + ip_packet()), 156 + 88).at(0).owner; };
  CHECK(owner("WhatsApp") == "WhatsApp");
  CHECK(owner("alices-own-tool").empty());
}
