#include "classify/protocols/quic.hpp"

#include "capture/cursor.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <memory>
#include <string_view>

namespace callwitness::classify {
namespace {

constexpr std::size_t held_limit = 16'384;       // bytes of handshake
constexpr std::size_t packets_limit = 4;         // coalesced Initial packets in a datagram
constexpr std::size_t pieces_limit = 64, frames_limit = 256;
constexpr std::size_t tag_size = 16, sample_size = 16, longest_id = 20;

using Hash = std::array<std::uint8_t, 32>;

Hash hmac(Bytes key, Bytes data) {
  Hash hash{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), data.data(), data.size(), hash.data(), &size);
  return hash;
}

/// HKDF-Expand-Label of TLS 1.3 (RFC 8446 7.1) with an empty context, for at most one block.
template <std::size_t size>
std::array<std::uint8_t, size> expand(const Hash& secret, std::string_view label) {
  std::vector<std::uint8_t> info = {0, static_cast<std::uint8_t>(size), static_cast<std::uint8_t>(6 + label.size())};
  for (const char c : std::string_view("tls13 ")) info.push_back(static_cast<std::uint8_t>(c));
  info.insert(info.end(), label.begin(), label.end());
  info.insert(info.end(), {0, 1});               // no context; the first block
  const Hash block = hmac(secret, info);
  std::array<std::uint8_t, size> out{};
  std::copy_n(block.begin(), size, out.begin());
  return out;
}

struct CipherFree { void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); } };
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, CipherFree>;

std::optional<std::array<std::uint8_t, 16>> mask_of(const QuicKeys& keys, Bytes sample) {
  const Cipher cipher(EVP_CIPHER_CTX_new());
  std::array<std::uint8_t, 32> out{};
  int size = 0;
  if (!cipher || EVP_EncryptInit_ex(cipher.get(), EVP_aes_128_ecb(), nullptr, keys.header.data(), nullptr) != 1 ||
      EVP_EncryptUpdate(cipher.get(), out.data(), &size, sample.data(), static_cast<int>(sample_size)) != 1)
    return std::nullopt;
  std::array<std::uint8_t, 16> mask{};
  std::copy_n(out.begin(), mask.size(), mask.begin());
  return mask;
}

std::optional<std::vector<std::uint8_t>> decrypt(const QuicKeys& keys, std::uint64_t number, Bytes header, Bytes sealed) {
  auto nonce = keys.nonce;
  for (std::size_t i = 0; i < 8; ++i) nonce[nonce.size() - 1 - i] ^= static_cast<std::uint8_t>(number >> (8 * i));
  const Bytes text = sealed.first(sealed.size() - tag_size);
  std::array<std::uint8_t, tag_size> tag{};
  std::copy(sealed.end() - tag_size, sealed.end(), tag.begin());
  std::vector<std::uint8_t> out(text.size() + 16);
  const Cipher cipher(EVP_CIPHER_CTX_new());
  int size = 0, rest = 0;
  if (!cipher || EVP_DecryptInit_ex(cipher.get(), EVP_aes_128_gcm(), nullptr, keys.key.data(), nonce.data()) != 1 ||
      EVP_DecryptUpdate(cipher.get(), nullptr, &size, header.data(), static_cast<int>(header.size())) != 1 ||
      EVP_DecryptUpdate(cipher.get(), out.data(), &size, text.data(), static_cast<int>(text.size())) != 1 ||
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, tag_size, tag.data()) != 1 || EVP_DecryptFinal_ex(cipher.get(), out.data() + size, &rest) != 1)
    return std::nullopt;
  out.resize(static_cast<std::size_t>(size + rest));
  return out;
}

/// RFC 9000 16. Reads past the end are the cursor's to tell.
std::uint64_t variable_integer(capture::Cursor& cursor) {
  const std::uint8_t first = cursor.u8();
  std::uint64_t value = first & 0x3f;
  for (int more = (1 << (first >> 6)) - 1; more > 0; --more) value = value << 8 | cursor.u8();
  return value;
}

std::optional<QuicVersion> known_version(std::uint32_t number) {
  for (const auto version : {QuicVersion::v1, QuicVersion::v2, QuicVersion::draft29})
    if (number == static_cast<std::uint32_t>(version)) return version;
  return std::nullopt;
}

}  // namespace

std::optional<QuicKeys> quic_client_keys(QuicVersion version, Bytes connection_id) {
  static constexpr std::array<std::uint8_t, 20> salt_v1 = {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a};
  static constexpr std::array<std::uint8_t, 20> salt_v2 = {0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9};
  static constexpr std::array<std::uint8_t, 20> salt_29 = {0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99};
  if (connection_id.size() > longest_id) return std::nullopt;
  const auto& salt = version == QuicVersion::v1 ? salt_v1 : version == QuicVersion::v2 ? salt_v2 : salt_29;
  const auto client = expand<32>(hmac(Bytes(salt), connection_id), "client in");
  const bool second = version == QuicVersion::v2;
  QuicKeys keys;
  keys.key = expand<16>(client, second ? "quicv2 key" : "quic key");
  keys.nonce = expand<12>(client, second ? "quicv2 iv" : "quic iv");
  keys.header = expand<16>(client, second ? "quicv2 hp" : "quic hp");
  return keys;
}

bool QuicFlight::add(Bytes datagram) {
  bool any = false;
  for (std::size_t packet = 0; packet < packets_limit && datagram.size() > 7 && (datagram[0] & 0xc0) == 0xc0; ++packet) {
    capture::Cursor cursor(datagram);
    const std::uint8_t first = cursor.u8();
    const auto version = known_version(cursor.u32());
    if (!version) return any;
    const Bytes id = cursor.take(cursor.u8());
    cursor.skip(cursor.u8());
    const bool initial = (first >> 4 & 3) == (*version == QuicVersion::v2 ? 1 : 0);
    if (!initial || !cursor.ok()) return any;    // of the other kinds nothing can be read
    cursor.skip(static_cast<std::size_t>(std::min<std::uint64_t>(variable_integer(cursor), datagram.size() + 1)));
    const std::uint64_t length = variable_integer(cursor);
    if (!cursor.ok() || length > cursor.remaining() || length < 4 + sample_size) return any;
    const std::size_t number_offset = datagram.size() - cursor.remaining();
    if (!keys_) keys_ = quic_client_keys(*version, id);
    if (!keys_ || !add_packet(datagram.first(number_offset + static_cast<std::size_t>(length)), number_offset, *keys_)) return any;
    any = true;
    datagram = datagram.subspan(number_offset + static_cast<std::size_t>(length));
  }
  return any;
}

bool QuicFlight::add_packet(Bytes packet, std::size_t number_offset, const QuicKeys& keys) {
  const auto mask = mask_of(keys, packet.subspan(number_offset + 4, sample_size));
  if (!mask) return false;
  std::vector<std::uint8_t> header(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(number_offset + 4));
  header[0] = static_cast<std::uint8_t>(header[0] ^ ((*mask)[0] & 0x0f));
  const std::size_t number_size = 1 + (header[0] & 3);
  header.resize(number_offset + number_size);
  std::uint64_t number = 0;                      // a first flight's packet numbers are small: no window to unfold
  for (std::size_t i = 0; i < number_size; ++i) {
    header[number_offset + i] = static_cast<std::uint8_t>(header[number_offset + i] ^ (*mask)[1 + i]);
    number = number << 8 | header[number_offset + i];
  }
  const Bytes sealed = packet.subspan(header.size());
  if (sealed.size() < tag_size) return false;
  const auto frames = decrypt(keys, number, header, sealed);
  return frames && add_frames(*frames);
}

bool QuicFlight::add_frames(Bytes frames) {
  capture::Cursor cursor(frames);
  bool any = false;
  std::size_t seen = 0;
  while (cursor.remaining() > 0 && cursor.ok()) {
    const std::uint8_t type = cursor.u8();
    if (type == 0x00) continue;                  // PADDING
    if (++seen > frames_limit) break;
    if (type == 0x01) continue;                  // PING
    if (type == 0x02 || type == 0x03) {          // ACK
      variable_integer(cursor), variable_integer(cursor);
      const std::uint64_t ranges = variable_integer(cursor);
      variable_integer(cursor);
      for (std::uint64_t i = 0; i < ranges && cursor.ok(); ++i) variable_integer(cursor), variable_integer(cursor);
      for (int i = 0; type == 0x03 && i < 3; ++i) variable_integer(cursor);
      continue;
    }
    if (type != 0x06) break;                     // nothing else belongs into an Initial but CONNECTION_CLOSE
    const std::uint64_t offset = variable_integer(cursor), length = variable_integer(cursor);
    if (!cursor.ok() || length > cursor.remaining() || offset > held_limit || held_ + length > held_limit || pieces_.size() >= pieces_limit) break;
    const Bytes data = cursor.take(static_cast<std::size_t>(length));
    auto& piece = pieces_[static_cast<std::size_t>(offset)];
    if (data.size() > piece.size()) {
      held_ += data.size() - piece.size();
      piece.assign(data.begin(), data.end());
    }
    any = true;
  }
  return any;
}

std::vector<std::uint8_t> QuicFlight::handshake() const {
  std::vector<std::uint8_t> bytes;
  for (const auto& [offset, piece] : pieces_) {
    if (offset > bytes.size()) break;
    const std::size_t known = bytes.size() - offset;
    if (piece.size() > known) bytes.insert(bytes.end(), piece.begin() + static_cast<std::ptrdiff_t>(known), piece.end());
  }
  return bytes;
}

}  // namespace callwitness::classify
