#include "metrics/fits/reported_loss.hpp"

#include <algorithm>

namespace callwitness::metrics {
namespace {

constexpr std::size_t least_reports = 3;
constexpr std::uint64_t few_packets = 100;      // that the capture may have missed at either end
constexpr std::uint64_t most_times = 2;         // a report may tell of twice what was captured, if the capture missed half

}  // namespace

std::optional<ReportedLoss> reported_loss(std::span<const classify::ReceiverReport> reports, std::uint64_t packets) {
  ReportedLoss told;
  const classify::ReceiverReport* before = nullptr;
  for (const auto& report : reports) {
    if (before != nullptr) {
      // The counters of one receiver only grow (but for what comes twice or late); those of another begin anew.
      const std::uint32_t more = report.highest_sequence - before->highest_sequence;
      const std::int64_t lost = std::int64_t{report.cumulative_lost} - before->cumulative_lost;
      const bool usable = more > 0 && more < (1u << 16) && lost >= -static_cast<std::int64_t>(more) && lost <= static_cast<std::int64_t>(more);
      if (usable) {
        told.expected += more;
        told.lost = static_cast<std::uint64_t>(std::max<std::int64_t>(0, static_cast<std::int64_t>(told.lost) + lost));
        told.last = report.time;
      }
    } else {
      told.first = told.last = report.time;
    }
    before = &report;
    ++told.reports;
  }
  if (told.reports < least_reports || told.expected == 0 || told.lost > told.expected) return std::nullopt;
  if (told.expected > most_times * packets + few_packets) return std::nullopt;
  return told;
}

}  // namespace callwitness::metrics
