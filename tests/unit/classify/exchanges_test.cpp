// H.245, H.225.0, MGCP and Skinny: messages that are right, one bit off, and cut at every byte. Those of H.323 were
// encoded by tests/tables/made_exchanges.py, and tshark reads them as it is said here.
#include "classify/exchanges/h225.hpp"
#include "classify/exchanges/h323.hpp"
#include "classify/exchanges/mgcp.hpp"
#include "classify/exchanges/skinny.hpp"
#include "classify_support.hpp"

#include <algorithm>
#include <random>
#include <string>

using namespace callwitness::classify;
using namespace callwitness::classify::test;

namespace {

Buffer hex(std::string_view text) {
  Buffer bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) bytes.push_back(static_cast<std::uint8_t>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  return bytes;
}

const Endpoint here = endpoint("192.168.1.23", 40010), there = endpoint("203.0.113.77", 50020);

// Channel 101, G.711 µ-law, without an address; its Ack to `there`; with a dynamic type of 101.
constexpr auto opening = "030000640c6013800a04000100c0a801179c4b";
constexpr auto acknowledgement = "22c000640280101c0000cb00714dc36400cb00714dc365";
constexpr auto opening_dynamic = "030000640e180c4006060007b835010003e7ff801214400100c0a801179c4a00c0a801179c4b28";
constexpr auto opening_h261 = "030000080858000eff40000a10000200c0a801179c4a";
constexpr auto opening_h263 = "0300000808cc02340eff04000a10000200c0a801179c4a";
constexpr auto opening_h264 = "030000080a000d40000700088171000001010eff801214400200c0a801179c4a00c0a801179c4b68";
constexpr auto offer_to_receive = "400001060401004d6001801114000100c0a801179c4a00c0a801179c4b";   // fastStart: G.729
constexpr auto end_session = "4a40";
constexpr auto capabilities = "02000106000881750003";
// TPKT, Q.931, H.225.0: a gateway's setup with one fastStart, a connect with h245Address, a facility that tunnels two.
constexpr auto setup = "03000095080212340528026869a17e00840520b8060008914a00040240030061006e006e0061020034567288b50000120374657374400228700180"
                       "0800057369703a6d6500cb00714d06b800000102030405060708090a0b0c0d0e0f0031101100000102030405060708090a0b0c0d0e0f1f011d4000"
                       "01060401004c6013801114000100c0a801179c4a00c0a801179c4b02800100";
constexpr auto connect = "03000055080292340728026869a17e00440522c0060008914a000400cb00714d04d02280b500001203746573740000010203040506070809"
                         "0a0b0c0d0e0f011100000102030405060708090a0b0c0d0e0f02800100";
constexpr auto facility = "0300003d080212346228026869a17e002c052810010004c0018022020a0200010600088175000315030000060e0c022020800a04000100c0a801179c4b";
constexpr auto release = "03000032080212345a28026869a17e0021052580060008914a0004011100000102030405060708090a0b0c0d0e0f02800100";

Bytes user_information(const Buffer& frame) { return Bytes(frame).subspan(18); }   // after TPKT, Q.931 and 0x05

Buffer little(std::initializer_list<std::uint32_t> words) {
  Buffer bytes;
  for (const auto word : words) for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<std::uint8_t>(word >> shift));
  return bytes;
}
Buffer skinny(std::uint32_t version, std::uint32_t id, const Buffer& body) {
  Buffer message = little({static_cast<std::uint32_t>(body.size()) + 4, version, id});
  message.insert(message.end(), body.begin(), body.end());
  return message;
}
Buffer joined(std::initializer_list<Buffer> parts) {
  Buffer all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}
Buffer wide(const Endpoint& end) {   // since version 17
  Buffer bytes = little({0});
  bytes.insert(bytes.end(), end.address.bytes.begin(), end.address.bytes.end());
  return joined({bytes, little({end.port})});
}
Buffer narrow(const Endpoint& end) {
  return joined({Buffer(end.address.bytes.begin(), end.address.bytes.begin() + 4), little({end.port})});
}

const auto crcx = std::string("CRCX 1204 aaln/1@gw.example MGCP 1.0\r\nC: A3C4\r\nM: recvonly\r\n\r\nv=0\r\nc=IN IP4 203.0.113.77\r\nm=audio 50020 RTP/AVP 18\r\n");
Bytes bytes_of(const std::string& text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

/// Every cut and every flipped bit is survived, and no cut passes for the whole.
template <typename Parse>
void bend(const Buffer& whole, const Parse& parse) {
  REQUIRE(parse(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) CHECK(!parse(Buffer(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))));
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    Buffer bent = whole;
    bent[bit / 8] = static_cast<std::uint8_t>(bent[bit / 8] ^ 1 << bit % 8);
    parse(bent);
  }
}

}  // namespace

TEST_CASE("H.245's openings say channel, codec and, where they have it, the address", "[classify][exchanges]") {
  const auto open = parse_h245(hex(opening));
  REQUIRE(open);
  CHECK(open->channel == 101);
  CHECK(open->forward.endpoint.address.version == 0);
  CHECK(open->forward.kind == MediaKind::audio);
  REQUIRE(open->forward.format(0));
  CHECK(open->forward.format(0)->codec == "pcmu");
  const auto answer = parse_h245(hex(acknowledgement));
  REQUIRE(answer);
  CHECK(answer->kind == H245Message::Kind::acknowledged);
  CHECK(answer->channel == 101);
  CHECK(answer->forward.endpoint == there);
  const auto dynamic = parse_h245(hex(opening_dynamic));
  REQUIRE(dynamic);
  CHECK(dynamic->forward.endpoint == here);
  REQUIRE(dynamic->forward.format(101));
  CHECK(dynamic->forward.format(101)->codec.empty());   // G.722.1 by its object identifier, which isn't looked up
  const auto offer = parse_open_logical_channel(hex(offer_to_receive));
  REQUIRE(offer);
  CHECK(offer->forward.endpoint.address.version == 0);
  CHECK(offer->reverse.endpoint == here);
  CHECK(offer->reverse.format(18));
  CHECK(parse_h245(hex(end_session))->kind == H245Message::Kind::end_of_session);
  CHECK(!parse_h245(hex(capabilities)));
}

TEST_CASE("H.245's video", "[classify][exchanges]") {
  struct Case { std::string_view message; int type; std::string_view codec; };
  for (const auto& each : {Case{opening_h261, 31, "h261"}, Case{opening_h263, 34, "h263"}, Case{opening_h264, 109, "h264"}}) {
    const auto open = parse_h245(hex(each.message));
    REQUIRE(open);
    CHECK(open->channel == 9);
    CHECK(open->forward.kind == MediaKind::video);
    CHECK(open->forward.endpoint == here);
    REQUIRE(open->forward.format(each.type));
    CHECK(open->forward.format(each.type)->codec == each.codec);
    CHECK(open->forward.format(each.type)->clock_rate_hz == 90'000);
  }
}

TEST_CASE("H.225.0 carries where H.245 is spoken, fast connect and tunnelled H.245", "[classify][exchanges]") {
  const Buffer of_setup = hex(setup), of_connect = hex(connect), of_facility = hex(facility);   // what is parsed are views
  const auto begun = parse_h225(user_information(of_setup));
  CHECK(!begun.h245_address);
  REQUIRE(begun.fast_start.size() == 1);
  CHECK(parse_open_logical_channel(begun.fast_start[0])->reverse.endpoint == here);
  const auto connected = parse_h225(user_information(of_connect));
  REQUIRE(connected.h245_address);
  CHECK(*connected.h245_address == endpoint("203.0.113.77", 1232));
  const auto tunnel = parse_h225(user_information(of_facility));
  REQUIRE(tunnel.h245_control.size() == 2);
  CHECK(parse_h245(tunnel.h245_control[1])->channel == 7);
}

TEST_CASE("H.323 cut at every byte and one bit off", "[classify][exchanges][property]") {
  for (const auto* message : {opening, acknowledgement, opening_dynamic, opening_h261, opening_h263, opening_h264, end_session}) {
    bend(hex(message), [](const Buffer& bytes) { return parse_h245(bytes).has_value(); });
  }
  bend(hex(offer_to_receive), [](const Buffer& bytes) { return parse_open_logical_channel(bytes).has_value(); });
  for (const auto* message : {setup, connect, facility, release}) {
    const Buffer frame = hex(message);
    CHECK(looks_like_tpkt(frame, false));
    CHECK(tpkt_size(frame) == frame.size());
    bend(frame, [&](const Buffer& bytes) {
      Dialogs dialogs;
      H323Exchange exchange(dialogs);
      exchange.on_frame(bytes, Flow{}, here, there, Time{});
      if (bytes.size() > 18) parse_h225(user_information(bytes));
      return bytes.size() == frame.size();
    });
  }
  Buffer other = hex(opening);
  other[0] ^= 7;   // closeLogicalChannel
  CHECK(!parse_h245(other));
  Buffer version_two = hex(setup), other_protocol = hex(setup);
  version_two[0] = 2;
  other_protocol[4] = 9;
  CHECK(!looks_like_tpkt(version_two, true));
  CHECK(!looks_like_tpkt(other_protocol, false));
}

TEST_CASE("random bytes are no opening of H.245 with an address more often than once in a thousand", "[classify][exchanges][property]") {
  std::mt19937 random(5);
  int taken = 0;
  for (int round = 0; round < 50'000; ++round) {
    Buffer bytes(random() % 200);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    const auto message = parse_h245(bytes);
    taken += message && (message->forward.endpoint.port != 0 || message->reverse.endpoint.port != 0);
    parse_h225(bytes);
    parse_open_logical_channel(bytes);
    parse_skinny(bytes);
    parse_mgcp({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  CHECK(taken < 50);
}

TEST_CASE("Skinny's media messages, before version 17 and since", "[classify][exchanges]") {
  for (const std::uint32_t version : {0u, 11u, 20u}) {
    const auto where = [&](const Endpoint& end) { return version >= 17 ? wide(end) : narrow(end); };
    const auto start = parse_skinny(skinny(version, 0x8a, joined({little({7, 8}), where(there), little({20, 11, 184, 0, 0, 0, 9})})));
    REQUIRE(start);
    CHECK(start->kind == SkinnyMessage::Kind::start_transmission);
    CHECK(start->conference == 7);
    CHECK(start->party == 8);
    CHECK(start->call_reference == 9u);
    CHECK(start->media.endpoint == there);
    CHECK(start->media.packet_time_ms == 20);
    CHECK(start->media.format(18));
    const auto opened = parse_skinny(skinny(version, 0x22, joined({little({0}), where(here), little({8})})));
    REQUIRE(opened);
    CHECK(opened->media.endpoint == here);
    CHECK(!opened->call_reference);
    CHECK(!parse_skinny(skinny(version, 0x22, joined({little({1}), where(here), little({8})}))));   // it could not
    CHECK(!parse_skinny(skinny(version, 0x8c, joined({little({7, 8}), where(there), little({20, 11, 184, 0, 0, 0, 9})}))));
  }
  bend(skinny(20, 0x8a, joined({little({7, 8}), wide(there), little({20, 11, 184, 0, 0, 0, 9})})), [](const Buffer& bytes) { return parse_skinny(bytes).has_value(); });
  bend(skinny(0, 0x105, little({7, 8, 20, 4, 0, 0})), [](const Buffer& bytes) { return parse_skinny(bytes).has_value(); });
  CHECK(!looks_like_skinny(skinny(9, 0x8a, little({7, 8}))));   // no such version
}

TEST_CASE("MGCP's commands and answers", "[classify][exchanges]") {
  const auto command = parse_mgcp(crcx);
  REQUIRE(command);
  CHECK(command->verb == "CRCX");
  CHECK(command->transaction == 1204);
  CHECK(command->call_id == "A3C4");
  REQUIRE(parse_sdp(command->body).size() == 1);
  CHECK(looks_like_mgcp(bytes_of(crcx)));
  const auto answer = parse_mgcp("200 1204 OK\nI: FDE\n\nv=0\n");
  REQUIRE(answer);
  CHECK(answer->code == 200);
  CHECK(answer->body == "v=0\n");
  std::string other = crcx;
  other[3] = 'Y';
  CHECK(!parse_mgcp(other));
  CHECK(!looks_like_mgcp(bytes_of(other)));
  for (std::size_t size = 0; size <= crcx.size(); ++size) {
    const auto cut = crcx.substr(0, size);
    Dialogs dialogs;
    MgcpExchange exchange(dialogs);
    exchange.on_datagram(bytes_of(cut), Flow{}, there, here, Time{});
    CHECK(dialogs.announced(there) == (size >= crcx.find("50020") + 5));
  }
}

TEST_CASE("H.245 is known on whatever port it is spoken, its header in a segment of its own or not", "[classify][exchanges]") {
  Wire wire;
  const Endpoint client = endpoint("192.168.1.23", 32804), server = endpoint("203.0.113.77", 1232);
  callwitness::capture::TcpSegment segment;
  segment.flags = 24;
  const auto send = [&](double at, const Buffer& message) {
    Buffer frame{3, 0, 0, static_cast<std::uint8_t>(message.size() + 4)};
    frame.insert(frame.end(), message.begin(), message.end());
    wire.tcp(at, client, server, segment, frame);
    segment.sequence += static_cast<std::uint32_t>(frame.size());
  };
  send(0, hex(capabilities));
  Buffer offer = hex(opening_dynamic);
  send(10, offer);
  call(wire, 100, here, there, 100'000, 50, 101);
  const auto& result = wire.finish();
  REQUIRE(result.calls.size() == 1);
  CHECK(result.calls[0].label.application == "h323");
  CHECK(result.calls[0].label.confidence == 0.97);
  CHECK(std::any_of(result.flows.begin(), result.flows.end(), [&](const Flow& flow) { return flow.five_tuple.source == client && flow.label.application == "h323"; }));
}

TEST_CASE("an address that many calls name joins none", "[classify][exchanges]") {
  Dialogs dialogs;
  const auto first = dialogs.open(" skinny/1", Signalling::skinny, FlowId{1}, Time{}), second = dialogs.open(" skinny/2", Signalling::skinny, FlowId{2}, Time{});
  REQUIRE((first && second));
  for (const auto* common : {"0.0.0.0", "239.1.1.1"}) {
    SdpMedia media;
    media.endpoint = endpoint(common, 4000);
    dialogs.add(*first, media, Time{});
    dialogs.add(*second, media, Time{});
    CHECK_FALSE(dialogs.announced(media.endpoint));
  }
  CHECK(dialogs.leading(*second) == *second);
  SdpMedia media;
  media.endpoint = there;
  dialogs.add(*first, media, Time{});
  dialogs.add(*second, media, Time{});
  CHECK(dialogs.leading(*second) == *first);
}

TEST_CASE("two legs of one Skinny call are one call, which ends as it says", "[classify][exchanges]") {
  Wire wire;
  const Endpoint manager = endpoint("198.51.100.5", 2000), first = endpoint("192.168.1.23", 50001), second = endpoint("203.0.113.77", 50002);
  callwitness::capture::TcpSegment to_first, to_second, from_first, from_second;
  for (auto* segment : {&to_first, &to_second, &from_first, &from_second}) segment->flags = 16;
  const auto send = [&](double at, const Endpoint& from, const Endpoint& to, callwitness::capture::TcpSegment& segment, const Buffer& message) {
    wire.tcp(at, from, to, segment, message);
    segment.sequence += static_cast<std::uint32_t>(message.size());
  };
  const auto legs = [&](double at, std::uint32_t one, std::uint32_t other, const Endpoint& a, const Endpoint& b) {
    send(at, manager, first, to_first, skinny(20, 0x105, little({one, one, 20, 4, 0, 0, one})));
    send(at + 1, manager, second, to_second, skinny(20, 0x105, little({other, other, 20, 4, 0, 0, other})));
    send(at + 2, first, manager, from_first, skinny(20, 0x22, joined({little({0}), wide(a), little({one, one})})));
    send(at + 3, second, manager, from_second, skinny(20, 0x22, joined({little({0}), wide(b), little({other, other})})));
    send(at + 4, manager, first, to_first, skinny(20, 0x8a, joined({little({one, one}), wide(b), little({20, 4, 0, 0, 0, 0, one})})));
    send(at + 5, manager, second, to_second, skinny(20, 0x8a, joined({little({other, other}), wide(a), little({20, 4, 0, 0, 0, 0, other})})));
  };
  legs(0, 1, 2, here, there);
  call(wire, 100, here, there, 100'000, 50);
  send(1200, manager, first, to_first, joined({skinny(20, 0x106, little({1, 1, 1})), skinny(20, 0x8b, little({1, 1, 1}))}));
  send(1201, manager, second, to_second, joined({skinny(20, 0x106, little({2, 2, 2})), skinny(20, 0x8b, little({2, 2, 2}))}));
  legs(5000, 3, 4, endpoint("192.168.1.23", 40012), there);
  call(wire, 5100, endpoint("192.168.1.23", 40012), there, 200'000, 50);
  const auto& result = wire.finish();
  REQUIRE(result.calls.size() == 2);
  CHECK(result.calls[0].signalling == Signalling::skinny);
  CHECK(result.calls[0].label.confidence == 0.97);
  CHECK(result.calls[0].ended_by == Ending::bye);
  CHECK(result.calls[0].end_time - result.calls[0].start_time == std::chrono::milliseconds(1100));
  CHECK(result.calls[0].flows.size() == 3);   // media and both telephones' connections
  CHECK(result.calls[1].ended_by != Ending::bye);
  for (const auto& stream : result.streams) CHECK(stream.packet_time_ms == 20);
}
