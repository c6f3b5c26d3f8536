// if_tsresol and if_tsoffset: from an interface's ticks to the packet clock.
#pragma once

#include "capture/time.hpp"

#include <cstdint>

namespace callwitness::capture {

class PcapngClock {
 public:
  /// The value of if_tsresol: a power of ten, or of two when the top bit is set.
  void set_resolution(std::uint8_t value);
  void set_offset(std::int64_t seconds) { offset_seconds_ = seconds; }
  /// Sets `clamped` when the time does not fit into years 1824-2116.
  Time at(std::uint64_t ticks, bool& clamped) const {
    if (offset_seconds_ == 0 && nanoseconds_per_tick_ != 0 && ticks <= largest_plain_) [[likely]]
      return Time(Duration(static_cast<std::int64_t>(ticks) * nanoseconds_per_tick_));
    return exact(ticks, clamped);
  }

 private:
  Time exact(std::uint64_t ticks, bool& clamped) const;
  std::int64_t nanoseconds_per_tick_ = 1'000;   ///< 0: finer than a nanosecond, or a power of two
  std::uint64_t largest_plain_ = latest_time.time_since_epoch().count() / 1'000;   ///< ticks whose nanoseconds fit
  std::int64_t offset_seconds_ = 0;
  std::uint8_t resolution_ = 6;
};

}  // namespace callwitness::capture
