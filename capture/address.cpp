#include "capture/address.hpp"

#include <arpa/inet.h>

#include <fmt/format.h>

#include <algorithm>

namespace callwitness::capture {

IpAddress IpAddress::v4(std::uint32_t host_order) {
  IpAddress address;
  address.version = 4;
  for (int i = 0; i < 4; ++i) address.bytes[i] = static_cast<std::uint8_t>(host_order >> (24 - 8 * i));
  return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string terminated(text);
  IpAddress address;
  if (inet_pton(AF_INET, terminated.c_str(), address.bytes.data()) == 1) {
    address.version = 4;
    return address;
  }
  if (inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) == 1) {
    address.version = 6;
    return address;
  }
  return std::nullopt;
}

bool IpAddress::is_private() const {
  if (version == 4) {
    return bytes[0] == 10 || (bytes[0] == 172 && (bytes[1] & 0xf0) == 16) || (bytes[0] == 192 && bytes[1] == 168) ||
           (bytes[0] == 169 && bytes[1] == 254) || (bytes[0] == 100 && (bytes[1] & 0xc0) == 64);
  }
  return version == 6 && ((bytes[0] & 0xfe) == 0xfc || (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80));
}

bool IpAddress::is_loopback() const {
  if (version == 4) return bytes[0] == 127;
  return version == 6 && bytes[15] == 1 && std::count(bytes.begin(), bytes.end(), 0) == 15;
}

bool IpAddress::is_multicast() const {
  if (version == 4) return (bytes[0] & 0xf0) == 0xe0 || (bytes[0] & bytes[1] & bytes[2] & bytes[3]) == 0xff;
  return version == 6 && bytes[0] == 0xff;
}

bool IpAddress::is_routable() const {
  if (version == 0 || is_private() || is_loopback() || is_multicast()) return false;
  if (version == 4) return bytes[0] != 0 && bytes[0] < 240;
  return (bytes[0] & 0xe0) == 0x20;
}

std::string IpAddress::text() const {
  char buffer[INET6_ADDRSTRLEN] = "";
  if (version != 0) inet_ntop(version == 4 ? AF_INET : AF_INET6, bytes.data(), buffer, sizeof buffer);
  return buffer;
}

std::string Endpoint::text() const {
  if (address.version == 6) return fmt::format("[{}]:{}", address.text(), port);
  return fmt::format("{}:{}", address.text(), port);
}

}  // namespace callwitness::capture
