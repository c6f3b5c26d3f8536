// One way of a TCP connection as bytes in order: enough for signalling and framed media, bounded, no retransmission
// queue. A hole drops what was gathered; the parsers find their place again.
#pragma once

#include "capture/cursor.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace callwitness::classify {

class StreamReassembly {
 public:
  static constexpr std::size_t limit = 128 * 1024;

  /// False: nothing new (a retransmission). `wire_length` ≥ payload.size(); the capture may have cut it.
  bool append(std::uint32_t sequence, capture::Bytes payload, std::uint32_t wire_length) {
    if (synchronised_) {
      const auto ahead = static_cast<std::int32_t>(next_ - sequence);
      if (ahead > 0) {  // overlaps what is known
        if (static_cast<std::uint32_t>(ahead) >= wire_length) return false;
        const auto overlap = static_cast<std::size_t>(ahead);
        payload = overlap < payload.size() ? payload.subspan(overlap) : capture::Bytes{};
        sequence += static_cast<std::uint32_t>(ahead);
        wire_length -= static_cast<std::uint32_t>(ahead);
      } else if (ahead < 0) {
        clear();
      }
    }
    synchronised_ = true;
    next_ = sequence + wire_length;
    if (bytes_.size() - begin_ + payload.size() > limit) clear();
    if (begin_ > 0 && (begin_ == bytes_.size() || begin_ > limit / 2)) {
      bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(begin_));
      begin_ = 0;
    }
    bytes_.insert(bytes_.end(), payload.begin(), payload.end());
    if (payload.size() < wire_length) cut_ = true;
    return true;
  }
  capture::Bytes bytes() const { return capture::Bytes(bytes_).subspan(begin_); }
  void consume(std::size_t count) { begin_ += std::min(count, bytes_.size() - begin_); }
  void clear() { bytes_.clear(); begin_ = 0; cut_ = false; }
  bool cut() const { return cut_; }

 private:
  std::vector<std::uint8_t> bytes_;
  std::size_t begin_ = 0;
  std::uint32_t next_ = 0;
  bool synchronised_ = false, cut_ = false;
};

}  // namespace callwitness::classify
