#include "report/redact/payload.hpp"

#include <zlib.h>

#include <algorithm>

namespace callwitness::report {
namespace {

constexpr std::size_t header_length = 20;
constexpr std::uint32_t fingerprint_xor = 0x5354554e;   // RFC 8489 14.7

constexpr std::uint16_t realm = 0x0014;

// Attributes by what they hold (RFC 8489, RFC 8656, RFC 8445, RFC 5780).
bool holds_address(std::uint16_t type) {
  return type == 0x0001 || type == 0x0004 || type == 0x0005 || type == 0x8023 || type == 0x802b || type == 0x802c;
}
bool holds_masked_address(std::uint16_t type) {
  return type == 0x0012 || type == 0x0016 || type == 0x0020 || type == 0x8020;
}
/// What neither tells who nor where: priorities, roles, lifetimes, error codes, requested transport, channel numbers.
bool is_harmless(std::uint16_t type) {
  switch (type) {
    case 0x0003: case 0x000c: case 0x000d: case 0x0019: case 0x0018: case 0x001a: case 0x0024: case 0x0025:
    case 0x8029: case 0x802a: case 0x8028:
      return true;
    default:
      return false;
  }
}

void scrub_attribute_address(Payload value, bool masked, Payload message, const PayloadContext& context) {
  const std::size_t length = value.size() >= 20 && value[1] == 2 ? 16 : value.size() >= 8 && value[1] == 1 ? 4 : 0;
  if (length == 0) {
    std::fill(value.begin(), value.end(), 0);
    return;
  }
  // Masked: exclusive-or with the magic cookie and, for IPv6, the transaction id, which follow each other at 4.
  const auto flip = [&] {
    if (!masked) return;
    for (std::size_t i = 0; i < length; ++i) value[4 + i] ^= message[4 + i];
  };
  flip();
  capture::IpAddress address;
  address.version = length == 4 ? 4 : 6;
  std::copy_n(value.begin() + 4, length, address.bytes.begin());
  const auto replaced = context.pseudonyms.address(address);
  std::copy_n(replaced.bytes.begin(), length, value.begin() + 4);
  flip();
}

void renew_fingerprint(Payload message, std::size_t attribute_at) {
  const auto crc = static_cast<std::uint32_t>(crc32(0, message.data(), static_cast<uInt>(attribute_at)));
  const std::uint32_t value = crc ^ fingerprint_xor;
  for (std::size_t i = 0; i < 4; ++i) message[attribute_at + 4 + i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
}

}  // namespace

std::size_t scrub_stun(Payload message, const PayloadContext& context) {
  std::size_t at = header_length;
  std::size_t shown = std::min(message.size(), header_length);
  while (at + 4 <= message.size()) {
    const auto type = static_cast<std::uint16_t>(message[at] << 8 | message[at + 1]);
    const std::size_t length = message[at + 2] << 8 | message[at + 3];
    if (at + 4 + length > message.size()) return shown;
    const Payload value = message.subspan(at + 4, length);
    if (holds_address(type) || holds_masked_address(type)) {
      scrub_attribute_address(value, holds_masked_address(type), message, context);
    } else if (type == 0x0013) {   // DATA: what is relayed
      const std::size_t kept = scrub_payload(value, context);
      std::fill(value.begin() + kept, value.end(), 0);
    } else if (type == realm) {   // like a server's name: Signal's and Viber's relays are told by theirs
      const auto name = context.pseudonyms.host_name({reinterpret_cast<const char*>(value.data()), value.size()});
      std::fill(value.begin(), value.end(), 'x');
      std::copy_n(name.begin(), std::min(name.size(), value.size()), value.begin());
      ++context.summary.names_replaced;
    } else if (type == 0x8028 && length == 4) {
      renew_fingerprint(message, at);
    } else if (!is_harmless(type)) {
      std::fill(value.begin(), value.end(), 'x');
      ++context.summary.names_replaced;
    }
    at = std::min(at + 4 + (length + 3) / 4 * 4, message.size());
    shown = at;
  }
  return shown;
}

}  // namespace callwitness::report
