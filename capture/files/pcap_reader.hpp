// Classic pcap (draft-ietf-opsawg-pcap): µs, ns and Kuznetzov's variant, both byte orders.
#pragma once

#include "capture/files/byte_order.hpp"
#include "capture/files/byte_stream.hpp"
#include "capture/files/damage.hpp"
#include "capture/packet.hpp"

#include <algorithm>
#include <utility>

namespace callwitness::capture {

class PcapReader {
 public:
  /// True when the input begins as a pcap file; consumes nothing.
  static bool recognises(Bytes start);
  PcapReader(ByteStream& stream, DamageLog& damage, CaptureRecord& record);
  /// False when the file header is cut.
  bool start();
  bool next(Packet& packet);
  /// As `next`, if an ordinary packet is at hand: leaves the bytes of those before it in their place.
  bool next_at_hand(Packet& packet) {
    const Bytes window = stream_.at_hand();
    if (window.size() < header_size_) return false;
    const Header header = header_at(window.data());
    if (!have_last_ || !usual(header, last_) || window.size() - header_size_ < header.captured) return false;
    constexpr std::size_t ahead = 2'048;   // some packets: the memory is slower than their headers are read
    if (window.size() > ahead + 64) {
      __builtin_prefetch(window.data() + ahead);
      __builtin_prefetch(window.data() + ahead + 64);
    }
    deliver(window, header, packet);
    return true;
  }

 private:
  struct Header {
    std::uint32_t seconds, fraction, captured, wire;
  };
  static constexpr std::uint32_t largest_longest = 16u << 20, seconds_per_day = 86'400;

  Header header_at(const std::uint8_t* at) const {
    Header header{order_.u32(at), order_.u32(at + 4), order_.u32(at + 8), order_.u32(at + 12)};
    if (lengths_swapped_ || (lengths_maybe_swapped_ && header.captured > header.wire)) [[unlikely]]
      std::swap(header.captured, header.wire);
    return header;
  }
  /// Sixteen zero bytes are what a preallocated or half-written file holds, not a packet.
  bool possible(const Header& header) const {
    return header.captured <= longest_ && (header.seconds | header.fraction | header.captured | header.wire) != 0;
  }
  static std::uint32_t distance(std::uint32_t a, std::uint32_t b) { return a > b ? a - b : b - a; }
  bool usual(const Header& header, const Header& before) const {
    return possible(header) && header.captured > 0 && header.captured <= header.wire && header.wire <= largest_longest &&
           header.fraction < fractions_per_second_ && distance(header.seconds, before.seconds) <= seconds_per_day;
  }
  void deliver(Bytes window, const Header& header, Packet& packet) {
    packet.time = Time(Duration(std::int64_t{header.seconds} * 1'000'000'000 +
                                std::int64_t{header.fraction} * nanoseconds_per_fraction_));
    packet.bytes = window.subspan(header_size_, std::min(header.captured, snap_length_));
    packet.wire_length = header.wire;
    packet.link_type = link_type_;
    packet.direction = LinkDirection::unknown;
    stream_.consume(header_size_ + header.captured);
    last_ = header;
    have_last_ = true;
    ++packets_;
  }
  bool suspicious(const Header& header) const;
  bool confirmed(std::size_t offset, const Header& header);
  bool resynchronise();

  ByteStream& stream_;
  DamageLog& damage_;
  CaptureRecord& record_;
  FileOrder order_;
  std::uint32_t header_size_ = 16;
  std::uint32_t fractions_per_second_ = 1'000'000;
  std::uint32_t nanoseconds_per_fraction_ = 1'000;
  std::uint32_t snap_length_ = 0, longest_ = 0;
  bool lengths_swapped_ = false, lengths_maybe_swapped_ = false;
  LinkType link_type_{};
  Header last_{};
  bool have_last_ = false;
  std::uint64_t packets_ = 0;
};

}  // namespace callwitness::capture
