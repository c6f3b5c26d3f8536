// Classic pcap (draft-ietf-opsawg-pcap): µs, ns and Kuznetzov's variant, both byte orders.
#pragma once

#include "capture/files/byte_order.hpp"
#include "capture/files/byte_stream.hpp"
#include "capture/files/damage.hpp"
#include "capture/packet.hpp"

namespace callwitness::capture {

class PcapReader {
 public:
  /// True when the input begins as a pcap file; consumes nothing.
  static bool recognises(Bytes start);
  PcapReader(ByteStream& stream, DamageLog& damage, CaptureRecord& record);
  /// False when the file header is cut.
  bool start();
  bool next(Packet& packet);
  /// `next` will deliver an ordinary packet, and leave the bytes of those before it in their place.
  bool ready() const;

 private:
  struct Header {
    std::uint32_t seconds, fraction, captured, wire;
  };
  Header header_at(const std::uint8_t* at) const;
  bool possible(const Header& header) const;
  bool usual(const Header& header, const Header& before) const;
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
