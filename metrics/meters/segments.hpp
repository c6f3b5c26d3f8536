// The data segments of one way of a TCP connection that moves a lot: 16 bytes each, judged only at the end. What was lost
// is worked out then (metrics/tcp/losses.hpp), so that the per-packet path only appends.
#pragma once

#include "capture/datagram.hpp"

#include <cstdint>
#include <deque>
#include <vector>

namespace callwitness::metrics {

struct Segment {
  std::uint32_t time = 0;       ///< 10 µs since the first
  std::uint32_t begin = 0;      ///< sequence number, relative to the first
  std::uint32_t ordinal = 0;
  std::uint16_t payload = 0;
  std::uint16_t delay = 0;      ///< 0.1 ms until everything up to its end was acknowledged; 0: never, or too long
};
static_assert(sizeof(Segment) == 16);

/// As a detector reads them: oldest first.
struct SegmentRecord {
  capture::Time start;
  std::uint16_t header_bytes = 0;         ///< IP and TCP headers of each
  std::vector<Segment> segments;
};

class SegmentTrace {
 public:
  static constexpr std::size_t limit = 250'000;   ///< then the rest of the connection isn't described: 4 MB a way
  /// True when it was kept (what a mirror port shows twice and keep-alive probes are not).
  bool add(const capture::Datagram& datagram);
  void acknowledge(const capture::Datagram& datagram);
  /// This trace is empty then.
  SegmentRecord take();

 private:
  std::uint32_t since_start(capture::Time time) const;
  capture::Time start_;
  std::uint32_t first_ = 0, highest_ = 0;         ///< highest: relative end of what was seen
  std::uint32_t last_begin_ = 0;
  std::uint16_t header_bytes_ = 0, last_ip_id_ = 0;
  bool over_ = false;
  std::size_t acknowledged_ = 0;                  ///< segments[0 … here) are
  std::deque<Segment> segments_;
};

}  // namespace callwitness::metrics
