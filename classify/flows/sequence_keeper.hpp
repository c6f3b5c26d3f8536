// Numbers for a stream whose format has no counter of media packets alone: timestamps at a fixed step become numbers
// (IAX2), and numbers that pings use up are left out (Mumble). One keeper a stream; headers in order of capture.
#pragma once

#include "classify/application.hpp"

namespace callwitness::classify {

class SequenceKeeper {
 public:
  struct Numbers {
    bool is_media = true;                     ///< false: only uses up a number, no media packet
    std::optional<std::uint32_t> sequence;
    std::optional<std::uint32_t> media_time;  ///< widened to 32 bits
  };
  Numbers next(const MediaHeader& header);

 private:
  std::array<std::uint32_t, 16> pending_{};   ///< numbers of pings since the last media packet
  std::size_t pending_count_ = 0;
  std::uint32_t skipped_ = 0;
  std::optional<std::uint32_t> last_raw_;     ///< highest raw number seen
  std::int64_t last_time_ = 0;                ///< widened
  std::int64_t first_time_ = 0;
  bool has_time_ = false;
};

}  // namespace callwitness::classify
