// The shaper's fit: a queue that drains at a constant rate spaces packets by their size.
#include "metrics/fits/serialisation.hpp"
#include "metrics/statistics.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <utility>

namespace callwitness::metrics {
namespace {

constexpr double window_seconds = 2;
constexpr double plateau_width = 0.05;          ///< windows this near the top count as saturated
constexpr std::size_t minimum_saturated = 6;
constexpr double minimum_saturated_share = 0.12;
constexpr double widest_plateau = 0.03;
constexpr double least_slope = 0.6, most_slope = 1.4, least_correlation = 0.7;
constexpr double clear_low_slope = 0.8, clear_most_slope = 1.2, clear_correlation = 0.3;   ///< of gaps that jitter blurs,
constexpr double paced_ratio = 0.4;             ///< where the rate holds though the sizes' own means vary
constexpr double varying_sizes = 0.04;          ///< coefficient of variation from which a slope can be told
constexpr double least_size_share = 0.4;        ///< of the median size, for a packet to count in the slope
constexpr double least_off_grid = 0.05;         ///< real clocks and timers stray 3 %
constexpr double exact_clock = 0.0125;          ///< of spacings that only a clock keeps
constexpr double least_off_clock = 0.02;        ///< of gaps from their own packets' time, where each tells it
constexpr std::size_t telling_gaps = 20;
constexpr double most_gap_ratio = 1.3;          ///< of gaps that hold a loss over those that don't
constexpr double much_lost = 0.1, still_plateau = 0.01, nearly_all = 0.9, no_trace = 0.15;
constexpr double most_unusual = 0.1;            ///< distance of the median of gaps × rate / size from 1
constexpr double steady_gaps = 0.35;            ///< IQR/median of gaps × rate / size
constexpr double steady_runs = 0.05;            ///< the same of eight gaps together
constexpr double clearly_slower = 1.03;         ///< of two parts of an arm, for one to be looked at by itself
constexpr int most_cuts = 2;                    ///< a queue that comes and goes lies between two
constexpr double longest_stray = 3;             ///< seconds outside the part that holds, before that is fitted again

struct Window { double rate = 0; std::size_t begin = 0, end = 0; };

std::vector<Window> windows_of(std::span<const ArmPacket> packets) {
  std::vector<Window> windows;
  double start = packets.front().time, bytes = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    while (packets[i].time >= start + window_seconds) {
      windows.push_back({bytes * 8 / window_seconds, begin, i});
      bytes = 0;
      begin = i;
      start += window_seconds;
    }
    bytes += packets[i].bytes;
  }
  return windows;
}

double distance_from(double gap, std::initializer_list<double> packet_times) {
  double nearest = 1;
  for (const double packet_time : packet_times) nearest = std::min(nearest, std::abs(gap / packet_time - 1));
  return nearest;
}

/// How far `gap` is from any spacing that a sender may have of itself.
double off_grid(double gap, const PacketTimes& times) {
  // Where the sender's own packet time is known, only that one is innocent.
  if (times.own > 0) return std::abs(gap / times.own - 1);
  const double usual = distance_from(gap, {0.0025, 0.005, 0.010, 0.020, 0.030, 0.040, 0.060, 0.080, 0.100, 0.120});
  if (times.other > 0) {
    // Both ends of a call frame their voice alike: then only such a frame's multiples may stray, others are exact.
    const double alike = distance_from(gap, {times.other / 2, times.other, 2 * times.other, 3 * times.other});
    return usual < exact_clock ? usual : alike;
  }
  // Frames of powers of two samples, timers of 60 and 64 Hz, and the rest of the round ones.
  const double odd = distance_from(gap, {1024 / 96000.0, 512 / 44100.0, 0.0125, 0.015, 1 / 64.0, 1 / 60.0, 1024 / 48000.0, 1024 / 44100.0, 0.024, 0.025,
                                         1152 / 44100.0, 2 / 64.0, 0.032, 1 / 30.0, 2048 / 48000.0, 0.045, 2048 / 44100.0, 3 / 64.0, 0.050, 4 / 64.0, 0.064, 0.090});
  return odd < exact_clock ? odd : usual;
}

/// How far gaps are from the time of their own packets (a sender may change it, and packs twice the bytes for twice the time);
/// unknown where the packets don't tell.
struct OffClock {
  std::vector<double> whole, broken;            ///< gap over the packet's time, without and with a loss in it
  void add(double gap, const ArmPacket& packet, bool holds_loss) {
    if (packet.media_tenths_ms > 0) (holds_loss ? broken : whole).push_back(gap / (packet.media_tenths_ms * 1e-4));
  }
  std::optional<double> distance() const {
    const auto& telling = whole.size() >= telling_gaps ? whole : broken;
    if (telling.size() < telling_gaps) return std::nullopt;
    return std::abs(median(telling) - 1);
  }
};

/// From which window to which a queue at `rate` held: what passed faster speaks against it, what reached it for it.
std::pair<std::size_t, std::size_t> held_windows(const std::vector<Window>& windows, double rate, double packet_bytes) {
  constexpr double leeway = 0.02, toll = 2;
  double sum = 0, best = 0;
  std::size_t from = 0;
  std::pair<std::size_t, std::size_t> held{0, windows.size()};
  for (std::size_t i = 0; i < windows.size(); ++i) {
    if (sum <= 0) sum = 0, from = i;
    if (windows[i].rate > rate * (1 + leeway) + packet_bytes * 8 / window_seconds) sum -= toll;
    else if (windows[i].rate >= rate * (1 - plateau_width)) sum += 1;
    if (sum > best) best = sum, held = {from, i + 1};
  }
  return held;
}

/// The slower of two parts, where the rate steps: faster traffic before a queue began, or after it ended, hides its plateau.
/// Empty: no step.
std::span<const ArmPacket> slower_part(std::span<const ArmPacket> packets) {
  std::vector<ArmPacket> passed;
  std::copy_if(packets.begin(), packets.end(), std::back_inserter(passed), [](const ArmPacket& packet) { return !packet.lost; });
  if (passed.empty()) return {};
  const auto windows = windows_of(passed);
  std::vector<double> sums{0};
  for (const auto& window : windows) sums.push_back(sums.back() + window.rate);
  const auto mean_of = [&](std::size_t from, std::size_t to) { return (sums[to] - sums[from]) / static_cast<double>(to - from); };
  double best = 0;
  std::size_t cut = 0;
  for (std::size_t i = minimum_saturated; i + minimum_saturated <= windows.size(); ++i) {
    const double difference = mean_of(0, i) - mean_of(i, windows.size());
    const double explained = difference * difference * static_cast<double>(i * (windows.size() - i));
    if (explained > best) best = explained, cut = i;
  }
  if (cut == 0) return {};
  const double before = mean_of(0, cut), after = mean_of(cut, windows.size());
  if (std::max(before, after) < clearly_slower * std::min(before, after)) return {};
  const double at = passed[windows[cut].begin].time;
  const auto second = std::find_if(packets.begin(), packets.end(), [&](const ArmPacket& packet) { return packet.time >= at; });
  const auto first_count = static_cast<std::size_t>(second - packets.begin());
  return before < after ? packets.first(first_count) : packets.subspan(first_count);
}

/// How much longer the gaps that hold a loss are than the others, each set against the time its packet's size takes.
/// A queue's gaps don't know of the packets it dropped (1.0); a loss without a queue leaves a gap twice as long.
double loss_widens(const std::vector<double>& gaps, const std::vector<double>& expected, const std::vector<bool>& broken) {
  double gap[2] = {0, 0}, time[2] = {0, 0};
  std::size_t count[2] = {0, 0};
  for (std::size_t i = 0; i < gaps.size(); ++i) {
    const std::size_t side = broken[i] ? 1 : 0;
    gap[side] += gaps[i];
    time[side] += expected[i];
    ++count[side];
  }
  return std::min(count[0], count[1]) < 10 || gap[0] <= 0 ? 1 : (gap[1] / time[1]) / (gap[0] / time[0]);
}

/// Gaps over the times that sizes take, of several neighbours together.
std::vector<double> relative_of_runs(const std::vector<double>& gaps, const std::vector<double>& expected) {
  constexpr std::size_t run = 8;
  std::vector<double> relative;
  for (std::size_t i = 0; i + run <= gaps.size(); i += run) {
    double gap = 0, time = 0;
    for (std::size_t k = i; k < i + run; ++k) gap += gaps[k], time += expected[k];
    relative.push_back(gap / time);
  }
  return relative;
}

/// One plateau of the whole arm.
std::optional<ShaperFit> fit_plateau(std::span<const ArmPacket> all, const PacketTimes& times) {
  std::vector<ArmPacket> passed;
  std::vector<bool> after_loss;
  bool lost_before = false;
  for (const auto& packet : all) {
    if (!packet.lost) {
      passed.push_back(packet);
      after_loss.push_back(lost_before);
    }
    lost_before = packet.lost;
  }
  if (passed.size() < 100) return std::nullopt;
  const auto windows = windows_of(passed);
  if (windows.size() < minimum_saturated) return std::nullopt;
  std::vector<double> rates, all_sizes;
  for (const auto& window : windows) rates.push_back(window.rate);
  for (const auto& packet : passed) all_sizes.push_back(packet.bytes);
  // Small packets that follow a voice packet at once would feign a gap that grows with size.
  const double small = least_size_share * median(all_sizes);
  // A bucket lets a burst through before it paces: the top tenth may lie above the plateau.
  const double top = quantile(rates, 0.9);
  double best_centre = 0;
  std::size_t most = 0;
  std::sort(rates.begin(), rates.end());
  for (const double centre : rates) {
    if (centre <= 0 || centre < 0.6 * top || centre > 1.02 * top) continue;
    const auto inside = static_cast<std::size_t>(std::upper_bound(rates.begin(), rates.end(), centre * (1 + plateau_width / 2)) -
                                                 std::lower_bound(rates.begin(), rates.end(), centre * (1 - plateau_width / 2)));
    if (inside > most || (inside == most && centre > best_centre)) most = inside, best_centre = centre;
  }
  if (best_centre <= 0) return std::nullopt;
  ShaperFit fit;
  fit.windows = windows.size();
  std::vector<double> plateau, mean_sizes, gaps, expected, expected_before, relative, sizes;
  std::vector<bool> broken;                     // the gap holds a loss
  OffClock off_clock;
  for (const auto& window : windows) {
    if (std::abs(window.rate / best_centre - 1) > plateau_width) continue;
    plateau.push_back(window.rate);
    mean_sizes.push_back(window.rate * window_seconds / 8 / static_cast<double>(window.end - window.begin));
    for (std::size_t i = std::max<std::size_t>(1, window.begin); i < window.end; ++i) {
      if (passed[i].bytes < small || passed[i - 1].bytes < small) continue;
      const double gap = passed[i].time - passed[i - 1].time;
      gaps.push_back(gap);
      sizes.push_back(passed[i].bytes);
      expected_before.push_back(passed[i - 1].bytes);
      broken.push_back(after_loss[i]);
      if (times.own > 0) off_clock.add(gap, passed[i], after_loss[i]);
    }
  }
  fit.saturated = plateau.size();
  if (plateau.size() < minimum_saturated || static_cast<double>(plateau.size()) < minimum_saturated_share * static_cast<double>(windows.size()) || gaps.size() < 50)
    return std::nullopt;
  // Over runs of saturated windows bytes and time telescope; a window's own edges cost up to a packet.
  double bytes = 0, time = 0;
  for (std::size_t w = 0; w < windows.size();) {
    std::size_t end = w;
    while (end < windows.size() && std::abs(windows[end].rate / best_centre - 1) <= plateau_width) ++end;
    if (end > w) {
      const std::size_t a = windows[w].begin, b = windows[end - 1].end - 1;
      for (std::size_t i = a + 1; i <= b; ++i) bytes += passed[i].bytes;
      time += passed[b].time - passed[a].time;
    }
    w = std::max(end, w + 1);
  }
  if (time <= 0) return std::nullopt;
  fit.rate_bps = bytes * 8 / time;
  const auto [first, last] = held_windows(windows, fit.rate_bps, mean(all_sizes));
  fit.start = passed[windows[first].begin].time;
  fit.end = passed[windows[last - 1].end - 1].time;
  fit.plateau_cv = standard_deviation(plateau) / mean(plateau);
  const double half = std::max(0.005, 2.5 * fit.plateau_cv / std::sqrt(static_cast<double>(plateau.size())));
  fit.rate_low = fit.rate_bps * (1 - half);
  fit.rate_high = fit.rate_bps * (1 + half);
  for (const double size : sizes) expected.push_back(size * 8 / fit.rate_bps);
  for (double& size : expected_before) size *= 8 / fit.rate_bps;
  fit.correlation = correlation(expected, gaps);
  // A bucket that may go into debt (HTB) pauses after a large packet instead of before it.
  if (const double before = correlation(expected_before, gaps); before > fit.correlation) {
    fit.correlation = before;
    expected = std::move(expected_before);
  }
  for (std::size_t i = 0; i < gaps.size(); ++i) relative.push_back(gaps[i] / expected[i]);
  const double deviation_x = standard_deviation(expected);
  fit.slope = deviation_x > 0 ? fit.correlation * standard_deviation(gaps) / deviation_x : 0;
  const double usual_gap = median(gaps);
  const auto off_own = off_clock.distance();
  fit.off_grid = off_own.value_or(off_grid(usual_gap, times));
  const bool gaps_ignore_losses = loss_widens(gaps, expected, broken) < most_gap_ratio;
  const bool varying = standard_deviation(sizes) > varying_sizes * mean(sizes);
  // Sizes that wander make the rate of a sender that keeps its own time wander too; behind a queue it stands still.
  const double wandering = mean(mean_sizes) > 0 ? standard_deviation(mean_sizes) / mean(mean_sizes) : 0;
  const bool size_rules = fit.slope >= clear_low_slope && fit.slope <= clear_most_slope && fit.correlation >= clear_correlation;
  const bool paced = fit.plateau_cv <= paced_ratio * wandering && size_rules;
  // Jitter moves single packets; it doesn't add up over several gaps.
  const bool even = fit.off_grid >= least_off_grid && (relative_spread(relative) <= steady_gaps / 2 || (times.own > 0 && relative_spread(relative_of_runs(gaps, expected)) <= steady_runs));
  // A rate that stands still throughout while a tenth is lost without a trace in the gaps: nothing but a queue drops like that.
  const auto lossy = static_cast<std::size_t>(std::count(broken.begin(), broken.end(), true));
  const bool indifferent = lossy >= telling_gaps && broken.size() - lossy >= telling_gaps &&
                           static_cast<double>(lossy) >= much_lost * static_cast<double>(broken.size()) && fit.plateau_cv <= still_plateau &&
                           static_cast<double>(plateau.size()) >= nearly_all * static_cast<double>(windows.size()) &&
                           std::abs(loss_widens(gaps, expected, broken) - 1) <= no_trace && size_rules;
  const bool grows = fit.slope >= least_slope && fit.slope <= most_slope && fit.correlation >= least_correlation;
  const bool serial = off_own.value_or(1) >= least_off_clock && (varying ? grows || paced || indifferent || (even && size_rules) : even);
  // The plateau's rate must be that of the usual gap: on a line that others' large packets hold up, ours come in clumps.
  const bool usual = std::abs(median(relative) - 1) <= most_unusual;
  fit.mechanism = serial && usual && gaps_ignore_losses && fit.plateau_cv <= widest_plateau && relative_spread(relative) <= steady_gaps;
  return fit;
}

std::span<const ArmPacket> between(std::span<const ArmPacket> packets, double from, double to) {
  const auto begin = std::find_if(packets.begin(), packets.end(), [&](const ArmPacket& p) { return p.time >= from; });
  const auto end = std::find_if(begin, packets.end(), [&](const ArmPacket& p) { return p.time > to; });
  return packets.subspan(static_cast<std::size_t>(begin - packets.begin()), static_cast<std::size_t>(end - begin));
}

}  // namespace

std::optional<ShaperFit> fit_shaper(std::span<const ArmPacket> packets, const PacketTimes& times) {
  auto fit = fit_plateau(packets, times);
  auto part = packets;
  for (int cut = 0; cut < most_cuts && !(fit && fit->mechanism); ++cut) {
    part = slower_part(part);
    if (part.empty()) break;
    if (auto alone = fit_plateau(part, times); alone && alone->mechanism) fit = std::move(alone), packets = part;
  }
  if (!fit || !fit->mechanism || packets.empty()) return fit;
  if (fit->start - packets.front().time > longest_stray || packets.back().time - fit->end > longest_stray)
    if (auto exact = fit_plateau(between(packets, fit->start, fit->end), times); exact && exact->mechanism) return exact;
  return fit;
}

}  // namespace callwitness::metrics
