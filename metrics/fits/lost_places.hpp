// Where the packets that a stream's numbers miss had stood: when they were sent, and how large they were. Pure functions.
// docs/methods/limits.md
#pragma once

#include "metrics/fits/arm.hpp"

#include <span>
#include <vector>

namespace callwitness::metrics {

struct NumberedPacket {
  std::int32_t sequence;
  ArmPacket packet;
  std::uint32_t media_time = 0;
  bool has_media_time = false;
  bool ends_frame = false;         ///< the marker of video's last packet
};

/// How a stream spaces its packets, of those whose neighbours came.
struct Spacing {
  double usual = silence_seconds;  ///< seconds between packets
  bool frames = false;             ///< several packets share a media time, the last of which is marked: video
  double in_frame = 0;             ///< seconds between packets of one frame
  std::uint32_t frame_ticks = 0;   ///< of the media clock between frames
  double full_bytes = 0;           ///< size of a frame's packets but the last
  std::uint32_t frame_packets = 1; ///< of the usual frame
};

/// `stream` in order of its numbers.
Spacing spacing_of(std::span<const NumberedPacket> stream);

/// Adds `count` lost packets between two captured ones.
void place_lost(std::vector<ArmPacket>& to, const NumberedPacket& before, const NumberedPacket& after, std::uint32_t count, const Spacing& spacing);

/// The same of a stream without frames: `usual` seconds part its packets.
void place_lost(std::vector<ArmPacket>& to, const ArmPacket& before, const ArmPacket& after, std::uint32_t count, double usual);

}  // namespace callwitness::metrics
