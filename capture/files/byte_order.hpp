// Fixed-size fields at a place already checked to exist: the hot loops' reading, Cursor being for what is nested.
#pragma once

#include <cstdint>
#include <cstring>

namespace callwitness::capture {

/// Fields in the byte order of the file (pcap and pcapng are written in their writer's order).
struct FileOrder {
  bool swapped = false;
  std::uint16_t u16(const std::uint8_t* at) const {
    std::uint16_t value;
    std::memcpy(&value, at, sizeof value);
    return swapped ? __builtin_bswap16(value) : value;
  }
  std::uint32_t u32(const std::uint8_t* at) const {
    std::uint32_t value;
    std::memcpy(&value, at, sizeof value);
    return swapped ? __builtin_bswap32(value) : value;
  }
  std::uint64_t u64(const std::uint8_t* at) const {
    std::uint64_t value;
    std::memcpy(&value, at, sizeof value);
    return swapped ? __builtin_bswap64(value) : value;
  }
};

}  // namespace callwitness::capture
