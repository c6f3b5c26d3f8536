#include "metrics/fits/lost_places.hpp"

#include "metrics/statistics.hpp"

#include <algorithm>
#include <cmath>

namespace callwitness::metrics {
namespace {

constexpr std::size_t minimum_gaps = 20;          ///< between neighbours, for their usual distance
constexpr double least_marked = 0.9;              ///< of the frames' ends, for markers to be believed

void add(std::vector<ArmPacket>& to, const ArmPacket& before, double time, double bytes) { to.push_back({time, bytes, before.ordinal, true, false}); }

}  // namespace

Spacing spacing_of(std::span<const NumberedPacket> stream) {
  Spacing spacing;
  std::vector<double> gaps, within, steps, full;
  std::size_t marked = 0, frames = 0, marked_within = 0;
  for (std::size_t i = 1; i < stream.size(); ++i) {
    const auto &before = stream[i - 1], &after = stream[i];
    if (after.sequence != before.sequence + 1) continue;
    const double gap = after.packet.time - before.packet.time;
    gaps.push_back(gap);
    if (!before.has_media_time || !after.has_media_time) continue;
    const auto ticks = static_cast<std::int32_t>(after.media_time - before.media_time);
    if (ticks == 0) {
      within.push_back(gap);
      full.push_back(before.packet.bytes);
      marked_within += before.ends_frame ? 1 : 0;
    } else if (ticks > 0) {
      steps.push_back(ticks);
      marked += before.ends_frame ? 1 : 0;
      ++frames;
    }
  }
  if (gaps.size() >= minimum_gaps) spacing.usual = median(std::move(gaps));
  const auto least = [](std::size_t of) { return least_marked * static_cast<double>(of); };
  if (within.size() < minimum_gaps || frames < minimum_gaps || static_cast<double>(marked) < least(frames) ||
      static_cast<double>(within.size() - marked_within) < least(within.size()))
    return spacing;
  spacing.frames = true;
  spacing.frame_packets = static_cast<std::uint32_t>(std::max(1L, std::lround(1 + static_cast<double>(within.size()) / static_cast<double>(frames))));
  spacing.in_frame = std::max(0.0, median(std::move(within)));
  spacing.frame_ticks = static_cast<std::uint32_t>(median(std::move(steps)));
  spacing.full_bytes = median(std::move(full));
  return spacing;
}

void place_lost(std::vector<ArmPacket>& to, const ArmPacket& before, const ArmPacket& after, std::uint32_t count, double usual) {
  // What is lost at the end of a burst (a talk spurt) was sent right after the packet before, not half-way through the pause.
  const double step = std::min((after.time - before.time) / (count + 1.0), usual);
  for (std::uint32_t k = 1; k <= count; ++k) add(to, before, before.time + step * k, (before.bytes + after.bytes) / 2);
}

void place_lost(std::vector<ArmPacket>& to, const NumberedPacket& before, const NumberedPacket& after, std::uint32_t count, const Spacing& spacing) {
  const auto ticks = before.has_media_time && after.has_media_time ? static_cast<std::int32_t>(after.media_time - before.media_time) : -1;
  if (!spacing.frames || ticks < 0) return place_lost(to, before.packet, after.packet, count, spacing.usual);
  const double from = before.packet.time, until = after.packet.time;
  const double in_frame = std::min(spacing.in_frame, (until - from) / (count + 1.0));
  if (ticks == 0) {
    // A frame's packets but the last are alike, and the one before isn't the last.
    for (std::uint32_t k = 1; k <= count; ++k) add(to, before.packet, from + in_frame * k, before.packet.bytes);
    return;
  }
  const auto frames = std::max(1U, (static_cast<std::uint32_t>(ticks) + spacing.frame_ticks / 2) / std::max(1U, spacing.frame_ticks));
  // Of a frame without its marked end that end was lost; of frames whose time nobody shares, one packet each; the rest
  // where the usual frame has room, and last at the beginning of the frame that came.
  std::uint32_t left = count;
  // A clock that jumps would ask for millions of frames; more than were lost have lost nothing.
  std::vector<std::uint32_t> lost(std::min(frames, count + 1), 0);   // by frame after the one before
  const auto take = [&](std::uint32_t frame, std::uint32_t wanted) {
    const auto taken = std::min(left, wanted);
    lost[frame] += taken;
    left -= taken;
  };
  if (!before.ends_frame) take(0, 1);
  for (std::uint32_t frame = 1; frame < lost.size(); ++frame) take(frame, 1);
  for (std::uint32_t frame = before.ends_frame ? 1 : 0; frame < lost.size(); ++frame) take(frame, spacing.frame_packets - 1);
  if (!before.ends_frame && frames == 1) take(0, left);
  for (std::uint32_t frame = 0; frame < lost.size(); ++frame) {
    const double start = from + (until - from) * frame / frames;
    for (std::uint32_t k = 0; k < lost[frame]; ++k) {
      const bool is_full = frame == 0 || k + 1 < lost[frame];
      add(to, before.packet, start + in_frame * (frame == 0 ? k + 1 : k), is_full ? spacing.full_bytes : (before.packet.bytes + after.packet.bytes) / 2);
    }
  }
  for (std::uint32_t k = left; k > 0; --k) add(to, before.packet, until - in_frame * k, spacing.full_bytes);
}

}  // namespace callwitness::metrics
