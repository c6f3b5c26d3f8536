// The decoder's working parts, split over link, network, tunnels and transport.
#pragma once

#include "capture/decoder.hpp"
#include "capture/decoding/layers.hpp"
#include "capture/decoding/reassembly.hpp"

#include <array>

namespace callwitness::capture {

struct Decoder::State {
  State(DatagramSink& to, Anomalies& counts) : sink(to), anomalies(counts), reassembly(counts) {}

  /// Nested headers beyond this are an attack or a fault; real tunnels stay below four.
  static constexpr int deepest = 8;

  void decode(const Packet& packet);
  /// What nearly every packet of a call is, at one look: Ethernet, IPv4 without options or IPv6 without extensions, UDP,
  /// whole and in no tunnel. It tells what the layers would one by one; false: they must look.
  bool plain_udp(Bytes frame, std::uint32_t wire);
  void frame(std::uint16_t link_type, Slice frame, int depth);
  void ethernet(Slice frame, int depth);
  void wifi(Slice frame, int depth);
  void radiotap(Slice frame, int depth);
  void pktap(Slice frame, int depth);
  void ppp_with_direction(Slice frame, int depth);
  void hdlc_or_ppp(Slice frame, int depth);
  void link(const std::optional<LinkResult>& result, int depth);
  void network(std::uint16_t ether_type, Slice packet, int depth);
  void mpls(Slice packet, int depth);
  void pppoe(Slice packet, int depth);
  void ipv4(Slice packet, int depth);
  void ipv6(Slice packet, int depth);
  void payload(const NetworkHeader& header, Slice payload, int depth);
  void tcp(const NetworkHeader& header, Slice payload);
  void udp(const NetworkHeader& header, Slice payload, int depth);
  void icmp(const NetworkHeader& header, Slice payload);
  void other(const NetworkHeader& header, Slice payload);
  bool gre(Slice payload, int depth);
  bool udp_tunnel(const Datagram& datagram, int depth);
  static constexpr std::uint16_t gtp_user = 2152, vxlan = 4789, vxlan_linux = 8472, teredo = 3544, geneve = 6081;
  static bool may_be_tunnel(std::uint16_t source, std::uint16_t destination) {
    return destination == gtp_user || source == gtp_user || destination == vxlan || destination == vxlan_linux ||
           destination == geneve || source == teredo || destination == teredo;
  }
  bool inner_ip(Slice packet, int depth);
  bool plausible_ip(Slice packet) const;
  bool too_deep(int depth);
  /// The length of what PCAPdroid appended to the frame, with a checksum or without; 0: nothing.
  static std::size_t android_trailer_size(Bytes frame) {
    constexpr std::uint32_t magic = 0x01072021;
    for (const std::size_t size : {std::size_t{32}, std::size_t{28}})
      if (frame.size() >= 14 + 20 + size && Cursor(frame.last(size)).u32() == magic) return size;
    return 0;
  }
  void read_android_trailer(Bytes frame);
  /// Where the next datagram is written: nested headers may write it anew until it is told.
  Datagram& begin(const NetworkHeader& header, Slice payload);
  void tell() { ++told; }
  void flush();

  DatagramSink& sink;
  Anomalies& anomalies;
  Reassembly reassembly;
  const Packet* packet = nullptr;
  LinkDirection direction = LinkDirection::unknown;
  std::string_view owner;
  std::array<Datagram, 32> datagrams;   ///< decoded, not handed on yet; their bytes are still the packets'
  std::size_t told = 0;
};

}  // namespace callwitness::capture
