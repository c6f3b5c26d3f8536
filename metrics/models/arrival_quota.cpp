#include "metrics/models/arrival_quota.hpp"

#include "metrics/models/ceiling.hpp"
#include "metrics/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace callwitness::metrics::models {
namespace {

constexpr double periods[] = {1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 60};
constexpr std::size_t phases = 60, least_arrivals = 100, least_windows = 12;
constexpr std::size_t most_arrivals = 40'000, most_windows = 20'000;   ///< a longer capture is looked at so far
constexpr double least_distinct = 3, least_sign = 3;
constexpr double gap_medians = 3, gap_s = 0.06;  ///< a gap is longer than both
constexpr double least_gaps = 0.3;               ///< per window
constexpr double least_edges = 4, least_closed = 0.6, least_alike = 0.7;   ///< log10; of the windows
constexpr double stray_packets = 2.5;            ///< that chance takes of a window
constexpr double nearly_fullest = 0.95;
constexpr double least_at_edges = 0.4, least_over_chance = 1.25;

struct Gap { double from, to; };

std::vector<Gap> gaps_of(std::span<const Arrival> arrivals) {
  std::vector<double> all;
  for (std::size_t i = 1; i < arrivals.size(); ++i) all.push_back(arrivals[i].time - arrivals[i - 1].time);
  const double least = std::max(gap_s, gap_medians * median(all));
  std::vector<Gap> gaps;
  for (std::size_t i = 1; i < arrivals.size(); ++i)
    if (arrivals[i].time - arrivals[i - 1].time > least) gaps.push_back({arrivals[i - 1].time, arrivals[i].time});
  return gaps;
}

/// The edge after `time`.
double next_edge(double time, double period, double phase) { return phase + period * std::ceil((time - phase) / period); }

/// Bytes by windows of one period, for all phases: sums up to each sixtieth of it.
class Windows {
 public:
  Windows(std::span<const Arrival> arrivals, double period) {
    const double part = period / static_cast<double>(phases), first = arrivals.front().time;
    for (const auto& arrival : arrivals) {
      const double place = (arrival.time - first) / part;
      if (place >= static_cast<double>(most_windows * phases)) break;
      const auto at = static_cast<std::size_t>(place);
      if (at >= sums_.size()) sums_.resize(at + 1, sums_.empty() ? 0 : sums_.back());
      sums_.back() += arrival.bytes;
    }
  }
  /// Of each whole window that holds anything.
  void at_phase(std::size_t phase, std::vector<double>& bytes) const {
    bytes.clear();
    for (std::size_t from = phase; from + phases < sums_.size(); from += phases) {
      const double sum = sums_[from + phases - 1] - (from == 0 ? 0 : sums_[from - 1]);
      if (sum > 0) bytes.push_back(sum);
    }
  }

 private:
  std::vector<double> sums_;
};

struct AtEdges {
  double share = 0, chance = 0;    ///< of the gaps: that hold an edge, that would by chance
  double gaps = 0;
  /// log10 likelihood ratio (Chernoff's bound), less what looking at all phases and periods gives away.
  double ratio() const {
    if (gaps == 0 || share <= chance || chance <= 0) return 0;
    const double same = share * std::log(share / chance) + (share < 1 ? (1 - share) * std::log((1 - share) / (1 - chance)) : 0);
    return gaps * same / std::numbers::ln10 - std::log10(static_cast<double>(phases * std::size(periods)));
  }
};

AtEdges gaps_at_edges(const std::vector<Gap>& gaps, double period, double phase) {
  AtEdges result;
  if (gaps.empty()) return result;
  for (const auto& gap : gaps) {
    const bool holds = next_edge(gap.from, period, phase) <= gap.to;
    result.share += holds ? 1 : 0;
    result.chance += std::min(1.0, (gap.to - gap.from) / period);
  }
  result.gaps = static_cast<double>(gaps.size());
  result.share /= static_cast<double>(gaps.size()), result.chance /= static_cast<double>(gaps.size());
  return result;
}

/// Windows that hold the quota but for a packet.
std::size_t alike(const std::vector<double>& bytes, double quota, double width) {
  return static_cast<std::size_t>(std::count_if(bytes.begin(), bytes.end(), [&](double sum) { return sum > quota - width && sum <= quota; }));
}

void describe(std::span<const Arrival> arrivals, const std::vector<Gap>& gaps, double width, bool one_size, ArrivalQuota& quota) {
  std::vector<double> used;
  double edge = next_edge(arrivals.front().time, quota.period, quota.phase), sum = 0;
  bool begun = false;
  const auto finish = [&] {
    if (!begun || sum <= quota.bytes - stray_packets * width || sum > quota.bytes + width / 2) return;
    if (used.empty()) quota.begin = edge - quota.period;
    quota.end = edge;
    used.push_back(sum);
  };
  for (const auto& arrival : arrivals) {
    if (arrival.time >= edge) {
      finish();
      begun = true, sum = 0;
      edge = next_edge(arrival.time, quota.period, quota.phase);
      if (edge <= arrival.time) edge += quota.period;
    }
    sum += arrival.bytes;
  }
  quota.used_up = used.size();
  // What passes is short of the quota by the part of a packet that didn't fit: of packets of many sizes the fullest windows are hardly
  // short at all, of one size all are by as much, half a packet on average.
  quota.bytes = quantile(std::move(used), nearly_fullest) + (one_size ? width / 2 : 0);
  quota.half_width = width / 2;
  double closed = 0;
  for (const auto& gap : gaps)
    if (const double edge_after = next_edge(gap.from, quota.period, quota.phase); gap.from >= quota.begin && gap.from < quota.end && edge_after <= gap.to) {
      closed += std::min(gap.to - gap.from, quota.period);
      quota.closed.push_back({gap.from, edge_after});
    }
  quota.closed_share = quota.end > quota.begin ? closed / (quota.end - quota.begin) : 0;
}

}  // namespace

std::optional<ArrivalQuota> find_arrival_quota(std::span<const Arrival> arrivals) {
  if (arrivals.size() < least_arrivals) return std::nullopt;
  arrivals = arrivals.first(std::min(arrivals.size(), most_arrivals));
  const auto gaps = gaps_of(arrivals);
  std::vector<double> sizes;
  for (const auto& arrival : arrivals) sizes.push_back(arrival.bytes);
  const bool one_size = quantile(sizes, 0.1) >= nearly_fullest * quantile(sizes, 0.9);
  const double width = quantile(std::move(sizes), 0.9), seconds = arrivals.back().time - arrivals.front().time;
  std::optional<ArrivalQuota> best;
  std::vector<double> bytes;
  for (const double period : periods) {
    const double windows = seconds / period;
    if (windows < static_cast<double>(least_windows) || static_cast<double>(gaps.size()) < least_gaps * std::min<double>(windows, most_windows)) continue;
    const Windows windows_of(arrivals, period);
    std::vector<double> signs;
    ArrivalQuota by_bytes, by_edges;               // at the phase at which windows are alike, and at which gaps end
    for (std::size_t k = 0; k < phases; ++k) {
      ArrivalQuota here;
      here.period = period, here.phase = arrivals.front().time + period * static_cast<double>(k) / phases;
      windows_of.at_phase(k, bytes);
      here.windows = bytes.size();
      const auto pile = best_pile(bytes, width);
      here.bytes = pile.depth, here.sign = pile.sign;
      signs.push_back(pile.sign);
      if (here.sign > by_bytes.sign) by_bytes = here;
      const auto edges = gaps_at_edges(gaps, period, here.phase);
      here.edges = edges.ratio();
      if (here.edges <= by_edges.edges) continue;
      here.bytes = quantile(bytes, nearly_fullest);
      here.used_up = alike(bytes, here.bytes + width / 2, stray_packets * width);
      if ( edges.gaps * edges.share >= least_closed * static_cast<double>(here.windows)) by_edges = here;
    }
    by_bytes.other_phases = by_edges.other_phases = median(std::move(signs));
    const auto edges = gaps_at_edges(gaps, period, by_bytes.phase);
    by_bytes.edges = edges.ratio();
    const bool piles = by_bytes.sign >= least_sign && by_bytes.distinct() >= least_distinct && edges.share >= least_at_edges && edges.share >= least_over_chance * edges.chance;
    // Constant voice fills windows of any phase alike: then only where it stops and goes on can tell.
    const bool stops = by_edges.edges >= least_edges && static_cast<double>(by_edges.used_up) >= least_alike * static_cast<double>(by_edges.windows);
    auto& found = piles ? by_bytes : by_edges;
    found.by_edges_only = !piles;
    if ((piles || stops) && (!best || found.strength() > best->strength())) best = found;
  }
  if (best) describe(arrivals, gaps, width, one_size, *best);
  return best;
}

}  // namespace callwitness::metrics::models
