// A path's packets in the order of one clock, as arrays for the filters that run over them many times.
#pragma once

#include "metrics/models/path.hpp"

#include <span>

namespace callwitness::metrics::models {

enum class Clock : std::uint8_t { arrival, sent };

struct Events {
  std::vector<std::uint32_t> packet;   ///< which of the path's
  std::vector<double> time;            ///< seconds by the clock
  std::vector<float> gap;              ///< seconds since the one before; 0 of the first
  std::vector<float> bytes;
  std::vector<float> inverse;          ///< 1 / max(bytes, median of all)
  std::vector<std::uint8_t> lost, counted;
  float largest = 0;                   ///< bytes, of those that passed
  std::size_t size() const { return packet.size(); }
};

/// Packets whose sending time is unknown stand where they arrived.
Events events_of(std::span<const PathPacket> packets, Clock clock);

/// Those from `first` on, `count` of them; `packet` keeps its meaning.
Events part_of(const Events& events, std::size_t first, std::size_t count);

}  // namespace callwitness::metrics::models
