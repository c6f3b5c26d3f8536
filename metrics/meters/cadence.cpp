#include "metrics/meters/cadence.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace callwitness::metrics {

namespace {
constexpr std::array<double, 10> usual_packet_times_ms{2.5, 5, 10, 20, 30, 40, 60, 80, 100, 120};
constexpr double snap_tolerance = 0.05;
constexpr double greatest_deviation = 0.25;       // MAD of the gaps over the packet time
constexpr double regular_share = 0.9;             // of the steps (or sizes) that must be alike
constexpr double size_class = 0.3;                // sizes within ±30 % of the median are one class
constexpr std::size_t least_packets = 50;
constexpr double pause_packets = 4.5;             // a gap of more may be silence suppression's as well as losses in a row
constexpr double greatest_doubt = 0.01;           // of all packets: what such gaps may leave in doubt
constexpr double doubtful_share = 0.25;           // … or of what is missing
constexpr double spurt_gap_packets = 50;          // a longer pause is a silence or an outage, no countable loss
constexpr std::size_t steady_stretch = 30;        // double gaps on end: a sender's slower stretch (metrics/fits/unnumbered.cpp has the same)
constexpr std::int64_t longest_frames_gap = 1'000'000;

double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

bool one_size_class(const std::vector<UnsequencedPacket>& packets) {
  std::vector<double> sizes;
  for (const auto& packet : packets) sizes.push_back(packet.ip_bytes);
  const double usual = median(sizes);
  const auto alike = std::count_if(sizes.begin(), sizes.end(), [&](double size) { return std::abs(size - usual) <= size_class * usual; });
  return static_cast<double>(alike) >= regular_share * static_cast<double>(sizes.size());
}

/// Frames from each packet to the next, at least one. Where a sender halves its packets for a while, all gaps are two: there
/// nothing is missing.
struct Step {
  std::int64_t frames = 1;
  bool slower = false;
};

std::vector<Step> steps_of(const std::vector<double>& gaps, double packet_time) {
  std::vector<Step> steps(gaps.size());
  for (std::size_t i = 0; i < gaps.size(); ++i) steps[i].frames = std::max<std::int64_t>(std::llround(gaps[i] / packet_time), 1);
  std::vector<std::int64_t> settled;               // a packet that strays makes three and one of two times two
  for (const auto& step : steps) settled.push_back(step.frames);
  for (std::size_t i = 0; i + 1 < settled.size(); ++i)
    if (settled[i] + settled[i + 1] == 4) settled[i] = settled[i + 1] = 2;
  for (std::size_t from = 0; from < steps.size();) {
    std::size_t to = from;
    while (to < steps.size() && settled[to] == 2) ++to;
    for (std::size_t i = from; to - from >= steady_stretch && i < to; ++i) steps[i] = {1, true};
    from = to + 1;
  }
  return steps;
}

MissingRun run_between(const UnsequencedPacket& before, const UnsequencedPacket& after, std::int64_t first, std::int64_t count) {
  return {first, static_cast<std::uint32_t>(count), after.ordinal, before.ip_bytes, after.ip_bytes, before.time, after.time};
}
}  // namespace

std::optional<CadenceEstimate> count_by_media_time(std::vector<UnsequencedPacket> packets, double ticks_per_second) {
  if (packets.size() < least_packets || ticks_per_second <= 0) return std::nullopt;
  const auto origin = packets.front().media_time;
  const auto since = [&](const UnsequencedPacket& packet) { return static_cast<std::int32_t>(packet.media_time - origin); };
  std::stable_sort(packets.begin(), packets.end(), [&](const auto& a, const auto& b) { return since(a) < since(b); });
  std::map<std::int32_t, std::size_t> steps;
  std::size_t count = 0;
  for (std::size_t i = 1; i < packets.size(); ++i) {
    const auto step = since(packets[i]) - since(packets[i - 1]);
    if (step <= 0) continue;
    ++count;
    ++steps[step];
    if (steps.size() > 256) return std::nullopt;
  }
  if (count == 0) return std::nullopt;
  const auto usual = std::max_element(steps.begin(), steps.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  const double frame = usual->first;
  std::size_t regular = 0;
  for (const auto& [step, times] : steps)
    if (std::abs(step - frame) <= greatest_deviation * frame) regular += times;
  if (static_cast<double>(regular) < regular_share * static_cast<double>(count)) return std::nullopt;
  CadenceEstimate estimate;
  estimate.packet_time_ms = 1e3 * frame / ticks_per_second;
  std::int64_t number = 0;
  std::uint64_t unique = 1;
  for (std::size_t i = 1; i < packets.size(); ++i) {
    const auto step = since(packets[i]) - since(packets[i - 1]);
    if (step <= 0) continue;
    ++unique;
    const std::int64_t frames = std::max<std::int64_t>(std::llround(step / frame), 1);
    if (frames > longest_frames_gap) return std::nullopt;
    if (frames > 1) estimate.runs.push_back(run_between(packets[i - 1], packets[i], number + 1, frames - 1));
    number += frames;
  }
  estimate.expected = static_cast<std::uint64_t>(number + 1);
  estimate.lost = estimate.expected - unique;
  return estimate;
}

std::optional<CadenceEstimate> count_by_cadence(const std::vector<UnsequencedPacket>& packets) {
  if (packets.size() < least_packets || !one_size_class(packets)) return std::nullopt;
  std::vector<double> gaps;
  gaps.reserve(packets.size());
  for (std::size_t i = 1; i < packets.size(); ++i) gaps.push_back(capture::milliseconds(packets[i].time - packets[i - 1].time));
  std::vector<double> work = gaps;
  const double middle = median(work);
  const auto nearest = *std::min_element(usual_packet_times_ms.begin(), usual_packet_times_ms.end(), [&](double a, double b) {
    return std::abs(std::log(a / middle)) < std::abs(std::log(b / middle));
  });
  if (!(middle > 0) || std::abs(middle / nearest - 1) > snap_tolerance) return std::nullopt;
  for (auto& gap : work) gap = std::abs(gap - middle);
  if (median(work) >= greatest_deviation * nearest) return std::nullopt;
  std::size_t regular = 0;
  for (const double gap : gaps) regular += gap < 1.5 * nearest;
  // Silence suppression shows as many pauses; then pauses can't be told from losses.
  std::size_t pauses = 0;
  for (const double gap : gaps) pauses += gap > pause_packets * nearest;
  if (static_cast<double>(pauses) > 0.02 * static_cast<double>(gaps.size())) return std::nullopt;
  if (static_cast<double>(regular) < 0.5 * static_cast<double>(gaps.size())) return std::nullopt;
  CadenceEstimate estimate;
  estimate.packet_time_ms = nearest;
  std::size_t begin = 0;
  std::int64_t number = 0, doubtful = 0;
  double slower = 0;                                // of a talk spurt, in slower stretches: what its gaps are too long by
  const auto close = [&](std::size_t end) {         // a talk spurt: packets [begin, end)
    const double span = capture::milliseconds(packets[end - 1].time - packets[begin].time) - slower;
    const auto frames = static_cast<std::uint64_t>(std::max(std::llround(span / nearest) + 1, 0LL));
    const std::uint64_t received = end - begin;
    estimate.expected += std::max(frames, received);
    estimate.lost += frames > received ? frames - received : 0;
    begin = end;
    slower = 0;
  };
  const auto steps = steps_of(gaps, nearest);
  for (std::size_t i = 1; i < packets.size(); ++i) {
    const double gap = gaps[i - 1];
    if (gap > spurt_gap_packets * nearest) {
      close(i);
      ++number;
      continue;
    }
    const std::int64_t frames = steps[i - 1].frames;
    if (steps[i - 1].slower) slower += gap - nearest;
    if (frames > 1) estimate.runs.push_back(run_between(packets[i - 1], packets[i], number + 1, frames - 1));
    if (gap > pause_packets * nearest) doubtful += frames - 1;
    number += frames;
  }
  close(packets.size());
  const double doubt = static_cast<double>(doubtful);
  if (doubt > greatest_doubt * static_cast<double>(estimate.expected) && doubt > doubtful_share * static_cast<double>(estimate.lost)) return std::nullopt;
  return estimate;
}

}  // namespace callwitness::metrics
