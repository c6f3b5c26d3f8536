// Copies that the capture itself made: interface "any" over a bond and its slaves, a mirror port that shows both directions, a
// router seen on both its sides. The network did not send them, so nothing may count them. docs/methods/streams.md
#pragma once

#include "capture/datagram.hpp"

#include <array>
#include <cstdint>

namespace callwitness::classify {

/// Of one way of a flow: how many datagrams came, and how many of them once more at once.
struct CopyCounters {
  std::uint16_t originals = 0, copies = 0;
};

class CopyWatch {
 public:
  /// True for a copy by the capture: the same datagram but for its hop limit, milliseconds later, in a flow whose datagrams
  /// nearly all are there so. A network's duplicates are few, and stay.
  bool is_copy(const capture::Datagram& datagram, CopyCounters& counters);

 private:
  struct Seen { std::uint64_t mark = 0; capture::Time time; };
  static constexpr std::size_t places = 1024;
  std::array<Seen, places> seen_{};
};

}  // namespace callwitness::classify
