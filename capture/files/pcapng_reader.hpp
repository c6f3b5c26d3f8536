// pcapng (draft-ietf-opsawg-pcapng): every block that carries packets or statistics; secrets are never read.
#pragma once

#include "capture/files/byte_order.hpp"
#include "capture/files/byte_stream.hpp"
#include "capture/files/damage.hpp"
#include "capture/files/pcapng_clock.hpp"
#include "capture/packet.hpp"

#include <vector>

namespace callwitness::capture {

class PcapngReader {
 public:
  static bool recognises(Bytes start);
  PcapngReader(ByteStream& stream, DamageLog& damage, CaptureRecord& record);
  bool start();
  bool next(Packet& packet);
  /// `next` will deliver an ordinary packet, and leave the bytes of those before it in their place.
  bool ready() const;

 private:
  struct Interface {
    PcapngClock clock;
    std::uint32_t snap_length = 0;
    LinkType link_type{};
    std::uint64_t drops = 0;
  };
  struct Fields;   // of a packet block, whatever its kind
  enum class Block { packet, other };

  bool next_block(Bytes& block);
  bool plausible_block_at(std::size_t offset);
  bool resynchronise();
  Block read(Bytes block, Packet& packet);
  bool enhanced(Bytes block, Packet& packet);
  bool obsolete(Bytes block, Packet& packet);
  bool simple(Bytes block, Packet& packet);
  bool deliver(const Fields& fields, Packet& packet);
  void packet_options(Bytes options, std::uint32_t interface, Packet& packet);
  void section(Bytes block);
  void interface_description(Bytes block);
  void statistics(Bytes block);
  void comment(Bytes text);
  void tell_drops(Time time);
  /// Calls `visit(code, value)` for each option; false when one runs past the end.
  template <class Visit>
  bool options(Bytes bytes, Visit visit);

  ByteStream& stream_;
  DamageLog& damage_;
  CaptureRecord& record_;
  FileOrder order_;
  std::vector<Interface> interfaces_;
  std::uint64_t packets_ = 0;
  std::uint64_t block_position_ = 0;
  std::uint64_t drops_by_statistics_ = 0, drops_by_packets_ = 0;
  Time last_time_{};
};

}  // namespace callwitness::capture
