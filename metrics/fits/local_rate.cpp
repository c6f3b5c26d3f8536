#include "metrics/fits/local_rate.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace callwitness::metrics {
namespace {

constexpr double pause_seconds = 0.1;        ///< a longer gap is the codec's silence, no sign of the rate within a run
constexpr std::size_t reach = 6, telling_steps = 20;
constexpr double half = 0.5;

/// Where a run ends: at the packet after which its stream missed one, wherever the lost one stood. Had the place a say, a
/// packet that follows at once on a lost one within a frame would be left out, and the frame's pause be counted.
std::vector<char> ends_of_runs(std::span<const ArmPacket> packets, std::size_t passed) {
  std::vector<std::uint32_t> before_losses;
  for (const auto& packet : packets)
    if (packet.lost && packet.ordinal != 0) before_losses.push_back(packet.ordinal);
  std::sort(before_losses.begin(), before_losses.end());
  std::vector<char> ends(passed, false);
  std::size_t at = 0;
  for (const auto& packet : packets) {
    if (!packet.lost) ends[at++] = std::binary_search(before_losses.begin(), before_losses.end(), packet.ordinal);
    else if (packet.ordinal == 0 && at > 0) ends[at - 1] = true;
  }
  return ends;
}

}  // namespace

LosslessRuns::LosslessRuns(std::span<const ArmPacket> packets) {
  std::vector<const ArmPacket*> passed;
  for (const auto& packet : packets)
    if (!packet.lost) passed.push_back(&packet);
  const auto ends = ends_of_runs(packets, passed.size());
  std::vector<char> near(passed.size(), false);
  std::size_t since = reach;
  for (std::size_t i = 0; i < passed.size(); ++i) {
    near[i] = since < reach;
    since = ends[i] ? 0 : since + 1;
  }
  since = reach;
  for (std::size_t i = passed.size(); i-- > 0;) {
    since = ends[i] ? 0 : since + 1;
    if (since < reach) near[i] = true;
  }
  for (std::size_t i = 1; i < passed.size(); ++i) {
    const auto &before = *passed[i - 1], &after = *passed[i];
    if (ends[i - 1] || after.after_silence || !near[i - 1] || !near[i] || after.time - before.time > pause_seconds) continue;
    steps_.push_back({after.bytes, after.time - before.time});
  }
  if (steps_.size() < telling_steps) steps_.clear();
}

std::optional<double> LosslessRuns::rate() const {
  double bytes = 0, time = 0;
  for (const auto& step : steps_) bytes += step.bytes, time += step.seconds;
  if (time <= 0) return std::nullopt;
  return bytes * 8 / time;
}

double LosslessRuns::in_bursts(double rate_bps) const {
  double bytes = 0, fast = 0;
  for (const auto& step : steps_) {
    bytes += step.bytes;
    if (step.seconds < half * step.bytes * 8 / rate_bps) fast += step.bytes;
  }
  return bytes <= 0 ? 0 : fast / bytes;
}

}  // namespace callwitness::metrics
