// Recognisers on constructed flows: right, one bit off, cut at every byte. And on random ones: how often they are taken in.
// Over 400 lines: the made flows of all formats are one table, over which each property runs.
#include "classify/application.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <random>
#include <string>
#include <vector>

using namespace callwitness;
using namespace callwitness::classify;

namespace {

struct Made {
  FiveTuple five_tuple;
  std::vector<std::vector<std::uint8_t>> payloads;
  std::vector<Way> ways;

  Recognition look(std::size_t cut = 10'000) const {
    std::vector<StartPacket> packets;
    for (std::size_t i = 0; i < payloads.size() && i < FlowStart::packet_limit; ++i) {
      const Bytes whole(payloads[i]);
      packets.push_back({Time(std::chrono::milliseconds(20 * i)), ways[i], whole.first(std::min({whole.size(), cut, FlowStart::prefix_limit})),
                         static_cast<std::uint32_t>(whole.size())});
    }
    return recognise(FlowStart{five_tuple, packets});
  }
};

FiveTuple udp(std::uint16_t from, std::uint16_t to) {
  return {{capture::IpAddress::v4(0xc0a80002), from}, {capture::IpAddress::v4(0xcb007105), to}, capture::protocol::udp};
}
FiveTuple tcp(std::uint16_t from, std::uint16_t to) {
  auto tuple = udp(from, to);
  tuple.protocol = capture::protocol::tcp;
  return tuple;
}
std::vector<std::uint8_t> text(std::string_view s) { return {s.begin(), s.end()}; }
std::vector<std::uint8_t> filled(std::vector<std::uint8_t> head, std::size_t size, std::uint32_t seed) {
  std::mt19937 random(seed);
  while (head.size() < size) head.push_back(static_cast<std::uint8_t>(random()));
  return head;
}
void add(Made& made, std::vector<std::uint8_t> payload, Way way = Way::forward) {
  made.payloads.push_back(std::move(payload));
  made.ways.push_back(way);
}

Made teamspeak() {
  Made made{udp(50000, 9987), {}, {}};
  add(made, filled(text("TS3INIT1"), 34, 1));
  return made;
}
Made mumble() {
  Made made{udp(50000, 64738), {}, {}};
  for (std::uint8_t i = 0; i < 12; ++i) {
    add(made, filled({static_cast<std::uint8_t>(250 + i)}, 80, 10u + i));
    add(made, filled({static_cast<std::uint8_t>(7 + i)}, 80, 110u + i), Way::backward);
  }
  return made;
}
Made ventrilo() {
  Made made{tcp(50000, 3784), {}, {}};
  for (std::uint32_t i = 0; i < 4; ++i) add(made, filled({0x00, 0x4a}, 76, i), i % 2 == 0 ? Way::forward : Way::backward);
  return made;
}
Made skype() {
  Made made{udp(50000, 40000), {}, {}};
  add(made, filled({0x25, 0x7e, 0x02}, 44, 1));
  for (std::uint32_t i = 0; i < 12; ++i) {
    add(made, filled({static_cast<std::uint8_t>(37 * i), static_cast<std::uint8_t>(91 * i), static_cast<std::uint8_t>((i * 5 % 16) << 4 | 0x0d)}, 90, i));
  }
  return made;
}
Made viber() {
  Made made{udp(50000, 7985), {}, {}};
  add(made, filled({0xb5, 0x11, 3, 0}, 12, 1));
  add(made, filled({0x33, 0x2c, 9, 0}, 20, 2), Way::backward);
  return made;
}
Made zoom() {
  Made made{udp(50000, 8801), {}, {}};
  for (std::uint8_t i = 0; i < 4; ++i) {
    std::vector<std::uint8_t> p(27 + 12 + 40, 0);
    p[0] = 5; p[2] = i; p[8] = 15; p[18] = i; p[27] = 0x80; p[28] = 0x70; p[30] = i; p[38] = 1;
    add(made, p);
  }
  return made;
}
Made iax2() {
  Made made{udp(4569, 4569), {}, {}};
  for (std::uint8_t i = 0; i < 6; ++i) add(made, filled({0x51, 0x64, 0x08, static_cast<std::uint8_t>(0x0b + 20 * i)}, 164, i));
  return made;
}
Made wireguard() {
  Made made{udp(50000, 51820), {}, {}};
  add(made, filled({1, 0, 0, 0}, 148, 1));
  return made;
}
Made openvpn() {
  Made made{udp(50000, 1194), {}, {}};
  add(made, filled({0x38}, 42, 1));
  add(made, filled({0x40}, 54, 2), Way::backward);
  return made;
}
Made whatsapp() {
  Made made{udp(50000, 3478), {}, {}};
  add(made, filled({0, 3, 0, 0x6a, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x40, 0, 0, 0x66}, 126, 1));
  return made;
}
Made discord() {
  Made made{udp(50000, 50004), {}, {}};
  std::vector<std::uint8_t> p(74, 0);
  p[1] = 1; p[3] = 0x46;
  add(made, p);
  return made;
}
Made line() {
  Made made{udp(50000, 20000), {}, {}};
  for (std::uint8_t i = 0; i < 4; ++i) add(made, filled({0xd2, 0x19, 3, static_cast<std::uint8_t>(0x80 + i)}, 541, i));
  return made;
}
Made imo() {
  Made made{udp(50000, 20000), {}, {}};
  add(made, filled({9, 2}, 12, 1));
  add(made, filled({9, 3}, 12, 1), Way::backward);
  for (std::uint8_t i = 0; i < 8; ++i) add(made, filled({0x0d, 0, i}, 60, i));
  return made;
}
Made telegram() {
  Made made{udp(50000, 529), {}, {}};
  auto tag = filled({0x2f}, 16, 3);
  for (int i = 0; i < 12; ++i) tag.push_back(0xff);
  add(made, filled(tag, 40, 1));
  add(made, filled(tag, 64, 2), Way::backward);
  return made;
}
Made sip() {
  Made made{udp(5060, 5060), {}, {}};
  add(made, text("INVITE sip:bob@example.net SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1\r\n\r\n"));
  return made;
}
Made rtsp() {
  Made made{tcp(50000, 554), {}, {}};
  add(made, text("DESCRIBE rtsp://192.0.2.1/cam RTSP/1.0\r\nCSeq: 1\r\n\r\n"));
  return made;
}
Made mgcp() {
  Made made{udp(2727, 2427), {}, {}};
  add(made, text("CRCX 1204 aaln/1@rgw.example.net MGCP 1.0\r\nC: A3\r\n"));
  return made;
}
Made h323() {
  Made made{tcp(50000, 1720), {}, {}};
  add(made, filled({3, 0, 0, 60, 8, 2, 0, 1, 5}, 60, 1));
  return made;
}
Made skinny() {
  Made made{tcp(50000, 2000), {}, {}};
  for (std::uint32_t i = 0; i < 4; ++i) add(made, filled({4, 0, 0, 0, 0, 0, 0, 0, 0x81, 0, 0, 0}, 12, i));
  return made;
}
Made ipsec() {
  Made made{udp(500, 500), {}, {}};
  auto p = filled({}, 120, 4);
  p[17] = 0x20; p[24] = 0; p[25] = 0; p[26] = 0; p[27] = 120;
  add(made, p);
  return made;
}
Made webrtc() {
  Made made{udp(50000, 50001), {}, {}};
  add(made, filled({0, 1, 0, 0x50, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 6, 0, 9}, 100, 1));
  add(made, filled({22, 0xfe, 0xfd}, 160, 2));
  return made;
}

std::vector<std::uint8_t> rtp(std::uint8_t type, std::uint16_t number) {
  return filled({0x80, type, static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number), 0, 0, 3, 0xc0, 0, 0, 0, type}, 120, number);
}
Made signal() {
  Made made{udp(50000, 10000), {}, {}};
  add(made, filled({0, 1, 0, 0x50, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 6, 0, 9}, 100, 1));
  for (std::uint16_t i = 0; i < 6; ++i) add(made, rtp(102, i));
  return made;
}

Endpoint at(std::uint32_t address, std::uint16_t port) { return {capture::IpAddress::v4(address), port}; }
Made with_stun(FiveTuple tuple) {
  Made made{tuple, {}, {}};
  add(made, filled({0, 1, 0, 0x50, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 6, 0, 9}, 100, 1));
  add(made, filled({22, 0xfe, 0xfd}, 160, 2));
  return made;
}
Made google_meet() { return with_stun({at(0xc0a80002, 50000), at(0x4a7dfa10, 3478), capture::protocol::udp}); }
Made webex() { return with_stun({at(0xc0a80002, 50000), at(0xaa480010, 9000), capture::protocol::udp}); }
Made skype_teams() {
  Made made{udp(50000, 3478), {}, {}};
  add(made, filled({0, 1, 0, 0x50, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x80, 0x70, 0, 4}, 100, 1));
  return made;
}
Made facetime() {
  Made made{udp(16'385, 16'400), {}, {}};
  add(made, filled({0, 1, 0, 0, 0, 2}, 16, 1));
  return made;
}
Made snapchat() {
  Made made{udp(50000, 443), {}, {}};
  add(made, filled({0xc3, 'Q', '0', '4', '6', 0x50}, 1300, 1));
  for (std::uint8_t i = 0; i < 3; ++i) add(made, filled({0x80, 201, 0, 1, 0x87, 0x28, 0xa6, i}, 44, i));
  return made;
}
Made jitsi() { return with_stun(udp(50000, 10'000)); }
Made teamspeak_2() {
  Made made{udp(50000, 8767), {}, {}};
  for (std::uint32_t i = 0; i < 4; ++i) add(made, filled({static_cast<std::uint8_t>(i == 0 ? 0xf4 : 0xf2), 0xbe}, 100, i));
  return made;
}
Made mumble_ping() {
  Made made{udp(50000, 64738), {}, {}};
  add(made, {0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8});
  add(made, filled({0, 1, 4, 0, 1, 2, 3, 4, 5, 6, 7, 8}, 24, 1), Way::backward);
  return made;
}
Made ventrilo_udp() {
  Made made{udp(50000, 3784), {}, {}};
  add(made, filled({0, 0, 0, 0}, 108, 1));
  return made;
}
Made whatsapp_chat() {
  Made made{tcp(50000, 5222), {}, {}};
  add(made, {'E', 'D', 0, 1});
  add(made, {0, 0, 4, 8, 8, 9, 2});
  add(made, {'W', 'A', 5, 2, 0, 0, 0x25});
  return made;
}

/// Recognised by their names alone, or by the flow table's own eyes (rtp): nothing in their packets is claimed.
const std::set<std::string_view> without_format = {"tango", "messenger", "wechat", "rtp"};

Made rtp_only(FiveTuple tuple, std::uint8_t type) {
  Made made{tuple, {}, {}};
  for (std::uint16_t i = 0; i < 8; ++i) add(made, rtp(type, i));
  return made;
}
Made kakaotalk() { return rtp_only(udp(50000, 23'047), 108); }
Made teams_audio() { return rtp_only(udp(50000, 3479), 104); }
Made meet_by_port() { return with_stun(udp(50000, 19'305)); }

const std::map<std::string_view, Made (*)()> all = {
    {"teamspeak", teamspeak}, {"mumble", mumble}, {"ventrilo", ventrilo}, {"skype", skype}, {"viber", viber}, {"zoom", zoom}, {"iax2", iax2},
    {"wireguard", wireguard}, {"openvpn", openvpn}, {"whatsapp", whatsapp}, {"discord", discord}, {"line", line}, {"imo", imo}, {"telegram", telegram},
    {"sip", sip}, {"rtsp", rtsp}, {"mgcp", mgcp}, {"h323", h323}, {"skinny", skinny}, {"ipsec", ipsec}, {"webrtc", webrtc}, {"signal", signal},
    {"google_meet", google_meet}, {"webex", webex}, {"skype_teams", skype_teams}, {"facetime", facetime}, {"snapchat", snapchat}};
const std::pair<std::string_view, Made (*)()> further[] = {{"kakaotalk", kakaotalk}, {"skype_teams", teams_audio}, {"google_meet", meet_by_port}, {"jitsi", jitsi}, {"teamspeak", teamspeak_2}, {"mumble", mumble_ping}, {"ventrilo", ventrilo_udp}, {"whatsapp", whatsapp_chat}};

}  // namespace

TEST_CASE("each application is recognised by its own format") {
  for (const auto& [key, make] : all) {
    INFO(key);
    const auto said = make().look();
    REQUIRE(said.application);
    CHECK(said.application->key == key);
    CHECK(said.claim.confidence >= 0.7);
  }
  for (const auto& [key, make] : further) {
    INFO(key);
    const auto said = make().look();
    REQUIRE(said.application);
    CHECK(said.application->key == key);
    CHECK(said.claim.confidence >= 0.65);
  }
}

TEST_CASE("every application is in these tests, or has nothing but names") {
  for (const auto* application : applications()) {
    INFO(application->key);
    const bool made = all.contains(application->key) ||
                      std::any_of(std::begin(further), std::end(further), [&](const auto& each) { return each.first == application->key; });
    CHECK(made == (application->recognise != nullptr));
    CHECK(made != without_format.contains(application->key));
  }
}

TEST_CASE("what `callwitness apps` says of each application is so") {
  const auto parts = [](std::string_view list) {
    std::set<std::string_view> set;
    while (!list.empty()) {
      const auto end = std::min(list.find(','), list.size());
      set.insert(list.substr(0, end));
      list.remove_prefix(std::min(end + 1, list.size()));
    }
    return set;
  };
  const std::set<std::string_view> ways = {"format", "behaviour", "port", "name"}, measures = {"loss", "loss by cadence", "jitter", "rtt", "rate", "gaps"};
  for (const auto* application : applications()) {
    INFO(application->key);
    const auto told = parts(application->recognised_by), measured = parts(application->measures);
    CHECK(std::includes(ways.begin(), ways.end(), told.begin(), told.end()));
    CHECK(std::includes(measures.begin(), measures.end(), measured.begin(), measured.end()));
    CHECK_FALSE(told.empty());
    CHECK_FALSE(measured.empty());
    CHECK(application->name.size() <= 18);                                        // a name for headlines, not a description
    CHECK(application->name.find_first_of("(),;") == std::string_view::npos);
    CHECK_FALSE(application->checked_on.empty());
    if (!application->domains.empty()) CHECK(told.contains("name"));
    if (application->echo) CHECK(measured.contains("rtt"));
    CHECK((measured.contains("loss") && measured.contains("loss by cadence")) == false);
  }
}

TEST_CASE("a format that is cut at any byte is never taken for another application") {
  for (const auto& [key, make] : all) {
    const Made made = make();
    for (std::size_t cut = 0; cut < FlowStart::prefix_limit; ++cut) {
      const auto said = made.look(cut);
      INFO(key << " cut at " << cut);
      if (said.application && said.claim.confidence >= 0.7) CHECK(said.application->key == key);
    }
  }
  for (const auto& [key, make] : further) {
    for (std::size_t cut = 0; cut < FlowStart::prefix_limit; ++cut) {
      const auto said = make().look(cut);
      INFO(key << " cut at " << cut);
      if (said.application && said.claim.confidence >= 0.7) CHECK((said.application->key == key || said.application->key == "webrtc"));
    }
  }
}

TEST_CASE("one bit off in the telling bytes takes the format's claim away") {
  struct Flip {
    std::string_view key;
    std::size_t byte;
    std::uint8_t bit;
  };
  const Flip flips[] = {{"teamspeak", 0, 1}, {"wireguard", 1, 1}, {"discord", 3, 1}, {"sip", 0, 1}, {"rtsp", 0, 1}, {"mgcp", 0, 1},
                        {"h323", 0, 1}, {"whatsapp", 4, 1}, {"ventrilo", 1, 1}, {"line", 1, 1}, {"telegram", 20, 1}, {"ipsec", 27, 1},
                        {"skype", 2, 1}, {"zoom", 0, 1}, {"openvpn", 0, 8}, {"webrtc", 7, 1}, {"viber", 3, 1}, {"imo", 0, 1}, {"iax2", 0, 0x80}, {"skinny", 4, 1},
                        {"mumble", 0, 1}, {"signal", 0, 0x40}, {"skype_teams", 7, 1}, {"facetime", 5, 1}, {"snapchat", 0, 0x80}};
  for (const auto& flip : flips) {
    Made made = all.at(flip.key)();
    for (auto& payload : made.payloads) payload[flip.byte] ^= flip.bit;
    const auto said = made.look();
    INFO(flip.key);
    CHECK((!said.application || said.application->key != flip.key || said.claim.confidence < 0.9));
  }
}

TEST_CASE("random payloads on an application's own ports are not taken for it more often than its confidence allows", "[property]") {
  std::mt19937 random(11);
  constexpr int rounds = 1500;
  std::size_t asked = 0;
  for (const auto* application : applications()) {
    if (!application->recognise) continue;
    ++asked;
    std::map<double, int> claims;
    for (int round = 0; round < rounds; ++round) {
      const bool over_tcp = round % 3 == 0;
      Made made{over_tcp ? tcp(50000, 443) : udp(50000, 443), {}, {}};
      if (!application->ports.empty()) {
        const auto& range = application->ports[random() % application->ports.size()];
        made.five_tuple.destination.port = static_cast<std::uint16_t>(range.first + random() % (range.last - range.first + 1u));
      }
      const std::size_t count = 1 + random() % 32;
      for (std::size_t i = 0; i < count; ++i) add(made, filled({}, 1 + random() % 300, static_cast<std::uint32_t>(random())), random() % 2 ? Way::forward : Way::backward);
      std::vector<StartPacket> packets;
      for (std::size_t i = 0; i < made.payloads.size(); ++i) {
        const Bytes whole(made.payloads[i]);
        packets.push_back({Time(std::chrono::milliseconds(20 * i)), made.ways[i], whole.first(std::min(whole.size(), FlowStart::prefix_limit)), static_cast<std::uint32_t>(whole.size())});
      }
      const Claim claim = application->recognise(FlowStart{made.five_tuple, packets});
      if (claim.confidence > 0 && claim.basis != Basis::port) ++claims[claim.confidence];
    }
    for (const auto& [confidence, times] : claims) {
      INFO(application->key << " " << confidence << " " << times);
      CHECK(times <= (1 - confidence) * rounds);
    }
  }
  CHECK(asked + without_format.size() == applications().size());
}

TEST_CASE("RTP alone names nobody but on the ports and with the type of one", "[classify]") {
  for (const auto& [port, type] : {std::pair<std::uint16_t, std::uint8_t>{23'047, 111}, {40'000, 108}, {3479, 111}, {3479, 120}, {50'200, 120}, {50'004, 111}, {3478, 111}, {40'000, 104}, {19'305 + 10, 111}}) {
    INFO(port << " type " << int(type));
    const auto said = rtp_only(udp(41'000, port), type).look();
    CHECK((!said.application || said.claim.confidence < 0.5));
  }
}

TEST_CASE("a browser's call that shows no handshake after a reconnection is not taken for Signal") {
  Made made = signal();
  for (std::uint16_t i = 0; i < 6; ++i) add(made, rtp(111, i));
  const auto said = made.look();
  CHECK((!said.application || said.application->key != "signal"));
}

TEST_CASE("random payloads are claimed with half confidence less than once in a thousand flows") {
  std::mt19937 random(7);
  const std::uint16_t ports[] = {3784, 9987, 64738, 7985, 8801, 4569, 5060, 51820, 3478, 2000, 1720, 1194, 500, 4500, 554, 40000, 19305, 10000};
  int claimed = 0, flows = 0;
  for (int round = 0; round < 6000; ++round) {
    Made made{round % 4 == 0 ? tcp(50000, 40001) : udp(50000, 40001), {}, {}};
    made.five_tuple.destination.port = round % 2 == 0 ? ports[random() % std::size(ports)] : static_cast<std::uint16_t>(1024 + random() % 60000);
    const std::size_t count = 1 + random() % 32;
    for (std::size_t i = 0; i < count; ++i) add(made, filled({}, 1 + random() % 300, static_cast<std::uint32_t>(random())), random() % 2 ? Way::forward : Way::backward);
    ++flows;
    const auto said = made.look();
    const bool by_port = said.claim.basis == Basis::port;
    if (said.claim.confidence >= 0.5 && !by_port) {
      ++claimed;
      UNSCOPED_INFO(said.application->key << " port " << made.five_tuple.destination.port);
    }
  }
  CHECK(claimed * 1000 <= flows);
}

TEST_CASE("programs are known by package, process or what the telephone shows, and not by a part of another's name") {
  for (const auto& [owner, key] : std::map<std::string_view, std::string_view>{{"LINE", "line"}, {"jp.naver.line.android", "line"}, {"Signal", "signal"}, {"imo", "imo"},
           {"Meet", "google_meet"}, {"us.zoom.videomeetings", "zoom"}, {"Teams", "skype_teams"}, {"com.viber.voip", "viber"}, {"Tango", "tango"}, {"avconferenced", "facetime"}}) {
    INFO(owner);
    REQUIRE(application_of_owner(owner));
    CHECK(application_of_owner(owner)->key == key);
  }
  for (const std::string_view other : {"Headline", "Online Radio", "Signal Booster", "animo", "Meetup", "TeamsX", "org.mozilla.firefox", ""}) {
    INFO(other);
    CHECK_FALSE(application_of_owner(other));
  }
}

TEST_CASE("names are matched at label boundaries, the longest suffix first") {
  REQUIRE(application_of_name("www.teamspeak.com"));
  CHECK(application_of_name("www.teamspeak.com")->key == "teamspeak");
  CHECK(application_of_name("api.tango.me")->key == "tango");
  CHECK(application_of_name("API.SKYPE.COM")->key == "skype");
  CHECK(application_of_name("trouter.skype.com")->key == "skype_teams");
  CHECK(application_of_name("meet.google.com")->key == "google_meet");
  CHECK_FALSE(application_of_name("nottango.me"));
  CHECK_FALSE(application_of_name("tango.me.example"));
  CHECK_FALSE(application_of_name("mail.google.com"));
  CHECK_FALSE(application_of_name(""));
}

TEST_CASE("evidence is weighed: agreement adds, a name beats a shared format, the owner beats all") {
  Evidence evidence;
  evidence.recognition = {find_application("webrtc"), {0.7, Basis::format, Role::media}};
  CHECK(fuse(evidence).application == "webrtc");
  evidence.name_application = "messenger";
  CHECK(fuse(evidence).application == "messenger");
  evidence.recognition = {find_application("zoom"), {0.9, Basis::format, Role::media}};
  CHECK(fuse(evidence).application == "zoom");
  evidence.name_application = "zoom";
  CHECK(fuse(evidence).confidence > 0.98);
  evidence.owner = "com.viber.voip";
  CHECK(fuse(evidence).application == "viber");
  CHECK(fuse(evidence).basis == Basis::owner);
  CHECK(fuse(Evidence{}).application.empty());
}
