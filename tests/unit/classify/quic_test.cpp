// QUIC's first flight: the keys of the RFCs' own examples, and packets sealed here with OpenSSL by the other half of the rules.
#include "classify/names.hpp"
#include "classify/protocols/quic.hpp"

#include <catch2/catch.hpp>
#include <openssl/evp.h>

#include <algorithm>
#include <random>
#include <string>

using namespace callwitness::classify;

namespace {

using Octets = std::vector<std::uint8_t>;

const Octets connection_id = {0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08};   // of RFC 9001 A and RFC 9369 A

template <class Range>
std::string hex(const Range& bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

/// A ClientHello's handshake message that asks for `name`.
Octets client_hello(const std::string& name) {
  const auto size = static_cast<std::uint8_t>(name.size());
  Octets body(2 + 32, 3);
  body.insert(body.end(), {0, 0, 2, 0x13, 1, 1, 0});                       // no session, one cipher suite, no compression
  body.insert(body.end(), {0, static_cast<std::uint8_t>(size + 9), 0, 0, 0, static_cast<std::uint8_t>(size + 5), 0, static_cast<std::uint8_t>(size + 3), 0, 0, size});
  body.insert(body.end(), name.begin(), name.end());
  Octets message = {1, 0, 0, static_cast<std::uint8_t>(body.size())};
  message.insert(message.end(), body.begin(), body.end());
  return message;
}

Octets crypto_frame(const Octets& message, std::size_t from, std::size_t to) {
  Octets frame = {0x06, static_cast<std::uint8_t>(0x40 | from >> 8), static_cast<std::uint8_t>(from), static_cast<std::uint8_t>(0x40 | (to - from) >> 8), static_cast<std::uint8_t>(to - from)};
  frame.insert(frame.end(), message.begin() + static_cast<std::ptrdiff_t>(from), message.begin() + static_cast<std::ptrdiff_t>(to));
  return frame;
}

/// An Initial packet around `frames`, padded so that the datagram has 1,200 bytes; packet number of one byte.
Octets initial(QuicVersion version, Octets frames, std::uint8_t number) {
  const auto keys = *quic_client_keys(version, connection_id);
  const auto id = static_cast<std::uint32_t>(version);
  Octets packet = {static_cast<std::uint8_t>(version == QuicVersion::v2 ? 0xd0 : 0xc0), static_cast<std::uint8_t>(id >> 24), static_cast<std::uint8_t>(id >> 16),
                   static_cast<std::uint8_t>(id >> 8), static_cast<std::uint8_t>(id), 8};
  packet.insert(packet.end(), connection_id.begin(), connection_id.end());
  packet.insert(packet.end(), {0, 0});                                     // no source id, no token
  const std::size_t length = 1200 - packet.size() - 2;
  packet.insert(packet.end(), {static_cast<std::uint8_t>(0x40 | length >> 8), static_cast<std::uint8_t>(length), number});
  const std::size_t number_at = packet.size() - 1;
  frames.resize(length - 1 - 16, 0);
  auto nonce = keys.nonce;
  nonce.back() = static_cast<std::uint8_t>(nonce.back() ^ number);
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  Octets sealed(frames.size() + 16);
  int size = 0;
  EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), nullptr, keys.key.data(), nonce.data());
  EVP_EncryptUpdate(context, nullptr, &size, packet.data(), static_cast<int>(packet.size()));
  EVP_EncryptUpdate(context, sealed.data(), &size, frames.data(), static_cast<int>(frames.size()));
  EVP_EncryptFinal_ex(context, sealed.data() + size, &size);
  EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, 16, sealed.data() + frames.size());
  Octets mask(32);
  EVP_EncryptInit_ex(context, EVP_aes_128_ecb(), nullptr, keys.header.data(), nullptr);
  EVP_EncryptUpdate(context, mask.data(), &size, sealed.data() + 3, 16);   // four bytes after the number's first
  EVP_CIPHER_CTX_free(context);
  packet[0] = static_cast<std::uint8_t>(packet[0] ^ (mask[0] & 0x0f));
  packet[number_at] = static_cast<std::uint8_t>(packet[number_at] ^ mask[1]);
  packet.insert(packet.end(), sealed.begin(), sealed.end());
  return packet;
}

std::string name_of(const QuicFlight& flight) { return read_client_hello_message(flight.handshake()).server_name; }

}  // namespace

TEST_CASE("the client's Initial keys are those of RFC 9001 A.1 and RFC 9369 A.1", "[classify]") {
  const auto v1 = quic_client_keys(QuicVersion::v1, connection_id);
  REQUIRE(v1.has_value());
  CHECK(hex(v1->key) == "1f369613dd76d5467730efcbe3b1a22d");
  CHECK(hex(v1->nonce) == "fa044b2f42a3fd3b46fb255c");
  CHECK(hex(v1->header) == "9f50449e04a0e810283a1e9933adedd2");
  const auto v2 = quic_client_keys(QuicVersion::v2, connection_id);
  REQUIRE(v2.has_value());
  CHECK(hex(v2->key) == "8b1a0bc121284290a29e0971b5cd045d");
  CHECK(hex(v2->nonce) == "91f73e2351d8fa91660e909f");
  CHECK(hex(v2->header) == "45b95e15235d6f45a6b19cbcb0294ba9");
  CHECK_FALSE(quic_client_keys(QuicVersion::v1, Octets(21)).has_value());
}

TEST_CASE("a server name is read from QUIC, whole or in pieces in any order", "[classify]") {
  const auto hello = client_hello("calls.example.net");
  for (const auto version : {QuicVersion::v1, QuicVersion::v2, QuicVersion::draft29}) {
    QuicFlight whole, pieces;
    REQUIRE(whole.add(initial(version, crypto_frame(hello, 0, hello.size()), 0)));
    CHECK(name_of(whole) == "calls.example.net");
    // The last third first, in a datagram of its own; then the middle before the beginning.
    const std::size_t third = hello.size() / 3;
    REQUIRE(pieces.add(initial(version, crypto_frame(hello, 2 * third, hello.size()), 0)));
    CHECK(pieces.handshake().empty());
    auto frames = crypto_frame(hello, third, 2 * third + 5);
    const auto begin = crypto_frame(hello, 0, third);
    frames.push_back(0x01);
    frames.insert(frames.end(), begin.begin(), begin.end());
    REQUIRE(pieces.add(initial(version, frames, 1)));
    CHECK(pieces.handshake() == hello);
    CHECK(name_of(pieces) == "calls.example.net");
  }
}

TEST_CASE("what isn't a client's Initial gives nothing", "[classify]") {
  const auto hello = client_hello("calls.example.net");
  const auto good = initial(QuicVersion::v1, crypto_frame(hello, 0, hello.size()), 0);
  // One bit off anywhere: the seal is broken, or it is another version, kind or connection.
  for (std::size_t bit = 0; bit < good.size() * 8; bit += 7) {
    auto bad = good;
    bad[bit / 8] = static_cast<std::uint8_t>(bad[bit / 8] ^ (1 << bit % 8));
    QuicFlight flight;
    CHECK_FALSE(flight.add(bad));
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    QuicFlight flight;
    CHECK_FALSE(flight.add(Bytes(good).first(size)));
  }
  std::mt19937 random(3);
  for (int i = 0; i < 2000; ++i) {
    Octets noise(1200 + random() % 200);
    for (auto& byte : noise) byte = static_cast<std::uint8_t>(random());
    noise[0] = static_cast<std::uint8_t>(noise[0] | 0xc0);
    if (i % 2 == 0) std::copy_n(good.begin() + 1, 13, noise.begin() + 1);
    QuicFlight flight;
    CHECK_FALSE(flight.add(noise));
  }
}
