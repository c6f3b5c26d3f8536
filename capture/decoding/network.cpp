#include "capture/decoding/decoder_state.hpp"

namespace callwitness::capture {

namespace {
constexpr int most_vlan_tags = 8, most_labels = 16, most_extension_headers = 16;

IpAddress address(Bytes bytes) {
  IpAddress result;
  result.version = bytes.size() == 4 ? 4 : 6;
  std::copy(bytes.begin(), bytes.end(), result.bytes.begin());
  return result;
}

namespace extension {
constexpr std::uint8_t hop_by_hop = 0, routing = 43, fragment = 44, none = 59, options = 60, mobility = 135, hip = 139,
                       shim6 = 140;
}
}  // namespace

bool Decoder::State::too_deep(int depth) {
  if (depth <= deepest) return false;
  anomalies.count("nested_too_deep");
  return true;
}

void Decoder::State::network(std::uint16_t type, Slice packet_slice, int depth) {
  if (too_deep(depth)) return;
  for (int tags = 0; type == ether_type::vlan || type == ether_type::service_vlan || type == ether_type::old_vlan; ++tags) {
    if (packet_slice.bytes.size() < 4 || tags == most_vlan_tags) {
      anomalies.count(tags == most_vlan_tags ? "nested_too_deep" : "truncated_header");
      return;
    }
    type = static_cast<std::uint16_t>(packet_slice.bytes[2] << 8 | packet_slice.bytes[3]);
    packet_slice = packet_slice.after(4);
  }
  switch (type) {
    case ether_type::ipv4: return ipv4(packet_slice, depth);
    case ether_type::ipv6: return ipv6(packet_slice, depth);
    case ether_type::mpls:
    case ether_type::mpls_multicast: return mpls(packet_slice, depth);
    case ether_type::pppoe_session: return pppoe(packet_slice, depth);
    default:
      if (type != 0 && type <= 1500) return link(read_llc(packet_slice.first(type)), depth);   // 802.3: a length
  }
}

/// RFC 3032; below the last label the first nibble tells what it is (RFC 4928).
void Decoder::State::mpls(Slice labels, int depth) {
  bool last = false;
  for (int i = 0; !last; ++i) {
    if (labels.bytes.size() < 4 || i == most_labels) {
      anomalies.count(i == most_labels ? "nested_too_deep" : "truncated_header");
      return;
    }
    last = labels.bytes[2] & 1;
    labels = labels.after(4);
  }
  if (labels.bytes.empty()) return;
  const int nibble = labels.bytes[0] >> 4;
  if (nibble == 4) return ipv4(labels, depth + 1);
  if (nibble == 6) return ipv6(labels, depth + 1);
  if (nibble == 0) return ethernet(labels.after(4), depth + 1);   // a pseudowire's control word (RFC 4385)
}

void Decoder::State::pppoe(Slice session, int depth) {
  Cursor cursor(session.bytes);
  const std::uint8_t version_and_type = cursor.u8(), code = cursor.u8();
  cursor.skip(2);   // session
  const std::uint16_t length = cursor.u16();
  if (!cursor.ok() || version_and_type != 0x11 || code != 0) {
    anomalies.count("pppoe_bad");
    return;
  }
  link(read_ppp(session.after(6).first(length)), depth);
}

void Decoder::State::ipv4(Slice ip, int depth) {
  if (too_deep(depth)) return;
  Cursor cursor(ip.bytes);
  const std::uint8_t first = cursor.u8();
  cursor.skip(1);
  const std::uint16_t total = cursor.u16();
  NetworkHeader header;
  header.ip_id = cursor.u16();
  const std::uint16_t fragment = cursor.u16();
  header.time_to_live = cursor.u8();
  header.protocol = cursor.u8();
  cursor.skip(2);
  const Bytes source = cursor.take(4), destination = cursor.take(4);
  const std::size_t header_length = (first & 15u) * 4;
  if (!cursor.ok()) return anomalies.count("truncated_header");
  if (first >> 4 != 4 || header_length < 20) return anomalies.count("ip_header_bad");
  header.source = address(source);
  header.destination = address(destination);
  // Zero: the sending host left segmentation to its card, and the frame's own length is the truth.
  if (total != 0) {
    if (total < header_length) return anomalies.count("ip_length_bad");
    if (total > ip.wire) anomalies.count("ip_length_beyond_frame");
    ip = ip.first(total);
  }
  header.ip_length = ip.wire;
  if (ip.wire < header_length) return anomalies.count("ip_length_bad");
  const Slice rest = ip.after(header_length);
  const std::uint32_t offset = (fragment & 0x1fffu) * 8;
  const bool more = fragment & 0x2000;
  if (offset == 0 && !more) return payload(header, rest, depth);
  const auto whole = reassembly.add({header, header.ip_id, offset, more, rest, packet->time});
  if (!whole) return;
  payload(whole->header, whole->payload, depth);
  flush();   // the next whole datagram is put together in the same memory
}

void Decoder::State::ipv6(Slice ip, int depth) {
  if (too_deep(depth)) return;
  Cursor cursor(ip.bytes);
  const std::uint8_t first = cursor.u8();
  cursor.skip(3);
  const std::uint16_t length = cursor.u16();
  NetworkHeader header;
  std::uint8_t next = cursor.u8();
  header.time_to_live = cursor.u8();
  const Bytes source = cursor.take(16), destination = cursor.take(16);
  if (!cursor.ok()) return anomalies.count("truncated_header");
  if (first >> 4 != 6) return anomalies.count("ip_header_bad");
  header.source = address(source);
  header.destination = address(destination);
  // Zero: a jumbogram or segmentation left to the card.
  if (length != 0) {
    if (length + 40u > ip.wire) anomalies.count("ip_length_beyond_frame");
    ip = ip.first(length + 40u);
  }
  header.ip_length = ip.wire;
  Slice rest = ip.after(40);
  for (int count = 0;; ++count) {
    const bool is_extension = next == extension::hop_by_hop || next == extension::routing || next == extension::options ||
                              next == extension::mobility || next == extension::hip || next == extension::shim6;
    if (!is_extension && next != extension::fragment) break;
    if (count == most_extension_headers) return anomalies.count("too_many_extension_headers");
    if (rest.bytes.size() < 8) return anomalies.count("truncated_header");
    if (next == extension::fragment) {
      Cursor fragment(rest.bytes);
      header.protocol = fragment.u8();
      fragment.skip(1);
      const std::uint16_t field = fragment.u16();
      const std::uint32_t id = fragment.u32();
      const std::uint32_t offset = field & 0xfff8u;
      const bool more = field & 1;
      rest = rest.after(8);
      if (offset == 0 && !more) {   // an atomic fragment (RFC 6946)
        next = header.protocol;
        continue;
      }
      const auto whole = reassembly.add({header, id, offset, more, rest, packet->time});
      if (!whole) return;
      payload(whole->header, whole->payload, depth);
      flush();
      return;
    }
    const std::size_t size = (rest.bytes[1] + 1u) * 8;
    next = rest.bytes[0];
    if (size > rest.wire) return anomalies.count("ip_length_bad");
    rest = rest.after(size);
  }
  header.protocol = next;
  if (next != extension::none) payload(header, rest, depth);
}

}  // namespace callwitness::capture
