#include "classify_support.hpp"

#include <algorithm>

namespace callwitness::classify::test {

std::uint64_t Recorder::packets_of(StreamId id) const {
  return static_cast<std::uint64_t>(std::count_if(packets.begin(), packets.end(), [&](const auto& p) { return p.stream == id; }));
}

void Wire::send(Datagram& datagram, double at_ms, const Endpoint& from, const Endpoint& to, const Buffer& payload,
                std::uint8_t time_to_live) {
  datagram.time = Time(std::chrono::seconds(1'600'000'000)) + std::chrono::microseconds(static_cast<std::int64_t>(at_ms * 1000 + 0.5));
  datagram.ordinal = ++ordinal_;
  datagram.five_tuple.source = from;
  datagram.five_tuple.destination = to;
  datagram.time_to_live = time_to_live;
  datagram.payload = payload;
  datagram.payload_length = static_cast<std::uint32_t>(payload.size());
  datagram.ip_length = datagram.payload_length + (datagram.tcp ? 40u : 28u);
  classifier_.on_datagram(datagram);
}

void Wire::udp(double at_ms, const Endpoint& from, const Endpoint& to, const Buffer& payload, std::uint8_t time_to_live) {
  Datagram datagram;
  datagram.five_tuple.protocol = capture::protocol::udp;
  send(datagram, at_ms, from, to, payload, time_to_live);
}

void Wire::tcp(double at_ms, const Endpoint& from, const Endpoint& to, capture::TcpSegment segment, const Buffer& payload,
               std::uint8_t time_to_live) {
  Datagram datagram;
  datagram.five_tuple.protocol = capture::protocol::tcp;
  datagram.tcp = segment;
  send(datagram, at_ms, from, to, payload, time_to_live);
}

Endpoint endpoint(std::string_view address, std::uint16_t port) { return {*capture::IpAddress::parse(address), port}; }

Buffer rtp(std::uint8_t payload_type, std::uint16_t sequence, std::uint32_t timestamp, std::uint32_t ssrc,
           std::size_t payload, std::uint8_t first_byte) {
  Buffer bytes{first_byte, payload_type, static_cast<std::uint8_t>(sequence >> 8), static_cast<std::uint8_t>(sequence)};
  for (const std::uint32_t word : {timestamp, ssrc}) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::uint8_t>(word >> shift));
  }
  for (std::size_t i = 0; i < payload; ++i) bytes.push_back(static_cast<std::uint8_t>(i * 37 + sequence));
  return bytes;
}

void call(Wire& wire, double from_ms, const Endpoint& a, const Endpoint& b, std::uint32_t ssrc, int count, std::uint8_t type) {
  for (int i = 0; i < count; ++i) {
    const auto n = static_cast<std::uint16_t>(i);
    const auto time = static_cast<std::uint32_t>(i) * 160;
    wire.udp(from_ms + i * 20.0, a, b, rtp(type, n, time, ssrc));
    wire.udp(from_ms + i * 20.0 + 5, b, a, rtp(type, n, time, ssrc + 1), 52);
  }
}

}  // namespace callwitness::classify::test
