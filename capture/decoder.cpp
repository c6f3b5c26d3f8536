#include "capture/decoder.hpp"

#include "capture/decoding/decoder_state.hpp"

#include <utility>

namespace callwitness::capture {

namespace {
/// https://www.tcpdump.org/linktypes.html. Where files hold a system's own DLT number instead, that is named too.
namespace link_type {
constexpr std::uint16_t null = 0, ethernet = 1, ppp = 9, dlt_raw = 12, dlt_raw_openbsd = 14, ppp_hdlc = 50, pppoe = 51,
                        raw = 101, cisco_hdlc = 104, wifi = 105, loop = 108, sll = 113, wifi_prism = 119,
                        wifi_radiotap = 127, user_2 = 149, ppp_with_direction = 204, ipv4 = 228,
                        ipv6 = 229, pktap = 258, sll2 = 276;
}
constexpr std::uint32_t prism_size = 144;
}  // namespace

Decoder::Decoder(DatagramSink& sink, Anomalies& anomalies) : state_(new State(sink, anomalies)) {}
Decoder::~Decoder() = default;
void Decoder::on_idle(Time now) { state_->sink.on_idle(now); }
void Decoder::finish() { state_->sink.finish(); }

void Decoder::on_packet(const Packet& packet) {
  state_->decode(packet);
  state_->flush();
}

void Decoder::on_packets(std::span<const Packet> packets) {
  for (const Packet& packet : packets) state_->decode(packet);
  state_->flush();
}

void Decoder::State::decode(const Packet& one) {
  if (told == datagrams.size()) flush();
  packet = &one;
  direction = one.direction;
  owner = {};
  const auto wire = std::max(one.wire_length, static_cast<std::uint32_t>(one.bytes.size()));
  if (static_cast<std::uint16_t>(one.link_type) == link_type::ethernet && plain_udp(one.bytes, wire)) return;
  frame(static_cast<std::uint16_t>(one.link_type), {one.bytes, wire}, 0);
}

void Decoder::State::flush() {
  const std::size_t count = std::exchange(told, 0);
  if (count == 1) sink.on_datagram(datagrams[0]);
  else if (count > 1) sink.on_datagrams({datagrams.data(), count});
}

void Decoder::State::frame(std::uint16_t type, Slice frame, int depth) {
  if (too_deep(depth)) return;
  switch (type) {
    case link_type::ethernet: return ethernet(frame, depth);
    case link_type::null:
    case link_type::loop: return link(read_loopback(frame), depth);
    case link_type::raw:
    case link_type::dlt_raw:
    case link_type::dlt_raw_openbsd:
    case link_type::ipv4:
    case link_type::ipv6: return link(read_raw_ip(frame), depth);
    case link_type::sll: return link(read_sll(frame), depth);
    case link_type::sll2: return link(read_sll2(frame), depth);
    case link_type::ppp: return link(read_ppp(frame), depth);
    case link_type::ppp_hdlc: return hdlc_or_ppp(frame, depth);
    case link_type::cisco_hdlc: return link(read_cisco_hdlc(frame), depth);
    case link_type::ppp_with_direction: return ppp_with_direction(frame, depth);
    case link_type::pppoe: return pppoe(frame, depth);
    case link_type::wifi: return wifi(frame, depth);
    case link_type::wifi_prism: return wifi(frame.after(prism_size), depth);
    case link_type::wifi_radiotap: return radiotap(frame, depth);
    case link_type::user_2:
    case link_type::pktap: return pktap(frame, depth);
    default: anomalies.count("unknown_link_type");
  }
}

void Decoder::State::link(const std::optional<LinkResult>& result, int depth) {
  if (!result) return anomalies.count("truncated_header");
  if (result->direction != LinkDirection::unknown) direction = result->direction;
  network(result->ether_type, result->payload, depth + 1);
}

}  // namespace callwitness::capture
