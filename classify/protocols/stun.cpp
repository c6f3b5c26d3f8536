#include "classify/protocols/stun.hpp"

#include <algorithm>

namespace callwitness::classify {
namespace {

constexpr std::uint32_t magic_cookie = 0x2112a442;

std::string_view text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

std::optional<Endpoint> address_of(Bytes value, bool exclusive_or, Bytes transaction) {
  capture::Cursor cursor(value);
  cursor.skip(1);
  const auto family = cursor.u8();
  Endpoint endpoint;
  endpoint.port = cursor.u16();
  const std::size_t size = family == 1 ? 4 : family == 2 ? 16 : 0;
  const Bytes address = cursor.take(size);
  if (size == 0 || !cursor.ok()) return std::nullopt;
  endpoint.address.version = family == 1 ? 4 : 6;
  std::copy(address.begin(), address.end(), endpoint.address.bytes.begin());
  if (exclusive_or) {  // RFC 8489 14.2: with the cookie, then the transaction id
    endpoint.port = static_cast<std::uint16_t>(endpoint.port ^ (magic_cookie >> 16));
    for (std::size_t i = 0; i < size; ++i) endpoint.address.bytes[i] ^= transaction[i];
  }
  return endpoint;
}

}  // namespace

std::optional<StunMessage> parse_stun(Bytes captured, std::uint32_t wire_length) {
  if (captured.size() < 20 || captured[0] > 3) return std::nullopt;
  capture::Cursor cursor(captured);
  const std::uint16_t type = cursor.u16();
  const std::uint16_t length = cursor.u16();
  if (length % 4 != 0 || length + 20u > wire_length || wire_length > length + 20u + 3u) return std::nullopt;
  StunMessage message;
  const Bytes cookie_and_transaction = captured.subspan(4, 16);
  message.has_cookie = cursor.u32() == magic_cookie;
  message.transaction = cursor.u64();
  message.transaction ^= static_cast<std::uint64_t>(cursor.u32()) * 0x9e3779b97f4a7c15u;
  message.message_class = static_cast<StunMessage::Class>((type >> 7 & 2) | (type >> 4 & 1));
  message.method = static_cast<std::uint16_t>((type & 0xf) | (type >> 1 & 0x70) | (type >> 2 & 0xf80));
  if (!message.has_cookie && message.method != 1) return std::nullopt;
  std::uint32_t left = length;
  while (left >= 4) {
    const std::uint16_t attribute = cursor.u16();
    const std::uint16_t size = cursor.u16();
    if (!cursor.ok()) break;
    const std::uint32_t padded = (size + 3u) & ~3u;
    if (size + 4u > left) return std::nullopt;
    const bool cut = cursor.remaining() < size;
    if (cut && captured.size() >= wire_length) return std::nullopt;
    const Bytes value = cursor.take(std::min<std::size_t>(size, cursor.remaining()));
    switch (attribute) {
      case 0x0006: message.username = text_of(value); break;
      case 0x8022: message.software = text_of(value); break;
      case 0x0025: message.use_candidate = true; break;
      case 0x000d:
        if (value.size() == 4) message.lifetime_s = static_cast<std::uint32_t>(value[0]) << 24 | static_cast<std::uint32_t>(value[1]) << 16 | static_cast<std::uint32_t>(value[2]) << 8 | value[3];
        break;
      case 0x0013:
        message.data = value;
        message.data_length = size;
        break;
      case 0x0001: if (!message.mapped) message.mapped = address_of(value, false, cookie_and_transaction); break;
      case 0x0020: message.mapped = address_of(value, true, cookie_and_transaction); break;
      default: break;
    }
    if (cut) break;
    cursor.skip(std::min<std::size_t>(padded - size, cursor.remaining()));
    left -= std::min(left, padded + 4);
  }
  return message;
}

Unwrapped unwrap(Bytes captured, std::uint32_t wire_length) {
  Unwrapped result{captured, wire_length, false};
  for (int depth = 0; depth < 2 && result.bytes.size() >= 4; ++depth) {
    const Bytes bytes = result.bytes;
    const std::uint32_t length = static_cast<std::uint32_t>(bytes[2] << 8 | bytes[3]);
    if (bytes[0] >= 0x40 && bytes[0] <= 0x4f && length + 4 <= result.wire_length && result.wire_length <= length + 7) {
      result = {bytes.subspan(4, std::min<std::size_t>(length, bytes.size() - 4)), length, true};
    } else if (bytes[0] == 0xff && bytes[1] == 0x10 && bytes.size() > 12 && result.wire_length > 12) {
      result = {bytes.subspan(12), result.wire_length - 12, true};
    } else if (bytes[0] == 0 && (bytes[1] == 0x16 || bytes[1] == 0x17)) {
      const auto message = parse_stun(bytes, result.wire_length);
      if (!message || message->data.empty()) break;
      result = {message->data, message->data_length, true};
    } else {
      break;
    }
  }
  return result;
}

}  // namespace callwitness::classify
