// What a segment or a fragment cuts anywhere: frames of media in TCP, SIP over several segments, datagrams in IP fragments; and
// MGCP and IKE, whose datagrams keep what they are told by.
#include "classify/exchanges/mgcp.hpp"
#include "report/redact/frames.hpp"
#include "report/redact/payload.hpp"
#include "report/redact/pseudonyms.hpp"
#include "report/redact/wholes.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>

using namespace callwitness;
using report::Payload;

namespace {

using Bytes = std::vector<std::uint8_t>;

struct Bench {
  report::RedactionKey key{1, 2, 3};
  report::Pseudonyms pseudonyms{key};
  report::Redactor::Summary summary;
  report::PayloadContext context(std::uint16_t source, std::uint16_t destination, bool tcp) { return {pseudonyms, summary, source, destination, tcp}; }
};

Bytes bytes_of(const std::string& text) { return {text.begin(), text.end()}; }
std::string text_of(const Bytes& bytes) { return {bytes.begin(), bytes.end()}; }

/// ChannelData (RFC 8656 12.4) or, `prefixed`, RFC 4571, each around an RTP packet whose media says "secret".
Bytes framed(int count, bool prefixed) {
  Bytes stream;
  if (prefixed) {   // the first is a STUN message, by whose cookie the framing is told
    const Bytes stun{0, 20, 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    stream = stun;
  }
  for (int i = 0; i < count; ++i) {
    Bytes rtp{0x80, 0, 0, static_cast<std::uint8_t>(i), 0, 0, 0, static_cast<std::uint8_t>(i), 0xab, 0xcd, 0xef, 1};
    const std::string media = "secret secret secret secret secret secret!" + std::string(static_cast<std::size_t>(i % 4), '.');
    rtp.insert(rtp.end(), media.begin(), media.end());
    if (!prefixed) stream.insert(stream.end(), {0x40, 1});
    stream.push_back(0);
    stream.push_back(static_cast<std::uint8_t>(rtp.size()));
    stream.insert(stream.end(), rtp.begin(), rtp.end());
    if (!prefixed) stream.resize((stream.size() + 3) / 4 * 4);
  }
  return stream;
}

}  // namespace

TEST_CASE("frames in TCP keep their lengths and headers, wherever segments cut them", "[redact]") {
  for (const bool prefixed : {false, true}) {
    for (const std::size_t cut : {7, 31, 64, 201, 5'000}) {
      Bench bench;
      report::FramedStreams frames;
      const Bytes original = framed(20, prefixed);
      Bytes copy = original;
      std::uint32_t sequence = 0xffffff00;                      // wraps
      for (std::size_t at = 0; at < copy.size();) {
        const std::size_t size = std::min(at == 0 ? std::max<std::size_t>(cut, 22) : cut, copy.size() - at);
        const Payload segment = Payload(copy).subspan(at, size);
        CHECK(frames.scrub(segment, sequence, bench.context(3478, 40'000, true)) == size);
        sequence += static_cast<std::uint32_t>(size);
        at += size;
      }
      INFO("segments of " << cut << (prefixed ? ", RFC 4571" : ", ChannelData"));
      CHECK(text_of(copy).find("secre") == std::string::npos);
      std::size_t at = prefixed ? 22 : 0;
      for (int i = 0; i < 20; ++i) {
        const std::size_t header = prefixed ? 2 : 4, length = copy[at + header - 1];
        CHECK(std::equal(copy.begin() + static_cast<std::ptrdiff_t>(at), copy.begin() + static_cast<std::ptrdiff_t>(at + header), original.begin() + static_cast<std::ptrdiff_t>(at)));
        if (cut >= 5'000) CHECK(copy[at + header + 3] == i);       // the number, where the frame is in one segment
        at += header + length;
        if (!prefixed) at = (at + 3) / 4 * 4;
      }
      CHECK(at == copy.size());
    }
  }
}

TEST_CASE("a SIP message over several segments is rewritten whole", "[redact]") {
  const std::string body = "v=0\r\no=alice 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 107\r\na=rtpmap:107 opus/48000/2\r\n";
  const std::string message = "INVITE sip:bob@example.org SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKabcdef\r\nFrom: <sip:alice@example.org>;tag=1\r\nTo: <sip:bob@example.org>\r\n"
                              "Call-ID: private-call-identity@example.org\r\nCSeq: 1 INVITE\r\nContent-Type: application/sdp\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  for (const std::size_t cut : {50, 200, 333, 2'000}) {
    Bench bench;
    report::Wholes wholes;
    capture::FiveTuple tuple;
    tuple.source = {*capture::IpAddress::parse("192.0.2.1"), 5'090};
    tuple.destination = {*capture::IpAddress::parse("198.51.100.2"), 5'060};
    const auto context = bench.context(5'090, 5'060, true);
    const auto rewrite = [&](Payload whole) { REQUIRE(report::scrub_sip(whole, context) == whole.size()); };
    const Bytes twice = bytes_of(message + "\r\n\r\n" + message);
    std::string copy;
    for (const bool gathering : {true, false}) {
      if (!gathering) wholes.hand_out();
      for (std::size_t at = 0; at < twice.size(); at += cut) {
        Bytes segment(twice.begin() + static_cast<std::ptrdiff_t>(at), twice.begin() + static_cast<std::ptrdiff_t>(std::min(at + cut, twice.size())));
        CHECK(wholes.segment(tuple, 1'000 + static_cast<std::uint32_t>(at), segment, rewrite) == !gathering);
        if (!gathering) copy += text_of(segment);
      }
    }
    CHECK(copy.size() == twice.size());
    CHECK(copy.find("alice") == std::string::npos);
    CHECK(copy.find("private-call") == std::string::npos);
    CHECK(copy.find("a=rtpmap:107 opus/48000/2") != std::string::npos);
    CHECK(copy.rfind("INVITE ") == message.size() + 4);
  }
}

TEST_CASE("fragments get their part of the rewritten datagram; an identification that comes again another's", "[redact]") {
  report::Wholes wholes;
  const report::Wholes::FragmentKey key{*capture::IpAddress::parse("192.0.2.1"), *capture::IpAddress::parse("198.51.100.2"), 17, 7};
  const auto rewrite = [](Payload whole) { std::transform(whole.begin(), whole.end(), whole.begin(), [](std::uint8_t b) { return static_cast<std::uint8_t>(b + 1); }); };
  const std::vector<std::string> datagrams = {"aaaaaaaabbbbbbbbcc", "ddddddddeeeeeeeeff"};
  std::string copy;
  for (const bool gathering : {true, false}) {
    if (!gathering) wholes.hand_out();
    for (const auto& datagram : datagrams) {
      for (const std::size_t at : {std::size_t{8}, std::size_t{16}, std::size_t{0}}) {    // in any order
        Bytes piece = bytes_of(datagram.substr(at, 8));
        CHECK(wholes.fragment(key, {at, at == 16}, piece, rewrite) == !gathering);
        if (!gathering) copy += text_of(piece);
      }
    }
    Bytes alone = bytes_of("gggggggg");                          // the rest never comes: as before
    CHECK_FALSE(wholes.fragment(key, {0, false}, alone, rewrite));
  }
  CHECK(copy == "ccccccccddbbbbbbbbffffffffggeeeeeeee");
}

TEST_CASE("MGCP keeps its dialogs and media and loses its names", "[redact]") {
  Bench bench;
  const std::string command = "CRCX 1204 aaln/1@gateway.example.net MGCP 1.0\r\nC: A3C47F21456789F0\r\nL: p:10, a:PCMU\r\nM: recvonly\r\nX: someone\r\n\r\n"
                              "v=0\r\no=- 25678 753849 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\nm=audio 3456 RTP/AVP 0\r\n";
  Bytes copy = bytes_of(command);
  REQUIRE(report::scrub_payload(copy, bench.context(2'727, 2'427, false)) == command.size());
  const auto text = text_of(copy);
  CHECK(text.find("gateway") == std::string::npos);
  CHECK(text.find("A3C47F21456789F0") == std::string::npos);
  CHECK(text.find("192.0.2.7") == std::string::npos);
  const auto parsed = classify::parse_mgcp(text);
  REQUIRE(parsed);
  CHECK(parsed->verb == "CRCX");
  CHECK(parsed->transaction == 1'204);
  CHECK_FALSE(parsed->call_id.empty());
  CHECK(parsed->body.find("m=audio 3456 RTP/AVP 0") != std::string::npos);
}

TEST_CASE("IKE keeps its header alone, on both its ports", "[redact]") {
  for (const std::uint16_t port : std::initializer_list<std::uint16_t>{500, 4'500}) {
    Bench bench;
    const std::size_t before = port == 4'500 ? 4 : 0;
    Bytes message(before, 0);
    for (std::uint8_t i = 1; i <= 16; ++i) message.push_back(i);
    const Bytes rest{0x21, 0x20, 0x22, 0x08, 0, 0, 0, 0, 0, 0, 0, 200};
    message.insert(message.end(), rest.begin(), rest.end());
    const std::string identity = "somebody@example.org";
    message.insert(message.end(), identity.begin(), identity.end());
    message.resize(before + 200, 0x55);
    const Bytes original = message;
    const auto shown = report::scrub_payload(message, bench.context(port, port, false));
    CHECK(shown == before + 28 + report::digest_length);
    CHECK(std::equal(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(before + 28), original.begin()));
    CHECK(text_of(message).substr(0, shown).find("some") == std::string::npos);
  }
}
