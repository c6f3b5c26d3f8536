// Voice without a readable format: known by its beat. Small packets at a codec's pace, for many packets in a row.
#pragma once

#include "classify/media.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace callwitness::classify {

/// Watches one flow's two ways until they are voice or the flow is given up.
class CadenceMeter {
 public:
  static constexpr std::size_t window = 60;       ///< packets judged at a time; ≥50 make a stream
  static constexpr std::size_t backlog_limit = 1024;
  static constexpr int trials = 16;               ///< windows without a beat after which a way is given up

  /// How much must be shown. `known`: an application's flow that carries voice; `unknown`: nothing else speaks for it.
  enum class Bar : std::uint8_t { known, unknown };

  struct Side {
    std::vector<MediaPacket> backlog;   ///< told when the flow is accepted
    std::array<float, window> gaps_ms{};
    std::array<std::uint16_t, window> sizes{};
    std::uint32_t in_window = 0;
    int steady_windows = 0, other_windows = 0, voice_sized_windows = 0;
    Time last_time;
    std::uint64_t packets = 0;
  };

  void on_packet(Way way, const MediaPacket& packet);
  bool accepted(Bar bar) const;
  /// The way has voice-like packets, given that the flow is accepted.
  bool carries(Way way) const;
  bool hopeless() const;
  Side& side(Way way) { return sides_[static_cast<std::size_t>(way)]; }

 private:
  std::array<Side, 2> sides_;
};

/// A hash for telling duplicates apart; not for tables that strangers fill.
std::uint32_t payload_hash(Bytes payload);

}  // namespace callwitness::classify
