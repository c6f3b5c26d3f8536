#include "metrics/meters/loss_pattern.hpp"

namespace callwitness::metrics {

namespace {
constexpr std::int64_t gap_minimum = 16;    // Gmin, RFC 3611 4.7.2

struct Totals {
  std::uint64_t bursts = 0, burst_packets = 0, burst_lost = 0, isolated = 0;
  void close(std::int64_t begin, std::int64_t end, std::uint64_t lost) {
    if (lost == 1) {
      ++isolated;
      return;
    }
    ++bursts;
    burst_packets += static_cast<std::uint64_t>(end - begin);
    burst_lost += lost;
  }
};
}  // namespace

LossPattern loss_pattern(std::span<const MissingRun> runs, std::int64_t first, std::uint64_t expected) {
  LossPattern pattern;
  if (runs.empty() || expected == 0) return pattern;
  Totals totals;
  std::uint64_t lost = 0, group_lost = 0, run_count = 0;
  std::int64_t begin = 0, end = first;
  for (const auto& run : runs) {
    if (group_lost > 0 && run.first - end >= gap_minimum) {
      totals.close(begin, end, group_lost);
      group_lost = 0;
    }
    if (group_lost == 0) begin = run.first;
    run_count += run.first != end || lost == 0;   // runs that touch (split by a repeat of the bound) are one
    end = run.first + run.count;
    group_lost += run.count;
    lost += run.count;
  }
  totals.close(begin, end, group_lost);
  const auto gap_packets = expected > totals.burst_packets ? expected - totals.burst_packets : 0;
  if (totals.burst_packets > 0)
    pattern.burst_density = static_cast<double>(totals.burst_lost) / static_cast<double>(totals.burst_packets);
  if (gap_packets > 0) pattern.gap_density = static_cast<double>(totals.isolated) / static_cast<double>(gap_packets);
  if (totals.bursts > 0) {
    pattern.mean_burst_packets = static_cast<double>(totals.burst_packets) / static_cast<double>(totals.bursts);
    pattern.mean_gap_packets = static_cast<double>(gap_packets) / static_cast<double>(totals.bursts + 1);
  }
  if (lost < expected) {
    // The first packet and the last are received, so as many losses begin as end.
    pattern.loss_after_received = static_cast<double>(run_count) / static_cast<double>(expected - lost);
    pattern.received_after_loss = static_cast<double>(run_count) / static_cast<double>(lost);
    pattern.burst_ratio = 1 / (pattern.loss_after_received + pattern.received_after_loss);
  }
  return pattern;
}

}  // namespace callwitness::metrics
