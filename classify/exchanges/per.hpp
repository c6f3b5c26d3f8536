// Aligned packed encoding rules (ITU-T X.691): the forms that H.225.0 and H.245 use where they name media. What is
// larger or longer than those protocols have it isn't followed: ok() becomes false for good, and all reads give 0.
#pragma once

#include "capture/address.hpp"
#include "capture/cursor.hpp"

#include <algorithm>
#include <cstdint>

namespace callwitness::classify {

using capture::Bytes;

/// Four or sixteen bytes; of another number: none.
inline capture::IpAddress address_of(Bytes network) {
  capture::IpAddress address;
  if (network.size() != 4 && network.size() != 16) return address;
  std::copy(network.begin(), network.end(), address.bytes.begin());
  address.version = network.size() == 4 ? 4 : 6;
  return address;
}

class PerReader {
 public:
  explicit PerReader(Bytes bytes) : cursor_(bytes) {}

  bool ok() const { return ok_ && cursor_.ok(); }
  void give_up() { ok_ = false; }

  std::uint32_t bits(unsigned count) {   ///< ≤ 32
    std::uint32_t value = 0;
    for (; count > 0; --count) {
      if (left_ == 0) {
        byte_ = cursor_.u8();
        left_ = 8;
      }
      value = value << 1 | (byte_ >> --left_ & 1u);
    }
    return ok() ? value : 0;
  }
  bool flag() { return bits(1) != 0; }

  Bytes octets(std::size_t count) {      ///< on the next byte's boundary
    left_ = 0;
    const Bytes taken = cursor_.take(count);
    return ok() ? taken : Bytes{};
  }
  std::uint8_t octet() { const Bytes one = octets(1); return one.empty() ? std::uint8_t{0} : one[0]; }
  /// A number of a range of 257 to 65,536 values, above its least (10.5.7.3).
  std::uint16_t two_octets() { const Bytes two = octets(2); return two.empty() ? std::uint16_t{0} : static_cast<std::uint16_t>(two[0] << 8 | two[1]); }
  /// A number of a wider range, whose own length takes `width` bits (10.5.7.4).
  void skip_long(unsigned width) { octets(bits(width) + 1u); }

  /// The general length (10.9.3.6, 10.9.3.7); of fragments (10.9.3.8) nothing is made.
  std::size_t length() {
    const std::uint8_t first = octet();
    if (first < 0x80) return first;
    if (first >= 0xc0) give_up();
    return static_cast<std::size_t>((first & 0x3f) << 8) | octet();
  }
  Bytes counted() { return octets(length()); }   ///< octet string, object identifier, open type

  /// An alternative of a choice with `width` bits of root; `extended`: it comes as an open type (22).
  struct Choice { std::uint32_t index = 0; bool extended = false; };
  Choice choice(unsigned width) {
    if (!flag()) return {bits(width), false};
    return {small(), true};
  }

  /// The additions to a sequence that has any (18.7 to 18.9): calls `use(index, open type)` for each that is there.
  template <typename Use>
  void additions(bool extended, const Use& use) {
    if (!extended) return;
    const std::uint32_t count = small() + 1;
    std::uint64_t present = 0;
    for (std::uint32_t i = 0; i < count; ++i) present = present << 1 | bits(1);
    for (std::uint32_t i = 0; i < count && ok(); ++i) {
      if (present >> (count - 1 - i) & 1) {
        const Bytes value = counted();
        if (ok()) use(i, value);
      }
    }
  }
  void skip_additions(bool extended) { additions(extended, [](std::uint32_t, Bytes) {}); }

 private:
  std::uint32_t small() {                ///< normally small number below 64 (10.6)
    if (flag()) give_up();
    return bits(6);
  }
  capture::Cursor cursor_;
  std::uint8_t byte_ = 0;
  unsigned left_ = 0;
  bool ok_ = true;
};

}  // namespace callwitness::classify
