#include "metrics/contrast.hpp"

#include "metrics/contrast_bounds.hpp"
#include "metrics/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

namespace callwitness::metrics {
namespace {

constexpr double excess_if_suffering = 3;  ///< TCP that loses a lot itself must be far above the cap
constexpr double suffering_retransmissions = 0.05;
constexpr double starving_retransmissions = 0.15;   ///< of few segments: what is starved sends few
constexpr double least_call_in_busy = 0.75;  ///< on a shared line the call shrinks when others take their part
constexpr double most_loss_in_busy = 3;
constexpr std::size_t telling_losing_seconds = 3;
constexpr double largest_chance = 0.02;      ///< of so many losing seconds among the busy ones: few come together by chance
constexpr double excess_in_one_second = 5, bits_in_one_second = 400'000;   ///< more than any bucket that isn't empty holds back
constexpr double nearly_all = 0.99;         ///< of a second within used-up periods: their bounds are told to some milliseconds
/// Seconds in which a single flow was faster, than the whole of the call's flow, too: a fair queue gives none more than that.
constexpr std::size_t least_faster_alone = 2;
constexpr std::size_t starved_connections = 2;   ///< whose SYNs nobody answered: others suffer too

/// Seconds in which what limits the call held it: no more than the cap passed, between losses at most a few seconds away on
/// either side; of a call that hardly loses, about the cap. A line that faded and recovers lets others run fast too, but not then.
class Limited {
 public:
  Limited(const std::vector<double>& lost, const std::vector<double>& passed, double seen, double cap_bps) : lost_(lost), passed_(passed), cap_bps_(cap_bps) {
    const double all = std::accumulate(lost.begin(), lost.end(), 0.0);
    by_losses_ = all >= least_lossy * seen;
    packet_bits_ = std::accumulate(passed.begin(), passed.end(), 0.0) / std::max(1.0, seen - all);
  }
  bool operator()(std::size_t second) const {
    const double beyond = passed_[second] - cap_bps_, leeway = near_the_cap * cap_bps_ + packet_bits_;
    if (!by_losses_) return std::abs(beyond) <= leeway;
    if (beyond > leeway) return false;
    return any_loss(second < reach ? 0 : second - reach, second) && any_loss(second + 1, std::min(lost_.size(), second + 1 + reach));
  }

 private:
  static constexpr double least_lossy = 0.01, near_the_cap = 0.03;
  static constexpr std::size_t reach = 3;
  bool any_loss(std::size_t from, std::size_t to) const {
    for (std::size_t i = from; i < to; ++i)
      if (lost_[i] > 0) return true;
    return false;
  }
  const std::vector<double>&lost_, &passed_;
  double cap_bps_, packet_bits_ = 0;
  bool by_losses_ = false;
};

}  // namespace

const capture::IpAddress& remote_address(const FlowObservation& flow) {
  return flow.forward == Direction::sent ? flow.flow.five_tuple.destination.address : flow.flow.five_tuple.source.address;
}

const capture::IpAddress& local_address(const FlowObservation& flow) {
  return flow.forward == Direction::sent ? flow.flow.five_tuple.source.address : flow.flow.five_tuple.destination.address;
}

bool same_party(const FlowObservation& flow, const FlowObservation& of) {
  if (flow.flow.id == of.flow.id || (flow.call && flow.call == of.call)) return true;
  if (!of.flow.label.application.empty() && flow.flow.label.application == of.flow.label.application) return true;
  return remote_address(flow) == remote_address(of);
}

bool is_control(const FlowObservation& flow, const FlowObservation& of) {
  return !same_party(flow, of) && local_address(flow) == local_address(of);
}

const FlowObservation* find_flow(const Observation& observation, FlowId id) {
  const auto at = std::lower_bound(observation.flows.begin(), observation.flows.end(), id, [](const FlowObservation& flow, FlowId wanted) { return flow.flow.id < wanted; });
  return at == observation.flows.end() || at->flow.id != id ? nullptr : &*at;
}

double lost_segments(const TcpObservation& tcp, Direction direction) {
  const auto told = std::count_if(tcp.losses.begin(), tcp.losses.end(), [&](const TcpObservation::Loss& loss) { return loss.direction == direction; });
  return std::max(static_cast<double>(told), static_cast<double>(tcp.retransmissions[static_cast<std::size_t>(direction)]));
}

namespace {

/// A call's seconds, and what others received in them.
struct Seconds {
  double first = 0;
  std::vector<double> others, fastest, whole, call;   ///< bit: all others, the fastest flow of them, the call's flow, the arm
  std::vector<double> lost, seen;                     ///< packets; seen: the lost ones too
  bool suffers = false, starves = false;          ///< others
};

std::optional<Seconds> seconds_of(const Observation& observation, const Arm& arm, double from, double to) {
  const auto* own = find_flow(observation, arm.flow);
  if (own == nullptr || to <= from || to - from > longest_contrast_s) return std::nullopt;
  const auto first = static_cast<std::int64_t>(std::floor(from)), last = static_cast<std::int64_t>(std::ceil(to));
  const auto size = static_cast<std::size_t>(std::max<std::int64_t>(1, last - first));
  Seconds seconds;
  seconds.first = static_cast<double>(first);
  for (auto* series : {&seconds.others, &seconds.fastest, &seconds.whole, &seconds.call, &seconds.lost, &seconds.seen}) series->assign(size, 0);
  double retransmitted = 0, segments = 0;
  std::size_t starved = 0;
  const auto way = static_cast<std::size_t>(arm.direction);
  const auto each_second = [&](const FlowObservation& flow, auto use) {
    const auto& series = arm.direction == Direction::received ? flow.bytes.received : flow.bytes.sent;
    const auto offset = std::llround(capture::seconds(flow.bytes.start - observation.first_time)) - first;
    for (std::size_t i = 0; i < series.size(); ++i)
      if (const std::int64_t at = static_cast<std::int64_t>(i) + offset; at >= 0 && at < static_cast<std::int64_t>(size)) use(static_cast<std::size_t>(at), 8.0 * series[i]);
  };
  each_second(*own, [&](std::size_t at, double bits) { seconds.whole[at] += bits; });
  for (const auto& flow : observation.flows) {
    if (!is_control(flow, *own)) continue;
    each_second(flow, [&](std::size_t at, double bits) { seconds.others[at] += bits, seconds.fastest[at] = std::max(seconds.fastest[at], bits); });
    if (!flow.tcp) continue;
    retransmitted += lost_segments(*flow.tcp, arm.direction);
    segments += static_cast<double>(flow.tcp->segments[way]);
    const double at = capture::seconds(flow.flow.last_time - observation.first_time);
    starved += flow.tcp->unanswered && at >= from && at < to + 1 ? 1 : 0;
  }
  for (const auto& packet : arm.packets) {
    if (packet.time < from || packet.time >= to) continue;
    const auto at = std::min(size - 1, static_cast<std::size_t>(packet.time - seconds.first));
    (packet.lost ? seconds.lost : seconds.call)[at] += packet.lost ? 1 : 8 * packet.bytes;
    seconds.seen[at] += 1;
  }
  seconds.starves = starved >= starved_connections;
  seconds.suffers = seconds.starves || (segments > 200 && retransmitted > suffering_retransmissions * segments) || (segments > 20 && retransmitted > starving_retransmissions * segments);
  return seconds;
}

/// What says nothing of the call: whether others were there, suffered, and how fast they were at most.
Contrast contrast_with(const Seconds& seconds) {
  Contrast contrast;
  contrast.suffers = seconds.suffers;
  contrast.present = seconds.starves || std::any_of(seconds.others.begin(), seconds.others.end(), [](double bits) { return bits > 0; });
  std::vector<double> sorted = seconds.others;
  std::sort(sorted.rbegin(), sorted.rend());
  const std::size_t best = std::min<std::size_t>(3, sorted.size());
  for (std::size_t i = 0; i < best; ++i) contrast.peak_bps += sorted[i] / static_cast<double>(best);
  return contrast;
}

bool is_faster(const Contrast& contrast, double beyond) {
  return (contrast.busy_seconds >= 2 && beyond >= bits_beyond_a_bucket) || contrast.bursts >= 1;
}

}  // namespace

Contrast contrast_of(const Observation& observation, const Arm& arm, double cap_bps, double from, double to) {
  const auto seconds = seconds_of(observation, arm, from, to);
  if (!seconds) return {};
  auto contrast = contrast_with(*seconds);
  const auto &others = seconds->others, &fastest = seconds->fastest, &whole = seconds->whole, &call = seconds->call, &lost = seconds->lost, &seen = seconds->seen;
  const double excess = seconds->suffers ? excess_if_suffering : clear_excess;
  // Seconds in which the call (a talker who pauses) offers little say nothing of its share.
  std::vector<double> active(seen);
  const double usual = median(std::move(active));
  const Limited limited(lost, call, std::accumulate(seen.begin(), seen.end(), 0.0), cap_bps);
  double busy_call = 0, quiet_call = 0, beyond = 0;
  std::size_t busy_active = 0, quiet_active = 0, busy_losing = 0, quiet_losing = 0;
  for (std::size_t i = 0; i < others.size(); ++i) {
    const bool busy = others[i] >= excess * cap_bps;
    if (busy && limited(i)) {
      ++contrast.busy_seconds, beyond += others[i] - cap_bps;
      contrast.faster_alone += fastest[i] >= excess * std::max(cap_bps, whole[i]) ? 1 : 0;
    }
    // A shared bucket that the call has just found empty can't let this much of the others' through.
    if (fastest[i] >= excess_in_one_second * std::max(cap_bps, whole[i]) && fastest[i] >= bits_in_one_second && (lost[i] > 0 || (i > 0 && lost[i - 1] > 0)) && limited(i))
      contrast.bursts += 1;
    if (seen[i] < 0.5 * usual) continue;
    (busy ? busy_call : quiet_call) += call[i];
    ++(busy ? busy_active : quiet_active);
    (busy ? busy_losing : quiet_losing) += lost[i] >= 2 ? 1 : 0;
  }
  if (busy_active > 0 && quiet_active > 0 && quiet_call > 0)
    contrast.call_in_busy = (busy_call / static_cast<double>(busy_active)) / (quiet_call / static_cast<double>(quiet_active));
  if (busy_losing >= telling_losing_seconds && quiet_active > 0 &&
      fisher_p(busy_losing, busy_active, busy_losing + quiet_losing, busy_active + quiet_active) <= largest_chance)
    contrast.loss_in_busy = static_cast<double>(busy_losing) / static_cast<double>(busy_active) /
                            (static_cast<double>(quiet_losing + 1) / static_cast<double>(quiet_active + 1));
  const bool alone = contrast.faster_alone >= least_faster_alone || contrast.bursts >= 1;
  contrast.shares_nothing = contrast.call_in_busy >= least_call_in_busy && contrast.loss_in_busy <= most_loss_in_busy;
  contrast.exceeds = alone && is_faster(contrast, beyond) && contrast.shares_nothing;
  return contrast;
}

Contrast contrast_of_quota(const Observation& observation, const Arm& arm, double cap_bps, std::span<const Stretch> used_up) {
  const auto seconds = used_up.empty() ? std::nullopt : seconds_of(observation, arm, used_up.front().begin, used_up.back().end);
  if (!seconds) return {};
  auto contrast = contrast_with(*seconds);
  const double excess = contrast.suffers ? excess_if_suffering : clear_excess;
  double beyond = 0;
  for (std::size_t i = 0; i < seconds->others.size(); ++i) {
    const double bits = seconds->others[i], from = seconds->first + static_cast<double>(i), to = from + 1;
    if (bits < excess * cap_bps) continue;
    double inside = 0;
    for (const auto& span : used_up) inside += std::max(0.0, std::min(to, span.end) - std::max(from, span.begin));
    if (inside < nearly_all) continue;
    ++contrast.busy_seconds, beyond += bits - cap_bps;
    contrast.bursts += bits >= excess_in_one_second * cap_bps && bits >= bits_in_one_second ? 1 : 0;
  }
  contrast.exceeds = is_faster(contrast, beyond);
  return contrast;
}

Contrast contrast_around(const Observation& observation, const Arm& arm, double cap_bps, double from, double to) {
  auto contrast = contrast_of(observation, arm, cap_bps, from, to);
  if (contrast.present) return contrast;
  const auto wider = contrast_of(observation, arm, cap_bps, 0, capture::seconds(observation.last_time - observation.first_time));
  // Faster traffic at another time proves nothing of these minutes: a bucket that nobody had emptied lets a burst through.
  contrast.present = wider.present;
  return contrast;
}

}  // namespace callwitness::metrics
