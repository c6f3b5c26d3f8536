// The one bounds-checked way to read raw bytes. A read past the end returns 0 and makes `ok()` false for good.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace callwitness::capture {

using Bytes = std::span<const std::uint8_t>;

class Cursor {
 public:
  explicit Cursor(Bytes bytes) : bytes_(bytes) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(big_endian<1>()); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(big_endian<2>()); }
  std::uint32_t u24() { return static_cast<std::uint32_t>(big_endian<3>()); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(big_endian<4>()); }
  std::uint64_t u64() { return big_endian<8>(); }
  std::uint16_t u16_le() { return static_cast<std::uint16_t>(little_endian<2>()); }
  std::uint32_t u32_le() { return static_cast<std::uint32_t>(little_endian<4>()); }
  std::uint64_t u64_le() { return little_endian<8>(); }

  /// The next `count` bytes; empty (and not ok) when there are fewer.
  Bytes take(std::size_t count) {
    if (!has(count)) return {};
    const Bytes taken = bytes_.subspan(position_, count);
    position_ += count;
    return taken;
  }
  void skip(std::size_t count) { take(count); }
  Bytes rest() const { return bytes_.subspan(position_); }
  std::size_t remaining() const { return bytes_.size() - position_; }
  std::size_t position() const { return position_; }
  bool ok() const { return ok_; }

 private:
  bool has(std::size_t count) {
    if (!ok_ || count > remaining()) {
      ok_ = false;
      position_ = bytes_.size();
      return false;
    }
    return true;
  }
  // The count is a constant so that compilers make one load of it.
  template <std::size_t count>
  std::uint64_t big_endian() {
    if (!has(count)) return 0;
    const std::uint8_t* const at = bytes_.data() + position_;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value = value << 8 | at[i];
    position_ += count;
    return value;
  }
  template <std::size_t count>
  std::uint64_t little_endian() {
    if (!has(count)) return 0;
    const std::uint8_t* const at = bytes_.data() + position_;
    std::uint64_t value = 0;
    for (std::size_t i = count; i-- > 0;) value = value << 8 | at[i];
    position_ += count;
    return value;
  }

  Bytes bytes_;
  std::size_t position_ = 0;
  bool ok_ = true;
};

}  // namespace callwitness::capture
