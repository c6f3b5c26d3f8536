#include "capture/decoding/decoder_state.hpp"

namespace callwitness::capture {

namespace {
constexpr std::size_t ethernet_size = 14, udp_size = 8;

std::uint16_t u16(const std::uint8_t* at) { return static_cast<std::uint16_t>(at[0] << 8 | at[1]); }

IpAddress address(const std::uint8_t* at, std::uint8_t version) {
  IpAddress result;
  result.version = version;
  std::memcpy(result.bytes.data(), at, version == 4 ? 4 : 16);
  return result;
}
}  // namespace

bool Decoder::State::plain_udp(Bytes frame, std::uint32_t wire) {
  constexpr std::size_t ipv4_size = 20, ipv6_size = 40;
  if (frame.size() < ethernet_size + ipv6_size + udp_size || android_trailer_size(frame) != 0) return false;
  const std::uint8_t* const ip = frame.data() + ethernet_size;
  const std::uint16_t type = u16(frame.data() + 12);
  const bool is_ipv4 = type == ether_type::ipv4 && ip[0] == 0x45 && ip[9] == protocol::udp && (u16(ip + 6) & 0x3fff) == 0;
  const bool is_ipv6 = type == ether_type::ipv6 && ip[0] >> 4 == 6 && ip[6] == protocol::udp && u16(ip + 4) != 0;
  if (!is_ipv4 && !is_ipv6) return false;
  const std::size_t ip_size = is_ipv4 ? ipv4_size : ipv6_size, before = ethernet_size + ip_size + udp_size;
  const std::uint32_t ip_length = is_ipv4 ? u16(ip + 2) : u16(ip + 4) + 40u;
  const std::uint8_t* const udp = ip + ip_size;
  const std::uint16_t source = u16(udp), destination = u16(udp + 2), length = u16(udp + 4);
  if (ip_length + ethernet_size > wire || ip_length < ip_size + udp_size || length < udp_size ||
      length > ip_length - ip_size || may_be_tunnel(source, destination))
    return false;
  Datagram& datagram = datagrams[told];
  datagram.time = packet->time;
  datagram.ordinal = packet->ordinal;
  const std::uint8_t version = is_ipv4 ? 4 : 6;
  const std::size_t address_size = is_ipv4 ? 4 : 16;
  datagram.five_tuple.source = {address(udp - 2 * address_size, version), source};
  datagram.five_tuple.destination = {address(udp - address_size, version), destination};
  datagram.five_tuple.protocol = protocol::udp;
  datagram.ip_length = ip_length;
  datagram.time_to_live = is_ipv4 ? ip[8] : ip[7];
  datagram.ip_id = is_ipv4 ? u16(ip + 4) : 0;
  datagram.fragmented = false;
  datagram.direction = direction;
  datagram.owner = owner;
  datagram.payload_length = length - static_cast<std::uint32_t>(udp_size);
  datagram.payload = frame.subspan(before, std::min<std::size_t>(frame.size() - before, datagram.payload_length));
  datagram.truncated = datagram.payload.size() < datagram.payload_length;
  datagram.tcp.reset();
  datagram.icmp.reset();
  tell();
  return true;
}

}  // namespace callwitness::capture
