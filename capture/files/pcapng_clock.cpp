#include "capture/files/pcapng_clock.hpp"

namespace callwitness::capture {

namespace {
__extension__ using Wide = __int128;
__extension__ using UnsignedWide = unsigned __int128;
constexpr std::int64_t nanoseconds_per_second = 1'000'000'000;
}  // namespace

void PcapngClock::set_resolution(std::uint8_t value) {
  resolution_ = value;
  nanoseconds_per_tick_ = 0;
  if (value <= 9) {
    nanoseconds_per_tick_ = 1;
    for (int power = value; power < 9; ++power) nanoseconds_per_tick_ *= 10;
    largest_plain_ = static_cast<std::uint64_t>(latest_time.time_since_epoch().count() / nanoseconds_per_tick_);
  }
}

Time PcapngClock::exact(std::uint64_t ticks, bool& clamped) const {
  Wide nanoseconds = 0;
  if (nanoseconds_per_tick_ != 0) {
    nanoseconds = Wide{ticks} * nanoseconds_per_tick_;
  } else if (resolution_ & 0x80) {
    const int power = resolution_ & 0x7f;
    // 64 bits of ticks times 2^30 nanoseconds a second fit into 128 bits; beyond 2^94 nothing is left of them.
    nanoseconds = power < 96 ? static_cast<Wide>((UnsignedWide{ticks} * nanoseconds_per_second) >> power) : 0;
  } else {
    UnsignedWide divisor = 1;
    for (int power = 9; power < resolution_ && divisor <= ticks; ++power) divisor *= 10;
    nanoseconds = static_cast<Wide>(UnsignedWide{ticks} / divisor);
  }
  nanoseconds += Wide{offset_seconds_} * nanoseconds_per_second;
  if (nanoseconds > latest_time.time_since_epoch().count() || nanoseconds < earliest_time.time_since_epoch().count()) {
    clamped = true;
    return nanoseconds < 0 ? earliest_time : latest_time;
  }
  return Time(Duration(static_cast<std::int64_t>(nanoseconds)));
}

}  // namespace callwitness::capture
