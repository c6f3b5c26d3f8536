#include "report/redact/network.hpp"
#include "report/redact/payload.hpp"
#include "report/redact/pseudonyms.hpp"
#include "report/redact/redactor.hpp"

#include <catch2/catch.hpp>


#include <random>
#include <set>
#include <string>

using namespace callwitness;
using report::Payload;

namespace {

// The key and addresses that the authors of Crypto-PAn published with their sample program.
constexpr report::RedactionKey sample_key{21, 34, 23,  141, 51, 164, 207, 128, 19, 10, 91, 22, 73, 144, 125, 16,
                                          216, 152, 143, 131, 121, 121, 101, 39, 98, 87, 76, 45, 42, 132, 34, 2};

std::vector<std::uint8_t> bytes_of(std::string_view text) { return {text.begin(), text.end()}; }
std::string text_of(const std::vector<std::uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

struct Bench {
  report::Pseudonyms pseudonyms{sample_key};
  report::Redactor::Summary summary;
  report::PayloadContext context(std::uint16_t source, std::uint16_t destination, bool tcp = false) {
    return {pseudonyms, summary, source, destination, tcp};
  }
};

std::string mapped(std::string_view address) {
  return report::Pseudonyms(sample_key).prefix_preserving(*capture::IpAddress::parse(address)).text();
}

int common_bits(const capture::IpAddress& a, const capture::IpAddress& b) {
  int bits = 0;
  while (bits < 128 && ((a.bytes[bits / 8] ^ b.bytes[bits / 8]) >> (7 - bits % 8) & 1) == 0) ++bits;
  return bits;
}

}  // namespace

TEST_CASE("Crypto-PAn gives its authors' sample results", "[redact]") {
  CHECK(mapped("128.11.68.132") == "135.242.180.132");
  CHECK(mapped("129.118.74.4") == "134.136.186.123");
  CHECK(mapped("130.132.252.244") == "133.68.164.234");
  CHECK(mapped("141.223.7.43") == "141.167.8.160");
}

TEST_CASE("addresses keep their kind and their common prefixes, and stay apart", "[redact]") {
  report::Pseudonyms pseudonyms(sample_key);
  std::mt19937 random(7);
  std::set<capture::IpAddress> seen;
  for (int i = 0; i < 2000; ++i) {
    const auto address = capture::IpAddress::v4(static_cast<std::uint32_t>(random()));
    const auto replaced = pseudonyms.address(address);
    CHECK(replaced.is_private() == address.is_private());
    CHECK(replaced.is_routable() == address.is_routable());
    seen.insert(replaced);
  }
  CHECK(seen.size() == 2000);
  const auto a = *capture::IpAddress::parse("192.168.7.9"), b = *capture::IpAddress::parse("192.168.7.12");
  CHECK(common_bits(pseudonyms.address(a), pseudonyms.address(b)) == common_bits(a, b));
  CHECK(pseudonyms.address(a).text().substr(0, 8) == "192.168.");
  CHECK(pseudonyms.address(*capture::IpAddress::parse("224.0.0.251")).text() == "224.0.0.251");
}

TEST_CASE("a voice service's servers stay in its network, and nobody else falls into it", "[redact]") {
  report::Pseudonyms pseudonyms(sample_key);
  std::set<std::string> hosts;
  for (const char* host : {"149.154.167.51", "149.154.167.52", "149.154.167.91"}) {
    const auto replaced = pseudonyms.address(*capture::IpAddress::parse(host)).text();
    CHECK(replaced.starts_with("149.154.167."));
    hosts.insert(replaced);
  }
  CHECK(hosts.size() == 3);
  CHECK(pseudonyms.address(*capture::IpAddress::parse("2001:4860:4864:5::81")).text().starts_with("2001:4860:4864:5:"));
  std::mt19937 random(3);
  for (int i = 0; i < 3000; ++i) {   // 17/8 is Apple's: one in 256 would fall into it
    const auto address = capture::IpAddress::v4(static_cast<std::uint32_t>(random()));
    if (address.bytes[0] != 17) CHECK(pseudonyms.address(address).bytes[0] != 17);
  }
}

TEST_CASE("a filter service's resolvers stay what they are, for who denied a name is judged by it", "[redact]") {
  report::Pseudonyms pseudonyms(sample_key);
  for (const std::string network : {"185.228.168.", "208.67.222.", "94.140.14.", "45.90.28."}) {
    std::set<std::string> hosts;
    for (int host = 0; host < 256; ++host) {
      const auto replaced = pseudonyms.address(*capture::IpAddress::parse(network + std::to_string(host))).text();
      CHECK(replaced.starts_with(network));
      hosts.insert(replaced);
    }
    CHECK(hosts.size() == 256);   // one to one, so that nobody else has room there
  }
  CHECK(pseudonyms.address(*capture::IpAddress::parse("2a10:50c0::bad1:ff")).text().starts_with("2a10:50c0:"));
  CHECK_FALSE(pseudonyms.address(*capture::IpAddress::parse("8.8.8.8")).text().starts_with("8.8.8."));
}

TEST_CASE("a DNS answer keeps its shape and loses its names and addresses", "[redact]") {
  // id, one question, one answer: alice.example A 198.51.100.7, the answer's name compressed
  std::vector<std::uint8_t> message{0x12, 0x34, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0, 5, 'a', 'l', 'i', 'c', 'e', 7, 'e',
                                    'x',  'a',  'm',  'p',  'l', 'e', 0, 0, 1, 0, 1, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60,
                                    0,    4,    198,  51,   100, 7};
  Bench bench;
  const auto size = message.size();
  CHECK(report::scrub_dns(message, bench.context(40000, 53)) == size);
  CHECK(text_of(message).find("alice") == std::string::npos);
  CHECK(text_of(message).find("example") == std::string::npos);
  CHECK(message[12] == 5);
  CHECK(message[18] == 7);
  const auto expected = bench.pseudonyms.address(*capture::IpAddress::parse("198.51.100.7"));
  CHECK(std::equal(message.end() - 4, message.end(), expected.bytes.begin()));
}

TEST_CASE("a SIP message keeps its length, its media and its dialog, not its people", "[redact]") {
  const std::string sdp =
      "v=0\r\no=alice 1 1 IN IP4 192.0.2.9\r\ns=Alice's phone\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
      "m=audio 40000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n";
  const std::string invite =
      "INVITE sip:bob@example.org SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK776asdhds\r\n"
      "From: \"Alice\" <sip:alice@192.0.2.9>;tag=1928301774\r\nTo: Bob <sip:bob@example.org>\r\n"
      "Call-ID: a84b4c76e66710@192.0.2.9\r\nCSeq: 314159 INVITE\r\nUser-Agent: Alice's softphone 1.0\r\n"
      "Contact: <sip:alice@192.0.2.9>\r\nContent-Type: application/sdp\r\nContent-Length: " +
      std::to_string(sdp.size()) + "\r\n\r\n" + sdp;
  auto bytes = bytes_of(invite);
  Bench bench;
  REQUIRE(report::scrub_sip(bytes, bench.context(5060, 5060)) == invite.size());
  const std::string scrubbed = text_of(bytes);
  CHECK(scrubbed.size() == invite.size());
  for (const char* secret : {"alice", "Alice", "bob", "Bob", "192.0.2.9", "example.org", "a84b4c76e66710"}) {
    CHECK(scrubbed.find(secret) == std::string::npos);
  }
  CHECK(scrubbed.find("m=audio 40000 RTP/AVP 8 101") != std::string::npos);
  CHECK(scrubbed.find("CSeq: 314159 INVITE") != std::string::npos);
  CHECK(scrubbed.find(bench.pseudonyms.address(*capture::IpAddress::parse("192.0.2.9")).text()) != std::string::npos);
  const auto blank = scrubbed.find("\r\n\r\n");
  CHECK(scrubbed.find("Content-Length: " + std::to_string(scrubbed.size() - blank - 4)) != std::string::npos);
}

TEST_CASE("of a SIP sign-in stays that it bore a proof, of an answer its code", "[redact]") {
  Bench bench;
  auto request = bytes_of("REGISTER sip:example.org SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\nFrom: <sip:alice@example.org>;tag=1\r\n"
                          "To: <sip:alice@example.org>\r\nCall-ID: 7@192.0.2.9\r\nCSeq: 2 REGISTER\r\n"
                          "Authorization: Digest username=\"alice\", realm=\"example\", nonce=\"1\", response=\"0123456789abcdef\"\r\nContent-Length: 0\r\n\r\n");
  REQUIRE(report::scrub_sip(request, bench.context(5060, 5060)) == request.size());
  CHECK(text_of(request).find("Authorization: ") != std::string::npos);
  for (const char* secret : {"alice", "Digest", "0123456789abcdef", "realm"}) CHECK(text_of(request).find(secret) == std::string::npos);
  auto answer = bytes_of("SIP/2.0 403 Alice may not\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\nFrom: <sip:alice@example.org>;tag=1\r\n"
                         "To: <sip:alice@example.org>;tag=2\r\nCall-ID: 7@192.0.2.9\r\nCSeq: 2 REGISTER\r\nServer: Alice's own server\r\nContent-Length: 0\r\n\r\n");
  REQUIRE(report::scrub_sip(answer, bench.context(5060, 5060)) == answer.size());
  CHECK(text_of(answer).starts_with("SIP/2.0 403 \r\n"));
}

TEST_CASE("voice is cut behind the RTP header, and equal packets stay equal", "[redact]") {
  Bench bench;
  std::vector<std::uint8_t> packet(172, 0xd5);
  packet[0] = 0x80;
  packet[1] = 8;
  auto again = packet, other = packet;
  other.back() = 1;
  CHECK(report::scrub_rtp(packet, bench.context(1, 2)) == 20);
  CHECK(report::scrub_rtp(again, bench.context(1, 2)) == 20);
  CHECK(report::scrub_rtp(other, bench.context(1, 2)) == 20);
  packet.resize(20);
  again.resize(20);
  other.resize(20);
  CHECK(packet == again);
  CHECK(packet != other);
}

TEST_CASE("a packet of padding alone stays one, and a long header extension keeps its length", "[redact]") {
  Bench bench;
  std::vector<std::uint8_t> padding(12 + 40, 0xee);
  padding[0] = 0xa0;
  padding[1] = 96;
  padding.back() = 40;
  CHECK(report::scrub_rtp(padding, bench.context(1, 2)) == 52);
  CHECK(padding[51] == 40);
  CHECK(padding[30] == 0);
  std::vector<std::uint8_t> extended(12 + 4 + 80 + 100, 0xcc);
  extended[0] = 0x90;
  extended[1] = 96;
  extended[14] = 0;
  extended[15] = 20;
  CHECK(report::scrub_rtp(extended, bench.context(1, 2)) == 12 + 4 + 8);
  CHECK(extended[15] == 20);
}

TEST_CASE("in a flow of an application's own format every packet keeps its counters", "[redact]") {
  // TeamSpeak: 8 bytes of MAC, the number, 2 bytes of client, the type. The MAC is random: here it looks like RTP, like
  // text and like TLS.
  metrics::Analysis analysis;
  classify::Flow flow;
  flow.five_tuple = {{capture::IpAddress::v4(0x0a000007), 40000}, {capture::IpAddress::v4(0xc000025b), 9987}, capture::protocol::udp};
  flow.label.application = "teamspeak";
  analysis.classification.flows.push_back(flow);
  analysis.classification.streams.emplace_back();
  const report::KnownFlows flows(analysis);
  Bench bench;
  auto context = bench.context(40000, 9987);
  context.flows = &flows;
  context.five_tuple = flow.five_tuple;
  std::set<std::string> digests;
  for (const std::string_view start : {"\x80\x08zzzzzz", "all text", "\x16\x03\x01\x01\x02zzz", "\x90\xc8\x01\x02zzzz"}) {
    auto packet = bytes_of(start);
    for (const int byte : {0x12, 0x34, 0, 7, 4}) packet.push_back(static_cast<std::uint8_t>(byte));   // number, client, type voice
    packet.resize(120, static_cast<std::uint8_t>(start[0]));
    const auto original = packet;
    const auto shown = report::scrub_payload(packet, context);
    REQUIRE(shown == 32);
    CHECK(std::equal(original.begin(), original.begin() + 13, packet.begin()));
    digests.insert(text_of(packet).substr(13, 19));
  }
  CHECK(digests.size() == 4);
}

TEST_CASE("segments of TLS that differ still differ, equal ones stay equal", "[redact]") {
  Bench bench;
  const auto shown_of = [&](std::uint8_t content) {
    std::vector<std::uint8_t> segment(5 + 60, content);
    segment[0] = 23;
    segment[1] = segment[2] = 3;
    segment[3] = 0;
    segment[4] = 60;
    segment.resize(report::scrub_payload(segment, bench.context(40000, 443, true)));
    return segment;
  };
  CHECK(shown_of(1) == shown_of(1));
  CHECK(shown_of(1) != shown_of(2));
  CHECK(shown_of(1).size() == 5 + 8);
}

TEST_CASE("a STUN response's mapped address is replaced under its mask", "[redact]") {
  // RFC 5769 2.2 style: success response with XOR-MAPPED-ADDRESS 192.0.2.1:32853 and SOFTWARE
  std::vector<std::uint8_t> message{1, 1, 0, 24, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
                                    0, 0x20, 0, 8, 0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43,
                                    0x80, 0x22, 0, 8, 'j', 'o', 'h', 'n', 's', ' ', 'p', 'c'};
  Bench bench;
  CHECK(report::scrub_stun(message, bench.context(3478, 40000)) == message.size());
  CHECK(text_of(message).find("johns") == std::string::npos);
  const auto expected = bench.pseudonyms.address(*capture::IpAddress::parse("192.0.2.1"));
  for (int i = 0; i < 4; ++i) CHECK((message[28 + i] ^ message[4 + i]) == expected.bytes[i]);
}

TEST_CASE("random frames of every link type never overrun and never grow", "[redact]") {
  std::mt19937 random(11);
  report::Redactor redactor(sample_key);
  std::vector<std::uint8_t> out;
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::uint8_t> frame(random() % 200);
    for (auto& byte : frame) byte = static_cast<std::uint8_t>(random());
    static constexpr int link_types[] = {1, 101, 0, 113, 276, 105, 12};
    const int link = link_types[random() % 7];
    if (frame.size() > 54) {   // often enough a valid beginning, so that the inner parsers are reached
      if (link == 1) { frame[12] = 8; frame[13] = 0; frame[14] = 0x45; frame[23] = random() % 2 ? 17 : 6; frame[20] = 0; frame[21] = 0; }
      if (link == 101) { frame[0] = 0x60; frame[6] = 17; }
      if (link == 1 && random() % 2) frame[37] = 53;
      if (link == 1 && random() % 3 == 0) { frame[42] = 0; frame[46] = 0x21; frame[47] = 0x12; frame[48] = 0xa4; frame[49] = 0x42; }
    }
    capture::Packet packet;
    packet.bytes = frame;
    packet.wire_length = static_cast<std::uint32_t>(frame.size());
    packet.link_type = static_cast<capture::LinkType>(link);
    redactor.redact(packet, out);
    REQUIRE(out.size() <= frame.size());
  }
}
