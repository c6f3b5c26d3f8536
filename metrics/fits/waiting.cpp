#include "metrics/fits/waiting.hpp"

#include "metrics/statistics.hpp"

#include <algorithm>
#include <unordered_map>
#include <vector>

namespace callwitness::metrics {
namespace {

std::unordered_map<std::uint32_t, double> arrivals_of(std::span<const ArmPacket> arrived) {
  std::unordered_map<std::uint32_t, double> arrivals;
  for (const auto& packet : arrived)
    if (!packet.lost) arrivals.emplace(packet.ordinal, packet.time);
  return arrivals;
}

}  // namespace

bool waited_before_losses(std::span<const ArmPacket> arrived, std::span<const ArmPacket> sent, double rate_bps, double least_s) {
  const auto arrivals = arrivals_of(arrived);
  std::vector<double> before, other, sizes;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const auto arrival = sent[i].lost ? arrivals.end() : arrivals.find(sent[i].ordinal);
    if (arrival == arrivals.end()) continue;
    sizes.push_back(sent[i].bytes);
    const double wait = arrival->second - sent[i].time;
    if (i + 1 == sent.size() || !sent[i + 1].lost) other.push_back(wait);
    // Once for each lost packet: an overflow's run of them weighs more than stray ones.
    for (std::size_t k = i + 1; k < sent.size() && sent[k].lost; ++k) before.push_back(wait);
  }
  constexpr double chance = 1e-3, good_part = 0.3, long_waits = 0.75;
  if (before.empty() || other.empty()) return true;
  if (mann_whitney_p(before, other) >= chance) return false;
  // A queue that hardly empties (somebody's upload keeps it so) is at its fullest when it drops.
  const bool fullest = least_s > 0 && quantile(other, 0.9) - quantile(other, 0.1) >= least_s && median(before) >= quantile(other, long_waits);
  return fullest || median(before) - median(other) > std::max(least_s, good_part * 8 * median(sizes) / rate_bps);
}

bool lost_between_batches(std::span<const ArmPacket> arrived, std::span<const ArmPacket> sent) {
  constexpr double at_once = 0.25;            // of the time between them as they were sent
  constexpr double sent_apart = 0.005;        // seconds: packets of one video frame come at once by themselves
  constexpr double mostly = 0.5, less_often = 0.75, chance = 1e-3;
  const auto arrivals = arrivals_of(arrived);
  double pairs = 0, batched = 0, losing_pairs = 0, losing_batched = 0;
  const ArmPacket* before = nullptr;
  double before_arrival = 0;
  bool lost = false;
  for (const auto& packet : sent) {
    const auto arrival = packet.lost ? arrivals.end() : arrivals.find(packet.ordinal);
    if (arrival == arrivals.end()) {
      lost = lost || packet.lost;
      continue;
    }
    if (before != nullptr && packet.time - before->time >= sent_apart) {
      const double together = arrival->second - before_arrival < at_once * (packet.time - before->time) ? 1 : 0;
      (lost ? losing_pairs : pairs) += 1;
      (lost ? losing_batched : batched) += together;
    }
    before = &packet, before_arrival = arrival->second, lost = false;
  }
  if (losing_pairs == 0 || batched < mostly * pairs || losing_batched / losing_pairs > less_often * batched / pairs) return false;
  const auto between = static_cast<std::size_t>(losing_pairs - losing_batched), all_between = between + static_cast<std::size_t>(pairs - batched);
  return fisher_p(between, static_cast<std::size_t>(losing_pairs), all_between, static_cast<std::size_t>(losing_pairs + pairs)) <= chance;
}

}  // namespace callwitness::metrics
