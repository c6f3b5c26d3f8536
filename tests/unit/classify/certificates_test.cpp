// Names out of certificates that are made here, element by element.
#include "classify/protocols/certificates.hpp"
#include "classify_support.hpp"

#include <string>

using namespace callwitness;
using namespace callwitness::classify;
using classify::test::Buffer;
using classify::test::endpoint;
using classify::test::Wire;

namespace {

Buffer operator+(Buffer a, const Buffer& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
Buffer element(std::uint8_t tag, const Buffer& value) {
  if (value.size() < 128) return Buffer{tag, static_cast<std::uint8_t>(value.size())} + value;
  return Buffer{tag, 0x82, static_cast<std::uint8_t>(value.size() >> 8), static_cast<std::uint8_t>(value.size())} + value;
}
Buffer text(const std::string& value) { return {value.begin(), value.end()}; }
Buffer name(const std::string& common) {
  return element(0x30, element(0x31, element(0x30, element(0x06, {0x55, 0x04, 0x03}) + element(0x0c, text(common)))));
}

/// The fields of RFC 5280 4.1 in their order, those that don't matter empty.
Buffer certificate(const std::string& common, const std::vector<std::string>& alternatives) {
  Buffer names;
  for (const auto& each : alternatives) names = names + element(0x82, text(each));
  Buffer body = element(0xa0, element(0x02, {2})) + element(0x02, {7}) + element(0x30, {}) + name("viber.com") /* the issuer's: never ours */ +
                element(0x30, {}) + name(common) + element(0x30, Buffer(80, 9));
  const Buffer constraints = element(0x30, element(0x06, {0x55, 0x1d, 0x13}) + element(0x01, {0xff}) + element(0x04, element(0x30, {})));
  if (!names.empty())
    body = body + element(0xa3, element(0x30, constraints + element(0x30, element(0x06, {0x55, 0x1d, 0x11}) + element(0x04, element(0x30, names)))));
  return element(0x30, element(0x30, body) + element(0x30, {}) + element(0x03, Buffer(20, 1)));
}

Buffer u24(std::size_t value) { return {static_cast<std::uint8_t>(value >> 16), static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)}; }

/// A Certificate message's body with a certificate authority's own behind the server's.
Buffer message_body(const Buffer& own) {
  const Buffer authority = certificate("zoom.us", {"zoom.us"});
  const Buffer list = u24(own.size()) + own + u24(authority.size()) + authority;
  return u24(list.size()) + list;
}

Buffer tls_flight(const Buffer& own) {
  const Buffer hello = Buffer{2} + u24(70) + Buffer(70, 5), body = message_body(own);
  const Buffer messages = hello + Buffer{11} + u24(body.size()) + body;
  return Buffer{22, 3, 3, static_cast<std::uint8_t>(messages.size() >> 8), static_cast<std::uint8_t>(messages.size())} + messages;
}

Buffer dtls_fragment(const Buffer& body, std::size_t from, std::size_t to) {
  const Buffer piece(body.begin() + static_cast<std::ptrdiff_t>(from), body.begin() + static_cast<std::ptrdiff_t>(to));
  const Buffer message = Buffer{11} + u24(body.size()) + Buffer{0, 2} + u24(from) + u24(piece.size()) + piece;
  return Buffer{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, static_cast<std::uint8_t>(message.size() >> 8), static_cast<std::uint8_t>(message.size())} + message;
}

const Endpoint client = endpoint("192.168.1.2", 50'000), server = endpoint("198.51.100.7", 443), media = endpoint("198.51.100.7", 50'001);

Label label_after_tls(const Buffer& flight, std::size_t segment_size, bool reversed = false) {
  Wire wire;
  std::vector<std::pair<std::uint32_t, Buffer>> segments;
  for (std::size_t at = 0; at < flight.size(); at += segment_size) {
    const auto end = std::min(flight.size(), at + segment_size);
    segments.emplace_back(1000 + static_cast<std::uint32_t>(at), Buffer(flight.begin() + static_cast<std::ptrdiff_t>(at), flight.begin() + static_cast<std::ptrdiff_t>(end)));
  }
  if (reversed) std::reverse(segments.begin(), segments.end());
  double at_ms = 10;
  wire.tcp(0, client, server, {}, Buffer(40, 0x15));
  for (const auto& [sequence, bytes] : segments) {
    capture::TcpSegment segment;
    segment.flags = 16;
    segment.sequence = sequence;
    wire.tcp(at_ms += 1, server, client, segment, bytes, 52);
  }
  return wire.finish().flows.at(0).label;
}

}  // namespace

TEST_CASE("a certificate's names: the alternatives, else the common name, never the issuer's", "[classify]") {
  CHECK(certificate_names(certificate("x", {"*.Discord.gg", "discord.gg"})) == std::vector<std::string>{"discord.gg", "discord.gg"});
  CHECK(certificate_names(certificate("cget.tango.me", {})) == std::vector<std::string>{"cget.tango.me"});
  CHECK(certificate_names(Buffer(300, 0x30)).empty());
}

TEST_CASE("a certificate that several services share names none of them", "[classify]") {
  CHECK(application_of_certificate({"whatsapp.net", "wa.me"}) == "whatsapp");
  CHECK(application_of_certificate({"messenger.com", "facebook.com"}).empty());
  CHECK(application_of_certificate({"messenger.com", "whatsapp.com"}).empty());
  CHECK(application_of_certificate({"example.org"}).empty());
  CHECK(application_of_certificate({}).empty());
}

TEST_CASE("a certificate cut or changed anywhere is survived", "[classify][property]") {
  const Buffer whole = certificate("x", {"tango.me", "www.tango.me"});
  for (std::size_t cut = 0; cut < whole.size(); ++cut) certificate_names(Bytes(whole).first(cut));
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const int value : {0, 0x7f, 0x80, 0x82, 0x84, 0xff}) {
      Buffer changed = whole;
      changed[at] = static_cast<std::uint8_t>(value);
      for (const auto& each : certificate_names(changed)) CHECK(each.size() <= 253);
    }
  }
}

TEST_CASE("a flow without a name takes its server's certificate's", "[classify]") {
  const Buffer flight = tls_flight(certificate("x", {"*.viber.com", "viber.com"}));
  for (const std::size_t segment : {std::size_t{40}, std::size_t{200}, std::size_t{4000}}) {
    const Label label = label_after_tls(flight, segment);
    CHECK(label.application == "viber");
    CHECK(label.basis == Basis::name);
    CHECK(label.confidence == Approx(0.85));
  }
  CHECK(label_after_tls(tls_flight(certificate("x", {"viber.com", "example.org"})), 200).application.empty());
  CHECK(label_after_tls(flight, 200, true).application.empty());   // a hole: nothing is guessed
}

TEST_CASE("DTLS: the certificate comes in pieces, in any order and again", "[classify]") {
  const Buffer body = message_body(certificate("x", {"*.discord.media"}));
  Wire wire;
  wire.udp(0, client, media, Buffer{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0});
  wire.udp(20, media, client, dtls_fragment(body, 200, body.size()), 52);
  wire.udp(21, media, client, dtls_fragment(body, 100, 220), 52);
  wire.udp(22, media, client, dtls_fragment(body, 100, 220), 52);
  wire.udp(23, media, client, dtls_fragment(body, 0, 100), 52);
  CHECK(wire.finish().flows.at(0).label.application == "discord");
  Wire lacking;
  lacking.udp(0, client, media, Buffer{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0});
  lacking.udp(20, media, client, dtls_fragment(body, 0, 100), 52);
  lacking.udp(21, media, client, dtls_fragment(body, 110, body.size()), 52);
  CHECK(lacking.finish().flows.at(0).label.application != "discord");
}

TEST_CASE("a browser's own certificate names nobody", "[classify]") {
  const Buffer body = message_body(certificate("WebRTC", {}));
  Wire wire;
  wire.udp(0, client, media, Buffer{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0});
  wire.udp(20, media, client, dtls_fragment(body, 0, body.size()), 52);
  CHECK(wire.finish().flows.at(0).server_name.empty());
}
