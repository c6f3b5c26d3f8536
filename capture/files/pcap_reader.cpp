#include "capture/files/pcap_reader.hpp"

#include <algorithm>

namespace callwitness::capture {

namespace {
constexpr std::uint32_t magic_microseconds = 0xa1b2c3d4, magic_nanoseconds = 0xa1b23c4d, magic_modified = 0xa1b2cd34;
constexpr std::size_t file_header_size = 24;
/// libpcap's bound of a record for all link types but USB and D-Bus, whose files carry a larger snap length.
constexpr std::uint32_t usual_longest = 262'144;
constexpr std::size_t scan_step = std::size_t{1} << 16;
}  // namespace

bool PcapReader::recognises(Bytes start) {
  if (start.size() < 4) return false;
  for (const bool swapped : {false, true}) {
    const std::uint32_t magic = FileOrder{swapped}.u32(start.data());
    if (magic == magic_microseconds || magic == magic_nanoseconds || magic == magic_modified) return true;
  }
  return false;
}

PcapReader::PcapReader(ByteStream& stream, DamageLog& damage, CaptureRecord& record)
    : stream_(stream), damage_(damage), record_(record) {}

bool PcapReader::start() {
  const Bytes start = stream_.peek(file_header_size);
  if (start.size() < file_header_size) return false;
  std::uint32_t magic = order_.u32(start.data());
  if (magic != magic_microseconds && magic != magic_nanoseconds && magic != magic_modified) {
    order_.swapped = true;
    magic = order_.u32(start.data());
  }
  if (magic == magic_nanoseconds) {
    fractions_per_second_ = 1'000'000'000;
    nanoseconds_per_fraction_ = 1;
  }
  if (magic == magic_modified) header_size_ = 24;   // interface index, protocol and packet type follow the lengths
  record_.format = magic == magic_nanoseconds ? "pcap-ns" : "pcap";
  // Before version 2.3 the two lengths of a record stood the other way round; 2.3 itself had both (libpcap).
  const std::uint16_t major = order_.u16(start.data() + 4), minor = order_.u16(start.data() + 6);
  lengths_swapped_ = major == 543 || (major == 2 && minor < 3);
  lengths_maybe_swapped_ = major == 2 && minor == 3;
  snap_length_ = order_.u32(start.data() + 16);
  if (snap_length_ == 0 || snap_length_ > INT32_MAX) snap_length_ = usual_longest;
  longest_ = std::clamp(snap_length_, usual_longest, largest_longest);
  // The upper bits tell the length of a frame check sequence, which the IP length cuts off anyway.
  link_type_ = static_cast<LinkType>(order_.u32(start.data() + 20) & 0xffff);
  record_.link_types.insert(static_cast<std::uint16_t>(link_type_));
  stream_.consume(file_header_size);
  return true;
}

bool PcapReader::suspicious(const Header& header) const {
  return header.fraction >= fractions_per_second_ || header.wire > largest_longest || header.captured > header.wire ||
         (have_last_ && distance(header.seconds, last_.seconds) > seconds_per_day);
}

/// The record fits, and another one begins where it ends (or less than a header is left, as of a cut file).
bool PcapReader::confirmed(std::size_t offset, const Header& header) {
  const std::size_t end = offset + header_size_ + header.captured;
  const Bytes window = stream_.peek(end + header_size_);
  if (window.size() < end + header_size_) return window.size() >= end;
  return possible(header_at(window.data() + end));
}

bool PcapReader::next(Packet& packet) {
  for (;;) {
    Bytes window = stream_.peek(header_size_);
    if (window.size() < header_size_) {
      if (!window.empty())
        damage_.damage("cut_file", packets_, stream_.position(),
                       "the file ends inside a packet's header: it was cut; what came before is analysed");
      return false;
    }
    const Header header = header_at(window.data());
    if (!possible(header) || (suspicious(header) && !confirmed(0, header))) {
      damage_.damage("bad_record", packets_, stream_.position(),
                     "no packet can begin like this (impossible length or time): skipped to the next one found");
      if (!resynchronise()) return false;
      continue;
    }
    const std::size_t total = header_size_ + header.captured;
    window = stream_.peek(total);
    if (window.size() < total) {
      damage_.damage("cut_file", packets_, stream_.position(),
                     "the file ends inside a packet: it was cut; what came before is analysed");
      // A plausible length may still be garbage with packets behind it.
      if (have_last_ && !usual(header, last_) && resynchronise()) continue;
      return false;
    }
    if (header.fraction >= fractions_per_second_) [[unlikely]]
      damage_.oddity("time_fraction_out_of_range", packets_, stream_.position(),
                     "a time has more than a second in its fraction: carried over into the seconds");
    if (header.captured > header.wire) [[unlikely]]
      damage_.oddity("captured_more_than_wire", packets_, stream_.position(),
                     "a packet claims more captured bytes than it had on the wire");
    deliver(window, header, packet);
    return true;
  }
}

/// Goes to the next place where two records follow each other within a day (or one ends the file).
bool PcapReader::resynchronise() {
  stream_.consume(1);
  for (;;) {
    const std::size_t available = std::min(stream_.peek(scan_step).size(), scan_step);
    if (available < header_size_) return false;
    std::size_t place = 0;
    for (; place + header_size_ <= available; ++place) {
      const Header header = header_at(stream_.peek(available).data() + place);
      if (!usual(header, have_last_ ? last_ : header) || !confirmed(place, header)) continue;
      if (!have_last_) {
        const std::size_t end = place + header_size_ + header.captured;
        const Bytes window = stream_.peek(end + header_size_);
        if (window.size() >= end + header_size_ && !usual(header_at(window.data() + end), header)) continue;
      }
      stream_.consume(place);
      return true;
    }
    stream_.consume(place);
  }
}

}  // namespace callwitness::capture
