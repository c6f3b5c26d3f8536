#include "metrics/tcp/bucket.hpp"

#include "metrics/statistics.hpp"

#include <algorithm>
#include <cmath>

namespace callwitness::metrics {
namespace {

constexpr std::size_t least_losses = 15;
constexpr std::size_t least_intervals = 6;
/// Between losses; shorter ones tell the rate more roughly, and are looked at where a transfer is too short for the long ones.
struct Shortest { double packets, seconds; };
constexpr Shortest shortest[] = {{40, 0.4}, {20, 0.1}};
constexpr double tolerance_packets = 2, tolerance_seconds = 0.005, tolerance_share = 0.005;
constexpr double rate_step = 1.004;
constexpr std::size_t telling_steady = 5;
constexpr double roughly = 0.03;
constexpr double filled_depth = 6;          // tolerances: below, "it was full before" would excuse any interval

struct Interval { std::size_t first, last; double seconds, bytes; };   ///< indices of the losses at its ends

std::vector<Interval> intervals_of(std::span<const TcpPacket> packets, double packet_bytes, const Shortest& least) {
  std::vector<Interval> result;
  std::size_t first = packets.size();
  double passed = 0;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    const bool begun = first < packets.size();
    const double seconds = begun ? packets[i].time - packets[first].time : 0;
    if (packets[i].lost > 0 && (!begun || (passed >= least.packets * packet_bytes && seconds >= least.seconds))) {
      if (begun) result.push_back({first, i, seconds, passed});
      first = i;
      passed = 0;
    } else {
      passed += static_cast<double>(packets[i].bytes);
    }
  }
  return result;
}

/// How one rate accounts for an interval: the tokens left at its end if the bucket never was full, and the most that
/// passed above the rate before its end, which is the depth if it was.
struct Account { double left, excess, tolerance; };

std::vector<Account> accounts_at(double rate, std::span<const TcpPacket> packets, std::span<const Interval> intervals, double tolerance) {
  std::vector<Account> result;
  result.reserve(intervals.size());
  for (const auto& interval : intervals) {
    double passed = 0, excess = 0;
    const double end = packets[interval.last].time;
    for (std::size_t i = interval.last; i-- > interval.first + 1;) {
      passed += static_cast<double>(packets[i].bytes);
      excess = std::max(excess, passed - rate * (end - packets[i].time));
    }
    result.push_back({rate * interval.seconds - interval.bytes, excess, tolerance + tolerance_share * interval.bytes});
  }
  return result;
}

bool is_steady(const Account& account) { return std::abs(account.left) <= account.tolerance; }

struct Depth { double bytes = 0; std::size_t steady = 0, filled = 0; double misfit = 0; };

/// The depth at which most intervals end with an empty bucket: those with tokens left over must agree on it.
Depth depth_at(const std::vector<Account>& accounts, double tolerance) {
  Depth best;
  std::vector<double> excesses;
  for (const auto& account : accounts) {
    if (is_steady(account)) {
      ++best.steady;
      best.misfit += std::abs(account.left) / account.tolerance;
      best.bytes = std::max(best.bytes, account.excess);
    } else if (account.left > 0) {
      excesses.push_back(account.excess);
    }
  }
  std::sort(excesses.begin(), excesses.end());
  const double least = best.bytes;          // the steady ones needed as much
  for (std::size_t low = 0, high = 0; low < excesses.size(); ++low) {
    while (high < excesses.size() && excesses[high] - excesses[low] <= 2 * tolerance) ++high;
    const double middle = excesses[(low + high - 1) / 2];
    if (high - low <= best.filled || middle + 2 * tolerance < least || middle < filled_depth * tolerance) continue;
    best.filled = high - low;
    best.bytes = std::max(least, middle);
  }
  return best;
}

double tolerance_at(double rate, double packet_bytes) { return tolerance_packets * packet_bytes + tolerance_seconds * rate; }

}  // namespace

std::optional<TcpBucket> fit_tcp_bucket(std::span<const TcpPacket> packets, double packet_bytes, IntervalScale scale) {
  const auto losses = std::count_if(packets.begin(), packets.end(), [](const TcpPacket& packet) { return packet.lost > 0; });
  if (losses < static_cast<std::ptrdiff_t>(least_losses)) return std::nullopt;
  const auto intervals = intervals_of(packets, packet_bytes, shortest[static_cast<std::size_t>(scale)]);
  if (intervals.size() < least_intervals) return std::nullopt;
  std::vector<double> rates;
  for (const auto& interval : intervals) rates.push_back(interval.bytes / interval.seconds);
  TcpBucket bucket;
  double best = -1;
  Depth depth;
  for (double rate = 0.97 * quantile(rates, 0.25), most = 1.03 * quantile(rates, 0.97); rate > 0 && rate <= most; rate *= rate_step) {
    const double tolerance = tolerance_at(rate, packet_bytes);
    const auto found = depth_at(accounts_at(rate, packets, intervals, tolerance), tolerance);
    const double score = static_cast<double>(found.steady + found.filled) - 0.3 * found.misfit;
    if (score <= best) continue;
    best = score;
    bucket.rate = rate;
    depth = found;
  }
  bucket.tolerance = tolerance_at(bucket.rate, packet_bytes);
  const auto accounts = accounts_at(bucket.rate, packets, intervals, bucket.tolerance);
  std::vector<double> steady, durations;
  for (std::size_t i = 0; i < intervals.size(); ++i)
    if (is_steady(accounts[i])) {
      steady.push_back(rates[i]);
      durations.push_back(intervals[i].seconds);
    }
  double half = roughly;                    // where too few intervals tell: rate and depth can be traded for each other
  if (steady.size() >= telling_steady) {
    bucket.rate = median(steady);
    bucket.rate_spread = relative_spread(steady);
    bucket.duration_spread = relative_spread(durations);
    half = std::max(0.002, 1.5 * bucket.rate_spread / std::sqrt(static_cast<double>(steady.size())));
  }
  bucket.rate_low = bucket.rate * (1 - half);
  bucket.rate_high = bucket.rate * (1 + half);
  bucket.depth = depth.bytes;
  bucket.depth_told = depth.filled > 0;
  bucket.first = intervals.front().first;
  bucket.last = intervals.back().last;
  bucket.intervals = intervals.size();
  bucket.steady = depth.steady;
  bucket.filled = depth.filled;
  return bucket;
}

}  // namespace callwitness::metrics
