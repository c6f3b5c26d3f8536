#include "capture/decoding/decoder_state.hpp"

namespace callwitness::capture {

namespace {
constexpr std::uint8_t ip_in_ip = 4, ipv6_in_ip = 41;
}

Datagram& Decoder::State::begin(const NetworkHeader& header, Slice payload) {
  Datagram& datagram = datagrams[told];
  datagram.time = packet->time;
  datagram.ordinal = packet->ordinal;
  datagram.five_tuple = {{header.source, 0}, {header.destination, 0}, header.protocol};
  datagram.ip_length = header.ip_length;
  datagram.time_to_live = header.time_to_live;
  datagram.ip_id = header.ip_id;
  datagram.fragmented = header.fragmented;
  datagram.direction = direction;
  datagram.owner = owner;
  datagram.payload = payload.bytes;
  datagram.payload_length = payload.wire;
  datagram.truncated = payload.truncated();
  datagram.tcp.reset();
  datagram.icmp.reset();
  return datagram;
}

void Decoder::State::payload(const NetworkHeader& header, Slice rest, int depth) {
  switch (header.protocol) {
    case protocol::udp: return udp(header, rest, depth);
    case protocol::tcp: return tcp(header, rest);
    case protocol::icmp:
    case protocol::icmpv6: return icmp(header, rest);
    case protocol::ah: {
      // Authenticated, not encrypted (RFC 4302): what follows can be read.
      if (rest.bytes.size() < 12) return anomalies.count("truncated_header");
      NetworkHeader inner = header;
      inner.protocol = rest.bytes[0];
      const std::size_t size = (rest.bytes[1] + 2u) * 4;
      if (size > rest.wire || inner.protocol == protocol::ah) return other(header, rest);
      return payload(inner, rest.after(size), depth);
    }
    case ip_in_ip:
    case ipv6_in_ip:
      if (!inner_ip(rest, depth)) other(header, rest);
      return;
    case protocol::gre:
      if (!gre(rest, depth)) other(header, rest);
      return;
    default: other(header, rest);
  }
}

void Decoder::State::other(const NetworkHeader& header, Slice rest) {
  begin(header, rest);
  tell();
}

void Decoder::State::udp(const NetworkHeader& header, Slice rest, int depth) {
  Cursor cursor(rest.bytes);
  const std::uint16_t source = cursor.u16(), destination = cursor.u16(), length = cursor.u16();
  cursor.skip(2);
  if (!cursor.ok()) return anomalies.count("truncated_header");
  // Zero stands for "as long as the packet" where a card segments; anything else below 8 is impossible.
  if (length != 0 && (length < 8 || length > rest.wire)) anomalies.count("udp_length_bad");
  else if (length != 0) rest = rest.first(length);
  Datagram& datagram = begin(header, rest.after(8));
  datagram.five_tuple.source.port = source;
  datagram.five_tuple.destination.port = destination;
  if (udp_tunnel(datagram, depth)) return;
  tell();
}

void Decoder::State::tcp(const NetworkHeader& header, Slice rest) {
  Endpoint source{header.source, 0}, destination{header.destination, 0};
  std::size_t header_length = 0;
  const auto segment = read_tcp(rest.bytes, source, destination, header_length);
  if (!segment) return anomalies.count(rest.bytes.size() < 20 ? "truncated_header" : "tcp_header_bad");
  if (header_length > rest.wire) return anomalies.count("tcp_header_bad");
  Datagram& datagram = begin(header, rest.after(header_length));
  datagram.five_tuple.source = source;
  datagram.five_tuple.destination = destination;
  datagram.tcp = segment;
  const bool opens_or_closes = segment->syn() || segment->fin() || segment->rst();
  if (opens_or_closes && !rest.truncated() && !header.cut) datagram.tcp->checksum = tcp_checksum(header, rest.bytes);
  tell();
}

void Decoder::State::icmp(const NetworkHeader& header, Slice rest) {
  if (rest.bytes.size() < 4) return anomalies.count("truncated_header");
  Datagram& datagram = begin(header, rest.after(8));
  IcmpMessage message{rest.bytes[0], rest.bytes[1], std::nullopt};
  if (is_icmp_error(header.protocol, message.type)) {
    message.about = read_quoted(datagram.payload);
    if (!message.about) anomalies.count("icmp_quote_bad");
  }
  datagram.icmp = message;
  tell();
}

}  // namespace callwitness::capture
