// H.245, H.225.0, MGCP and Skinny: messages that are right, one bit off, and cut at every byte.
#include "classify/exchanges/h225.hpp"
#include "classify/exchanges/h323.hpp"
#include "classify/exchanges/mgcp.hpp"
#include "classify/exchanges/skinny.hpp"
#include "../../support/made_exchanges.hpp"
#include "classify_support.hpp"

#include <algorithm>
#include <random>
#include <string>

using namespace callwitness::classify;
using namespace callwitness::classify::test;
using namespace callwitness::made;

namespace {

const Endpoint here = endpoint("192.168.1.23", 40010), there = endpoint("203.0.113.77", 50020);

Bytes user_information(const Buffer& frame) { return Bytes(frame).subspan(18); }   // after TPKT, Q.931 and 0x05

Buffer wide(const Endpoint& end) {   // since version 17
  Buffer bytes = little({0});
  bytes.insert(bytes.end(), end.address.bytes.begin(), end.address.bytes.end());
  return joined({bytes, little({end.port})});
}
Buffer narrow(const Endpoint& end) {
  return joined({Buffer(end.address.bytes.begin(), end.address.bytes.begin() + 4), little({end.port})});
}

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
