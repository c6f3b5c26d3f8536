// A flow's datagrams as a fuzz input: a byte for the way, the kind and the ports, 16 bits of length, the payload, again
// and again. Seeds are written and inputs are read here, so that the two agree.
#pragma once

#include "capture/datagram.hpp"

#include <array>
#include <vector>

namespace callwitness::fuzz {

/// Ports that parsers look at; the low bits of the first byte choose one.
inline constexpr std::array<std::uint16_t, 16> ports = {40'000, 53, 5060, 3478, 443, 8801, 9987, 64'738, 4569, 554, 3784, 5004, 1720, 2427, 2000, 8767};
inline constexpr std::uint8_t backward = 0x80, over_tcp = 0x40, cut = 0x20, leap = 0x10;

/// Milliseconds on, or with `leap` up to decades to and fro, as a damaged or a set clock goes; within what readers hand on.
inline capture::Time later(capture::Time time, std::uint8_t head, std::uint16_t length) {
  if ((head & leap) == 0) return time + std::chrono::milliseconds(1 + (length >> 11));
  const capture::Duration far = std::chrono::seconds(std::int64_t{1} << 2 * (length >> 12));
  const bool forwards = (length & 0x0800) != 0;
  if (forwards) return time < capture::latest_time - far ? time + far : time;
  return time > capture::earliest_time + far ? time - far : time;
}

inline void write(std::vector<std::uint8_t>& to, const capture::Datagram& datagram, bool is_backward, std::size_t longest) {
  const auto length = std::min(datagram.payload.size(), longest);
  std::uint8_t head = (is_backward ? backward : 0) | (datagram.tcp ? over_tcp : 0);
  for (std::uint8_t i = 1; i < ports.size(); ++i)
    if (datagram.five_tuple.source.port == ports[i] || datagram.five_tuple.destination.port == ports[i]) head |= i;
  to.push_back(head);
  to.push_back(static_cast<std::uint8_t>(length >> 8));
  to.push_back(static_cast<std::uint8_t>(length));
  to.insert(to.end(), datagram.payload.begin(), datagram.payload.begin() + static_cast<std::ptrdiff_t>(length));
}

/// Calls `use(datagram, is_backward)` for each; `payload` has exactly its bytes, so that a sanitizer sees a read past them.
template <class Use>
void read(capture::Bytes data, Use&& use) {
  capture::Cursor cursor(data);
  std::array<std::uint32_t, 2> next = {1'000, 2'000};
  capture::Datagram datagram;
  while (cursor.remaining() >= 3) {
    const std::uint8_t head = cursor.u8();
    const std::uint16_t length = cursor.u16();
    const capture::Bytes taken = cursor.take(std::min<std::size_t>(length & 0x07ff, cursor.remaining()));
    const std::vector<std::uint8_t> exact(taken.begin(), taken.end());
    const bool is_backward = (head & backward) != 0, tcp = (head & over_tcp) != 0;
    capture::Endpoint client{capture::IpAddress::v4(0xc0a80102), 50'000}, server{capture::IpAddress::v4(0xc6336407), ports[head & 15]};
    datagram.time = later(datagram.time, head, length);
    ++datagram.ordinal;
    datagram.five_tuple = {is_backward ? server : client, is_backward ? client : server,
                           tcp ? capture::protocol::tcp : capture::protocol::udp};
    datagram.payload = exact;
    datagram.payload_length = static_cast<std::uint32_t>(exact.size() + ((head & cut) ? 100u : 0u));
    datagram.truncated = (head & cut) != 0;
    datagram.ip_length = datagram.payload_length + (tcp ? 40 : 28);
    datagram.time_to_live = is_backward ? 55 : 64;
    datagram.tcp.reset();
    if (tcp) {
      capture::TcpSegment segment;
      segment.sequence = next[is_backward];
      segment.acknowledgement = next[!is_backward];
      segment.flags = 16;
      next[is_backward] += datagram.payload_length;
      datagram.tcp = segment;
    }
    use(static_cast<const capture::Datagram&>(datagram), is_backward);
  }
}

}  // namespace callwitness::fuzz
