#include "metrics/contrast.hpp"

#include "metrics/contrast_bounds.hpp"

#include <algorithm>

namespace callwitness::metrics {
namespace {

constexpr double piece_s = 0.25;            ///< of a stretch, in which a flow that was faster counts
constexpr double wants = 0.5;               ///< of the cap: less is a name query or an acknowledgement
constexpr std::size_t least_faster_pieces = 3;
constexpr double often = 0.1;               ///< of the pieces in which another flow wanted something: who wants more gets it

}  // namespace

Contrast contrast_in(const Observation& observation, const Arm& arm, double cap_bps, std::span<const Stretch> stretches) {
  Contrast contrast;
  const auto* own = find_flow(observation, arm.flow);
  if (own == nullptr || stretches.empty()) return contrast;
  const double origin = stretches.front().begin, end = stretches.back().end;
  if (end - origin > longest_contrast_s) return contrast;
  const auto way = static_cast<std::size_t>(arm.direction);
  std::vector<double> fastest;                           // bits of the fastest single flow, of each piece of each stretch
  std::vector<std::size_t> first;                        // piece of each stretch
  for (const auto& stretch : stretches) {
    first.push_back(fastest.size());
    fastest.resize(fastest.size() + static_cast<std::size_t>((stretch.end - stretch.begin) / piece_s));
  }
  first.push_back(fastest.size());
  /// The piece in which `at` lies, if it lies in one.
  const auto piece_at = [&](double at) -> std::optional<std::size_t> {
    const auto after = std::upper_bound(stretches.begin(), stretches.end(), at, [](double value, const Stretch& stretch) { return value < stretch.begin; });
    if (after == stretches.begin()) return std::nullopt;
    const auto index = static_cast<std::size_t>(after - stretches.begin() - 1);
    const auto piece = first[index] + static_cast<std::size_t>((std::min(at, stretches[index].end) - stretches[index].begin) / piece_s);
    return piece < first[index + 1] ? std::optional(piece) : std::nullopt;
  };
  const auto overlaps = [&](double from, double to) {
    return std::any_of(stretches.begin(), stretches.end(), [&](const Stretch& stretch) { return stretch.begin < to && stretch.end > from; });
  };
  for (const auto& flow : observation.flows) {
    if (!is_control(flow, *own)) continue;
    std::vector<double> bits(fastest.size());
    const auto& record = flow.segments[way];
    const double start = capture::seconds(record.start - observation.first_time);
    for (const auto& segment : record.segments)
      if (const auto piece = piece_at(start + segment.time * 1e-5)) bits[*piece] += 8.0 * (segment.payload + record.header_bytes);
    // Of what isn't kept packet by packet: seconds that lie in a stretch as a whole.
    const auto& series = arm.direction == Direction::received ? flow.bytes.received : flow.bytes.sent;
    const double from = capture::seconds(flow.bytes.start - observation.first_time);
    for (std::size_t i = 0; i < series.size() && record.segments.empty(); ++i) {
      const double at = from + static_cast<double>(i);
      if (8 * series[i] >= wants * cap_bps && overlaps(at, at + 1)) contrast.present = true;
      const auto before = piece_at(at), after = piece_at(at + 1);
      if (!before || !after || *after - *before != static_cast<std::size_t>(1 / piece_s)) continue;
      for (auto piece = *before; piece < *after; ++piece) bits[piece] += 8 * piece_s * series[i];
    }
    for (std::size_t i = 0; i < bits.size(); ++i) fastest[i] = std::max(fastest[i], bits[i]);
  }
  double beyond = 0;
  std::size_t faster = 0, wanting = 0;
  for (const double bits : fastest) {
    contrast.peak_bps = std::max(contrast.peak_bps, bits / piece_s);
    wanting += bits >= wants * cap_bps * piece_s ? 1 : 0;
    if (bits < clear_excess * cap_bps * piece_s) continue;
    ++faster;
    beyond += bits - cap_bps * piece_s;
  }
  contrast.present = contrast.present || wanting > 0;
  contrast.faster_alone = faster;
  contrast.exceeds = faster >= least_faster_pieces && static_cast<double>(faster) >= often * static_cast<double>(wanting) && beyond >= bits_beyond_a_bucket;
  return contrast;
}

}  // namespace callwitness::metrics
