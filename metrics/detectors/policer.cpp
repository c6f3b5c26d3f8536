// D1: packets dropped above a rate, without a queue. docs/methods/policer.md
#include "metrics/finding_support.hpp"
#include "metrics/fits/busy_periods.hpp"
#include "metrics/fits/policer_rules.hpp"
#include "metrics/fits/token_bucket.hpp"
#include "metrics/fits/waiting.hpp"
#include "metrics/parallel.hpp"
#include "metrics/statistics.hpp"

#include <algorithm>
#include <cmath>

namespace callwitness::metrics {
namespace {

constexpr double least_loss = 0.02;          ///< less doesn't bind (and can't be told from chance)
constexpr double queueing_ms = 100;          ///< of delay, without anybody to ask: a line's queue behind a radio looks like no queue
constexpr double lowest_line_bps = 100'000;  ///< without control traffic: no line sold is slower

bool capture_is_whole(std::span<const Finding> earlier) {
  return std::none_of(earlier.begin(), earlier.end(), [](const Finding& f) { return f.kind == FindingKind::capture_loss; });
}

/// A quota that is used up to the byte in each period explains more than a bucket can: that refills all the time.
bool has_quota(std::span<const Finding> earlier, const Arm& arm) {
  return std::any_of(earlier.begin(), earlier.end(), [&](const Finding& f) {
    return f.mechanism == Mechanism::quota && f.direction == arm.direction && std::find(f.flows.begin(), f.flows.end(), arm.flow) != f.flows.end();
  });
}

/// A bucket for one stream only: of the whole, losses would fall where it was full and the rate would wander; of the part,
/// neither.
bool pays_alone(const PolicerFit& part, const PolicerFit& whole) {
  constexpr double exact = 0.03, wanders = 3, never = 0.1, often = 0.25;
  return part.mechanism && part.spread <= exact && part.lost_when_full <= never && whole.lost_when_full >= often && whole.spread >= wanders * part.spread;
}

/// Past the arms of one flow and direction, which stand together.
std::size_t end_of_flow(std::span<const Arm> arms, std::size_t first) {
  std::size_t end = first;
  while (end < arms.size() && arms[end].flow == arms[first].flow && arms[end].direction == arms[first].direction) ++end;
  return end;
}

/// Arms whose fits are needed: where no arm of a flow and direction can lose enough, none of them speaks. A little less than
/// what speaks is asked for: by the sender's clock (fit_as_sent) other packets may stand between the same losses.
std::vector<char> worth_fitting(const DetectorInput& input) {
  constexpr double nearly = 0.8;
  std::vector<char> worth(input.arms.size(), false);
  for (std::size_t a = 0; a < input.arms.size();) {
    const std::size_t end = end_of_flow(input.arms, a);
    bool enough = false;
    for (std::size_t i = a; i < end; ++i) {
      worth[i] = input.arms[i].source != LossSource::none && can_show_losses(input.observation, input.arms[i]);
      enough = enough || (worth[i] && may_lose(input.arms[i].packets, nearly * least_loss));
    }
    for (; a < end; ++a) worth[a] = worth[a] && enough;
  }
  return worth;
}

Finding tell(const DetectorInput& input, const Arm& arm, const PolicerFit& fit, const Contrast& contrast) {
  Finding finding = finding_of(input, arm, FindingKind::rate_cap, Mechanism::policer, fit.start, fit.end);
  finding.rate_bps = fit.rate_bps;
  finding.rate_bps_low = fit.rate_low;
  finding.rate_bps_high = fit.rate_high;
  finding.confidence = arm.source == LossSource::sequence ? 0.995 : 0.99;
  finding.numbers = {{"losses", static_cast<double>(fit.losses)}, {"packets", static_cast<double>(fit.packets)}, {"loss_ratio", fit.loss_ratio},
                     {"precision", fit.precision}, {"recall", fit.recall}, {"loss_when_full", fit.loss_when_full}, {"spread", fit.spread},
                     {"offered_spread", fit.offered_spread}, {"local_rate_ratio", fit.local_rate_ratio}, {"burst_low_bytes", fit.burst_low},
                     {"burst_high_bytes", fit.burst_high}, {"whole_flow", arm.whole_flow ? 1.0 : 0.0}, {"by_cadence", arm.source == LossSource::cadence ? 1.0 : 0.0},
                     {"contrast", contrast.exceeds ? 1.0 : 0.0}};
  for (std::size_t i = 1; i < arm.packets.size(); ++i)
    if (arm.packets[i - 1].lost && !arm.packets[i].lost && arm.packets[i].time >= fit.start) finding.packets.push_back(arm.packets[i].ordinal);
  finding.alternatives = alternatives_of_cap(contrast, true, capture_is_whole(input.earlier));
  return finding;
}

/// What lies behind a bucket (a radio, a full line) moves and bunches what it let through. By the sender's own clock the
/// bucket shows nevertheless, if no queue made the losses.
std::vector<PolicerFit> fit_as_sent(const DetectorInput& input, const Arm& arm, const std::vector<PolicerFit>& arrived) {
  const auto sent = at_sending_times(input.observation, arm);
  if (!sent) return {};
  auto fits = fit_policers(sent->packets);
  if (arrived.empty()) return {};
  // A queue's packets never come faster than its rate: only arrivals can tell.
  for (auto& fit : fits) {
    fit.local_rate_ratio = arrived.front().local_rate_ratio * std::min(1.0, arrived.front().rate_bps / fit.rate_bps);
    fit.in_bursts = arrived.front().in_bursts;
    judge(fit);
    fit.mechanism = fit.mechanism && !waited_before_losses(arm.packets, sent->packets, fit.rate_bps);
  }
  if (std::none_of(fits.begin(), fits.end(), [](const PolicerFit& fit) { return fit.mechanism; })) return {};
  return fits;
}

/// Both ends of a call mostly send as often. Where as many packets come as we send, none are missing, whatever the gaps look like:
/// a line that others' large packets hold up moves them off their places.
bool comes_as_often_as_we_send(const DetectorInput& input, const Arm& arm, double from, double to) {
  constexpr double alike = 0.02;
  const auto count = [&](const Arm& of) {
    return static_cast<double>(std::count_if(of.packets.begin(), of.packets.end(), [&](const ArmPacket& packet) { return !packet.lost && packet.time >= from && packet.time <= to; }));
  };
  const auto ours = std::find_if(input.arms.begin(), input.arms.end(), [&](const Arm& other) { return other.whole_flow && other.flow == arm.flow && other.direction != arm.direction; });
  return ours != input.arms.end() && std::abs(count(arm) - count(*ours)) <= alike * count(*ours);
}

/// Where one loss follows the other and no more than the cap passes in between: the bucket is as good as empty.
std::vector<Stretch> empty_stretches(const Arm& arm, const PolicerFit& fit) {
  constexpr double next_s = 0.4, leeway = 1.05, packets_more = 2;
  std::vector<Stretch> stretches;
  double first = 0, last = -1e9, passed = 0, since_last = 0, largest = 0;
  const auto finish = [&] {
    if (last > first && 8 * passed <= leeway * fit.rate_bps * (last - first) + 8 * packets_more * largest) stretches.push_back({first, last});
  };
  for (const auto& packet : arm.packets) {
    if (packet.time < fit.start || packet.time > fit.end) continue;
    if (!packet.lost) {
      since_last += packet.bytes;
      largest = std::max(largest, packet.bytes);
    } else if (packet.time - last <= next_s) {
      last = packet.time, passed += since_last, since_last = 0;
    } else {
      finish();
      first = last = packet.time, passed = since_last = 0;
    }
  }
  finish();
  return stretches;
}

/// Others against the cap: second by second, or within the stretches in which the bucket is empty, for a talker who pauses fills
/// it up again in most seconds.
Contrast contrast_with(const DetectorInput& input, const Arm& arm, const PolicerFit& fit) {
  auto contrast = contrast_around(input.observation, arm, fit.rate_bps, fit.start, fit.end);
  if (contrast.exceeds || !contrast.shares_nothing) return contrast;
  contrast.exceeds = contrast_in(input.observation, arm, fit.rate_bps, empty_stretches(arm, fit)).exceeds;
  return contrast;
}

/// A short queue drops a part of the traffic as a bucket would; that the flow's voice waits in it at most losses tells.
bool queue_stood_at_losses(const DetectorInput& input, const Arm& whole, const Arm& arm) {
  constexpr double most = 0.5;
  const auto* flow = find_flow(input.observation, arm.flow);
  if (flow == nullptr || !whole.whole_flow) return false;
  const auto fit = fit_busy_periods(whole.packets, clocked_packets(input.observation, *flow, whole));
  if (!fit || !fit->mechanism) return false;
  const auto stood = std::count_if(arm.packets.begin(), arm.packets.end(), [&](const ArmPacket& packet) {
    return packet.lost && std::any_of(fit->periods.begin(), fit->periods.end(), [&](const Stretch& period) { return packet.time >= period.begin && packet.time <= period.end; });
  });
  return static_cast<double>(stood) >= most * static_cast<double>(arm.lost);
}

/// A line that fades and recovers (a phone at a cell's edge): its queue is full when it drops, and empty at other times. A
/// bucket's losses don't know of the line's queue; bursts of video, which meet both, wait some milliseconds. Nor do they know
/// when a radio sleeps, whose losses are those of a queue that is emptied when it wakes.
bool met_a_full_queue(const DetectorInput& input, const Arm& arm, double rate_bps) {
  constexpr double least_wait_s = 0.05;
  const auto sent = at_sending_times(input.observation, arm);
  return sent && (waited_before_losses(arm.packets, sent->packets, rate_bps, least_wait_s) || lost_between_batches(arm.packets, sent->packets));
}

}  // namespace

std::vector<Finding> policer(const DetectorInput& input) {
  std::vector<Finding> findings;
  std::vector<std::vector<PolicerFit>> fits_of(input.arms.size());
  const auto worth = worth_fitting(input);
  for_each_index(input.arms.size(), [&](std::size_t i) {
    if (worth[i]) fits_of[i] = fit_policers(input.arms[i].packets);
  });
  // Of the arms of one flow and direction only the best fit speaks: the bucket is one, whatever shares it.
  for (std::size_t a = 0; a < input.arms.size();) {
    const std::size_t first = a, end = end_of_flow(input.arms, a);
    const Arm* best_arm = nullptr;
    std::vector<PolicerFit> best;
    double best_gain = 0;
    for (std::size_t i = a; i < end; ++i) {
      const auto& arm = input.arms[i];
      auto& fits = fits_of[i];
      // Who pays from a bucket is told by what explains the losses best: a part of the traffic fits too, at too low a
      // rate. Where the whole doesn't hold, a part that explains less may not speak in its place.
      constexpr double whole_first = 1.05;
      double gain = 0;
      for (const auto& fit : fits) gain += fit.gain;
      if (arm.whole_flow) gain *= whole_first;
      if (fits.empty() || (best_arm != nullptr && gain <= best_gain)) continue;
      best_arm = &arm;
      best = std::move(fits);
      best_gain = gain;
    }
    if (best_arm != nullptr && best_arm->whole_flow && !best.empty() && !best.front().mechanism)
      for (std::size_t i = a; i < end; ++i)
        if (!input.arms[i].whole_flow && !fits_of[i].empty() && pays_alone(fits_of[i].front(), best.front())) {
          best_arm = &input.arms[i];
          best = std::move(fits_of[i]);
          break;
        }
    a = end;
    if (best_arm == nullptr || has_quota(input.earlier, *best_arm) || came_by_two_ways(input.observation, *best_arm)) continue;
    if (best_arm->source == LossSource::sequence && std::none_of(best.begin(), best.end(), [](const PolicerFit& fit) { return fit.mechanism; }))
      if (auto sent = fit_as_sent(input, *best_arm, best); !sent.empty()) best = std::move(sent);
    // A queue that is always full drops like a policer; what it lets out follows its sizes.
    constexpr double serial_correlation = 0.9, mostly_saturated = 0.5;
    const auto queue = fit_shaper(best_arm->packets, best_arm->packet_times);
    if (queue && queue->mechanism && queue->correlation >= serial_correlation &&
        static_cast<double>(queue->saturated) >= mostly_saturated * static_cast<double>(queue->windows))
      continue;
    if (std::any_of(best.begin(), best.end(), [](const PolicerFit& fit) { return fit.mechanism; }) && queue_stood_at_losses(input, input.arms[first], *best_arm)) continue;
    for (const auto& fit : best) {
      if (!fit.mechanism || fit.loss_ratio < least_loss || capture_may_explain(input.earlier, fit.loss_ratio)) continue;
      const auto contrast = contrast_with(input, *best_arm, fit);
      // Other traffic that never exceeded the cap says the limit may be the line's: then no cap is claimed.
      if (!contrast.exceeds && (contrast.present || fit.rate_bps > lowest_line_bps)) continue;
      // Gaps of a sender that changes its packet time are no losses, nor are packets that jitter misnumbers.
      if (best_arm->source == LossSource::cadence && (!is_clear_by_cadence(fit) || comes_as_often_as_we_send(input, *best_arm, fit.start, fit.end))) continue;
      // With nobody to ask, what a queue explains as well may be the line's.
      if (!contrast.exceeds && ((queue && queue->mechanism) || delay_of(input.observation, *best_arm) >= queueing_ms)) continue;
      if (best_arm->source == LossSource::sequence && met_a_full_queue(input, *best_arm, fit.rate_bps)) continue;
      merge_cap(findings, tell(input, *best_arm, fit, contrast));
    }
  }
  return findings;
}

}  // namespace callwitness::metrics
