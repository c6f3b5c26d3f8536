// What happened in each second, kept only for seconds in which something did: idle flows and jumping clocks cost nothing.
#pragma once

#include "capture/time.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace callwitness::metrics {

/// Second `index` since `origin`; before it 0, beyond 136 years the last.
inline std::uint32_t second_index(capture::Time origin, capture::Time time) {
  const auto since = (time - origin).count();
  if (since < 0) return 0;
  return static_cast<std::uint32_t>(std::min<std::int64_t>(since / 1'000'000'000, 0xfffffffe));
}

/// `Record` has a member `second`. Records are sorted by it; the newest is here itself, where nearly all packets find it.
template <class Record>
class Seconds {
 public:
  Record& at(std::uint32_t second) {
    if (newest_.second == second) [[likely]] return newest_;
    return other(second);
  }
  /// All; the next `at` begins a new newest.
  const std::vector<Record>& records() {
    put_away();
    return records_;
  }

 private:
  static constexpr std::uint32_t none = 0xffffffff;    // second_index never gives it
  static Record fresh(std::uint32_t second) {
    Record record;
    record.second = second;
    return record;
  }
  void put_away() {
    if (newest_.second != none) records_.push_back(newest_);
    newest_ = fresh(none);
  }
  Record& other(std::uint32_t second) {
    if (newest_.second == none ? records_.empty() || records_.back().second < second : newest_.second < second) {
      put_away();
      return newest_ = fresh(second);
    }
    const auto place = std::lower_bound(records_.begin(), records_.end(), second,
                                        [](const Record& record, std::uint32_t value) { return record.second < value; });
    if (place != records_.end() && place->second == second) return *place;
    return *records_.insert(place, fresh(second));
  }

  std::vector<Record> records_;
  Record newest_ = fresh(none);
};

struct FlowSecond {
  std::uint32_t second = 0;
  std::uint32_t bytes[2] = {0, 0};          ///< IP bytes forward, backward
};

struct StreamSecond {
  std::uint32_t second = 0;
  std::uint32_t bytes = 0;
  std::uint32_t unique = 0;                 ///< packets, without repeats and strays
  std::uint32_t late_adaptive = 0;
  std::uint32_t type = 0;                   ///< StreamMeter's place of the payload type that was timed last in it
  float buffer_ms = 0;                      ///< sum of the adaptive buffer's depths
  std::uint32_t timed = 0;                  ///< packets that went through the simulated buffers
};

}  // namespace callwitness::metrics
