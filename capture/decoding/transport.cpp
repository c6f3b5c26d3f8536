#include "capture/decoding/layers.hpp"

#include <cstring>

namespace callwitness::capture {

TcpSegment read_tcp_options(TcpSegment segment, Bytes options) {
  constexpr std::uint8_t end = 0, padding = 1, segment_size = 2, scale = 3, timestamps = 8;
  constexpr std::uint8_t largest_scale = 14;   // RFC 7323, 2.3
  Cursor cursor(options);
  while (cursor.remaining() > 0) {
    const std::uint8_t kind = cursor.u8();
    if (kind == end) break;
    if (kind == padding) continue;
    const std::uint8_t length = cursor.u8();
    if (length < 2) break;
    Cursor value(cursor.take(length - 2u));
    if (!cursor.ok()) break;
    if (kind == segment_size && length == 4) segment.maximum_segment_size = value.u16();
    if (kind == scale && length == 3) segment.window_scale = std::min(value.u8(), largest_scale);
    if (kind == timestamps && length == 10) {
      segment.has_timestamps = true;
      segment.timestamp_value = value.u32();
      segment.timestamp_echo = value.u32();
    }
  }
  return segment;
}

std::optional<TcpSegment> read_tcp(Bytes bytes, Endpoint& source, Endpoint& destination, std::size_t& header_length) {
  Cursor cursor(bytes);
  source.port = cursor.u16();
  destination.port = cursor.u16();
  TcpSegment segment;
  segment.sequence = cursor.u32();
  segment.acknowledgement = cursor.u32();
  header_length = static_cast<std::size_t>(cursor.u8() >> 4) * 4;
  segment.flags = cursor.u8();
  segment.window = cursor.u16();
  cursor.skip(4);   // checksum, urgent pointer
  if (!cursor.ok() || header_length < 20) return std::nullopt;
  const Bytes rest = cursor.rest();
  return read_tcp_options(segment, rest.first(std::min(rest.size(), header_length - 20)));
}

Checksum tcp_checksum(const NetworkHeader& header, Bytes segment) {
  std::uint64_t sum = protocol::tcp + segment.size();
  const auto add = [&](Bytes bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) sum += i % 2 == 0 ? static_cast<std::uint64_t>(bytes[i]) << 8 : bytes[i];
  };
  const std::size_t size = header.source.version == 4 ? 4 : 16;
  add(Bytes(header.source.bytes).first(size));
  add(Bytes(header.destination.bytes).first(size));
  add(segment);
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return sum == 0xffff ? Checksum::good : Checksum::bad;
}

bool is_icmp_error(std::uint8_t which, std::uint8_t type) {
  if (which == protocol::icmpv6) return type >= 1 && type <= 4;   // RFC 4443, 2.1
  constexpr std::uint8_t unreachable = 3, quench = 4, redirect = 5, time_exceeded = 11, parameter = 12;
  return type == unreachable || type == quench || type == redirect || type == time_exceeded || type == parameter;
}

std::optional<FiveTuple> read_quoted(Bytes quoted) {
  if (quoted.empty()) return std::nullopt;
  FiveTuple about;
  Cursor cursor(quoted);
  const int version = quoted[0] >> 4;
  about.source.address.version = about.destination.address.version = static_cast<std::uint8_t>(version);
  const auto copy = [&](IpAddress& address, std::size_t size) {
    const Bytes bytes = cursor.take(size);
    std::copy(bytes.begin(), bytes.end(), address.bytes.begin());
  };
  if (version == 4) {
    const std::size_t header = (quoted[0] & 15u) * 4;
    cursor.skip(6);
    const bool later_fragment = (cursor.u16() & 0x1fff) != 0;
    cursor.skip(1);
    about.protocol = cursor.u8();
    cursor.skip(2);
    copy(about.source.address, 4);
    copy(about.destination.address, 4);
    if (header < 20 || later_fragment) return std::nullopt;
    cursor.skip(header - 20);
  } else if (version == 6) {
    cursor.skip(6);
    about.protocol = cursor.u8();
    cursor.skip(1);
    copy(about.source.address, 16);
    copy(about.destination.address, 16);
  } else {
    return std::nullopt;
  }
  if (about.protocol == protocol::tcp || about.protocol == protocol::udp || about.protocol == protocol::sctp) {
    about.source.port = cursor.u16();
    about.destination.port = cursor.u16();
  }
  if (!cursor.ok()) return std::nullopt;
  return about;
}

}  // namespace callwitness::capture
