#include "capture/files/pcapng_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace callwitness::capture {

namespace {

namespace block_type {
constexpr std::uint32_t section = 0x0a0d0d0a, interface = 1, obsolete_packet = 2, simple_packet = 3,
                        statistics = 5, enhanced_packet = 6, secrets = 10, custom = 0x0bad, custom_uncopied = 0x40000bad;
}
constexpr std::uint32_t byte_order_magic = 0x1a2b3c4d;
constexpr std::size_t smallest_block = 12, largest_block = std::size_t{16} << 20, smallest_section = 28;
constexpr std::size_t most_interfaces = 1'000'000;   // 24 MB; a file of nothing but interfaces stays bounded
constexpr std::size_t most_comments = 100, longest_comment = 1024, most_drop_reports = 65'536;
constexpr std::size_t scan_step = std::size_t{1} << 16;

bool known(std::uint32_t type) {
  return (type >= block_type::interface && type <= block_type::enhanced_packet) || type == block_type::secrets ||
         type == block_type::section || type == block_type::custom || type == block_type::custom_uncopied;
}
}  // namespace

struct PcapngReader::Fields {
  std::uint32_t interface = 0;
  std::uint64_t ticks = 0;
  bool has_time = true;
  std::uint32_t captured = 0, wire = 0;
  Bytes after;   ///< data, padding, options
};

bool PcapngReader::recognises(Bytes start) {
  if (start.size() < 12 || FileOrder{}.u32(start.data()) != block_type::section) return false;
  return FileOrder{false}.u32(start.data() + 8) == byte_order_magic ||
         FileOrder{true}.u32(start.data() + 8) == byte_order_magic;
}

PcapngReader::PcapngReader(ByteStream& stream, DamageLog& damage, CaptureRecord& record)
    : stream_(stream), damage_(damage), record_(record) {}

bool PcapngReader::start() {
  record_.format = "pcapng";
  return stream_.peek(smallest_section).size() >= smallest_section;
}

/// The whole next block, still in the window; skips and tells what is broken.
bool PcapngReader::next_block(Bytes& block) {
  for (;;) {
    Bytes window = stream_.peek(smallest_block);
    if (window.empty()) return false;
    if (window.size() < smallest_block) {
      damage_.damage("cut_file", packets_, stream_.position(),
                     "the file ends inside a block's header: it was cut; what came before is analysed");
      return false;
    }
    FileOrder order = order_;
    const bool is_section = FileOrder{}.u32(window.data()) == block_type::section;
    if (is_section) order.swapped = FileOrder{}.u32(window.data() + 8) != byte_order_magic;
    const std::uint32_t length = order.u32(window.data() + 4);
    const bool possible = length >= smallest_block && length % 4 == 0 && length <= largest_block &&
                          (!is_section || (length >= smallest_section && order.u32(window.data() + 8) == byte_order_magic));
    if (possible) {
      window = stream_.peek(length);
      if (window.size() >= length) {
        const std::uint32_t repeated = order.u32(window.data() + length - 4);
        if (repeated == length || plausible_block_at(length)) {
          if (repeated != length)
            damage_.damage("block_length_mismatch", packets_, stream_.position(),
                           "a block's two lengths differ: the first was taken, since a block begins there");
          order_ = order;
          block = stream_.peek(length).first(length);
          return true;
        }
      } else {
        damage_.damage("cut_file", packets_, stream_.position(),
                       "the file ends inside a block: it was cut; what came before is analysed");
        return resynchronise() && next_block(block);
      }
    }
    damage_.damage("bad_block", packets_, stream_.position(),
                   fmt::format("a block has an impossible length ({}): skipped to the next block found", length));
    if (!resynchronise()) return false;
  }
}

/// A block of a known type begins at `offset` of the window and ends with its own length, or the file ends there.
bool PcapngReader::plausible_block_at(std::size_t offset) {
  Bytes window = stream_.peek(offset + smallest_block);
  if (window.size() == offset) return true;
  if (window.size() < offset + smallest_block) return false;
  FileOrder order = order_;
  if (FileOrder{}.u32(window.data() + offset) == block_type::section)
    order.swapped = FileOrder{}.u32(window.data() + offset + 8) != byte_order_magic;
  const std::uint32_t type = order.u32(window.data() + offset), length = order.u32(window.data() + offset + 4);
  if (!known(type) || length < smallest_block || length % 4 != 0 || length > largest_block) return false;
  window = stream_.peek(offset + length);
  return window.size() >= offset + length && order.u32(window.data() + offset + length - 4) == length;
}

bool PcapngReader::resynchronise() {
  stream_.consume(1);
  for (;;) {
    const std::size_t available = std::min(stream_.peek(scan_step).size(), scan_step);
    if (available < smallest_block) return false;
    std::size_t place = 0;
    for (; place + smallest_block <= available; ++place) {
      const std::uint8_t* at = stream_.peek(available).data() + place;
      if (!known(order_.u32(at)) || !plausible_block_at(place)) continue;
      stream_.consume(place);
      return true;
    }
    stream_.consume(place);
  }
}

bool PcapngReader::ready() const {
  const Bytes window = stream_.at_hand();
  constexpr std::size_t fields = 32;   // of an enhanced packet block, without its data and options
  if (window.size() < fields || order_.u32(window.data()) != block_type::enhanced_packet) return false;
  const std::uint32_t length = order_.u32(window.data() + 4);
  return length >= fields && length % 4 == 0 && length <= largest_block && length <= window.size() &&
         order_.u32(window.data() + length - 4) == length && order_.u32(window.data() + 8) < interfaces_.size() &&
         order_.u32(window.data() + 20) <= length - fields;
}

bool PcapngReader::next(Packet& packet) {
  for (Bytes block; next_block(block);) {
    block_position_ = stream_.position();
    const bool delivered = read(block, packet) == Block::packet;
    stream_.consume(block.size());
    if (delivered) return true;
  }
  return false;
}

PcapngReader::Block PcapngReader::read(Bytes block, Packet& packet) {
  bool delivered = false;
  switch (order_.u32(block.data())) {
    case block_type::enhanced_packet: delivered = enhanced(block, packet); break;
    case block_type::simple_packet: delivered = simple(block, packet); break;
    case block_type::obsolete_packet: delivered = obsolete(block, packet); break;
    case block_type::section: section(block); break;
    case block_type::interface: interface_description(block); break;
    case block_type::statistics: statistics(block); break;
    default: break;   // names, secrets and private blocks: no packets, and nothing that may be kept
  }
  return delivered ? Block::packet : Block::other;
}

bool PcapngReader::enhanced(Bytes block, Packet& packet) {
  if (block.size() < 32) {
    damage_.damage("short_block", packets_, block_position_, "a packet block is too short for its fields: skipped");
    return false;
  }
  Fields fields;
  fields.interface = order_.u32(block.data() + 8);
  fields.ticks = std::uint64_t{order_.u32(block.data() + 12)} << 32 | order_.u32(block.data() + 16);
  fields.captured = order_.u32(block.data() + 20);
  fields.wire = order_.u32(block.data() + 24);
  fields.after = block.subspan(28, block.size() - 32);
  return deliver(fields, packet);
}

bool PcapngReader::obsolete(Bytes block, Packet& packet) {
  if (block.size() < 32) {
    damage_.damage("short_block", packets_, block_position_, "a packet block is too short for its fields: skipped");
    return false;
  }
  constexpr std::uint16_t drops_unknown = 0xffff;
  Fields fields;
  fields.interface = order_.u16(block.data() + 8);
  const std::uint16_t drops = order_.u16(block.data() + 10);
  fields.ticks = std::uint64_t{order_.u32(block.data() + 12)} << 32 | order_.u32(block.data() + 16);
  fields.captured = order_.u32(block.data() + 20);
  fields.wire = order_.u32(block.data() + 24);
  fields.after = block.subspan(28, block.size() - 32);
  if (!deliver(fields, packet)) return false;
  if (drops != drops_unknown && drops != 0) {
    drops_by_packets_ += drops;
    tell_drops(packet.time);
  }
  return true;
}

bool PcapngReader::simple(Bytes block, Packet& packet) {
  if (block.size() < 16 || interfaces_.empty()) {
    damage_.damage("short_block", packets_, block_position_,
                   "a simple packet is too short or has no interface before it: skipped");
    return false;
  }
  Fields fields;
  fields.wire = order_.u32(block.data() + 8);
  fields.after = block.subspan(12, block.size() - 16);
  fields.captured = static_cast<std::uint32_t>(std::min<std::size_t>(fields.wire, fields.after.size()));
  if (interfaces_[0].snap_length != 0) fields.captured = std::min(fields.captured, interfaces_[0].snap_length);
  fields.has_time = false;
  return deliver(fields, packet);
}

bool PcapngReader::deliver(const Fields& fields, Packet& packet) {
  if (fields.interface >= interfaces_.size()) {
    damage_.damage("unknown_interface", packets_, block_position_,
                   fmt::format("a packet names interface {}, which is not described before it: skipped", fields.interface));
    return false;
  }
  if (fields.captured > fields.after.size()) {
    damage_.damage("packet_beyond_block", packets_, block_position_,
                   "a packet's captured length runs past its block: skipped");
    return false;
  }
  const Interface& interface = interfaces_[fields.interface];
  packet.direction = LinkDirection::unknown;
  packet.link_type = interface.link_type;
  packet.wire_length = fields.wire;
  packet.bytes = fields.after.first(fields.captured);
  if (fields.has_time) {
    bool clamped = false;
    packet.time = interface.clock.at(fields.ticks, clamped);
    if (clamped) [[unlikely]]
      damage_.oddity("time_out_of_range", packets_, block_position_,
                     "a time lies outside the years 1824 to 2116: taken as the nearest end");
  } else {
    packet.time = last_time_;   // a simple packet has none; it came after the one before it
    damage_.oddity("packet_without_time", packets_, block_position_,
                   "simple packet blocks have no times: the time before them is taken; rates can't be trusted there");
  }
  last_time_ = packet.time;
  if (fields.captured > fields.wire) [[unlikely]]
    damage_.oddity("captured_more_than_wire", packets_, block_position_,
                   "a packet claims more captured bytes than it had on the wire");
  const std::size_t padded = (std::size_t{fields.captured} + 3) & ~std::size_t{3};
  if (fields.has_time && fields.after.size() >= padded + 4)
    packet_options(fields.after.subspan(padded), fields.interface, packet);
  ++packets_;
  return true;
}

template <class Visit>
bool PcapngReader::options(Bytes bytes, Visit visit) {
  while (bytes.size() >= 4) {
    const std::uint16_t code = order_.u16(bytes.data()), length = order_.u16(bytes.data() + 2);
    if (code == 0) return true;
    const std::size_t padded = (std::size_t{length} + 3) & ~std::size_t{3};
    if (padded > bytes.size() - 4) {
      damage_.damage("option_beyond_block", packets_, block_position_, "an option runs past its block: left out");
      return false;
    }
    visit(code, bytes.subspan(4, length));
    bytes = bytes.subspan(4 + padded);
  }
  return true;
}

void PcapngReader::packet_options(Bytes bytes, std::uint32_t, Packet& packet) {
  constexpr std::uint16_t flags_option = 2, drop_count_option = 4;
  constexpr std::uint32_t inbound = 1, outbound = 2;
  options(bytes, [&](std::uint16_t code, Bytes value) {
    if (code == flags_option && value.size() == 4) {
      const std::uint32_t way = order_.u32(value.data()) & 3;
      if (way == inbound) packet.direction = LinkDirection::inbound;
      if (way == outbound) packet.direction = LinkDirection::outbound;
    } else if (code == drop_count_option && value.size() == 8) {
      const std::uint64_t drops = order_.u64(value.data());
      if (drops == 0) return;
      drops_by_packets_ = drops > UINT64_MAX - drops_by_packets_ ? UINT64_MAX : drops_by_packets_ + drops;
      tell_drops(packet.time);
    }
  });
}

void PcapngReader::section(Bytes block) {
  interfaces_.clear();
  options(block.subspan(24, block.size() - 28), [&](std::uint16_t code, Bytes value) {
    if (code == 1) comment(value);
  });
}

void PcapngReader::interface_description(Bytes block) {
  if (block.size() < 20 || interfaces_.size() >= most_interfaces) {
    damage_.damage("bad_interface", packets_, block_position_,
                   "an interface description is too short, or there are too many of them: left out");
    return;
  }
  constexpr std::uint16_t resolution_option = 9, offset_option = 14;
  constexpr int finest_usual_power_of_ten = 12, finest_usual_power_of_two = 40;
  Interface interface;
  interface.link_type = static_cast<LinkType>(order_.u16(block.data() + 8));
  interface.snap_length = order_.u32(block.data() + 12);
  options(block.subspan(16, block.size() - 20), [&](std::uint16_t code, Bytes value) {
    if (code == 1) comment(value);
    if (code == resolution_option && value.size() == 1) {
      interface.clock.set_resolution(value[0]);
      if (value[0] == 0x80 || value[0] == 0 ||
          (value[0] & 0x7f) > (value[0] & 0x80 ? finest_usual_power_of_two : finest_usual_power_of_ten))
        damage_.oddity("odd_time_resolution", packets_, block_position_,
                       "an interface counts time in a unit that no clock has: times can't be trusted there");
    }
    if (code == offset_option && value.size() == 8)
      interface.clock.set_offset(static_cast<std::int64_t>(order_.u64(value.data())));
  });
  record_.link_types.insert(static_cast<std::uint16_t>(interface.link_type));
  interfaces_.push_back(interface);
}

void PcapngReader::statistics(Bytes block) {
  if (block.size() < 24) return;
  constexpr std::uint16_t interface_drops_option = 5, system_drops_option = 7;
  const std::uint32_t id = order_.u32(block.data() + 8);
  if (id >= interfaces_.size()) return;
  const std::uint64_t ticks = std::uint64_t{order_.u32(block.data() + 12)} << 32 | order_.u32(block.data() + 16);
  bool clamped = false;
  const Time time = interfaces_[id].clock.at(ticks, clamped);
  std::uint64_t drops = 0;
  bool told = false;
  options(block.subspan(20, block.size() - 24), [&](std::uint16_t code, Bytes value) {
    if ((code != interface_drops_option && code != system_drops_option) || value.size() != 8) return;
    const std::uint64_t more = order_.u64(value.data());
    drops = more > UINT64_MAX - drops ? UINT64_MAX : drops + more;
    told = true;
  });
  if (!told) return;
  // Counters run on: the last block of an interface holds its sum.
  drops_by_statistics_ += drops - std::min(drops, interfaces_[id].drops);
  interfaces_[id].drops = std::max(interfaces_[id].drops, drops);
  tell_drops(clamped ? last_time_ : time);
}

/// Both ways of telling count the same drops; the larger sum is the better one.
void PcapngReader::tell_drops(Time time) {
  const std::uint64_t drops = std::max(drops_by_statistics_, drops_by_packets_);
  record_.dropped_by_capture = drops;
  if (record_.drop_history.size() < most_drop_reports) record_.drop_history.emplace_back(time, drops);
}

void PcapngReader::comment(Bytes text) {
  if (record_.comments.size() >= most_comments) return;
  const Bytes kept = text.first(std::min(text.size(), longest_comment));
  record_.comments.emplace_back(std::string(kept.begin(), kept.end()));
}

}  // namespace callwitness::capture
