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

/// `Record` has a member `second`. Records stay sorted by it; the newest is at the back.
template <class Record>
class Seconds {
 public:
  Record& at(std::uint32_t second) {
    if (!records_.empty() && records_.back().second == second) return records_.back();
    if (records_.empty() || records_.back().second < second) {
      records_.push_back({});
      records_.back().second = second;
      return records_.back();
    }
    const auto place = std::lower_bound(records_.begin(), records_.end(), second,
                                        [](const Record& record, std::uint32_t value) { return record.second < value; });
    if (place->second == second) return *place;
    const auto made = records_.insert(place, Record{});
    made->second = second;
    return *made;
  }
  const std::vector<Record>& records() const { return records_; }

 private:
  std::vector<Record> records_;
};

struct FlowSecond {
  std::uint32_t second = 0;
  std::uint32_t bytes[2] = {0, 0};          ///< IP bytes forward, backward
};

struct StreamSecond {
  std::uint32_t second = 0;
  std::uint32_t bytes = 0;
  std::uint32_t unique = 0;                 ///< packets, without repeats and strays
  std::uint32_t late_50 = 0, late_200 = 0, late_adaptive = 0;
  float buffer_ms = 0;                      ///< sum of the adaptive buffer's depths
  std::uint32_t timed = 0;                  ///< packets that went through the simulated buffers
};

}  // namespace callwitness::metrics
