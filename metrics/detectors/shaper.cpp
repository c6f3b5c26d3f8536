// D2: a queue that drains at a constant rate. docs/methods/shaper.md
#include "metrics/finding_support.hpp"
#include "metrics/fits/busy_periods.hpp"
#include "metrics/fits/serialisation.hpp"
#include "metrics/parallel.hpp"

#include <algorithm>

namespace callwitness::metrics {
namespace {

constexpr double lowest_line_bps = 100'000;  ///< without control traffic: no line sold is slower
constexpr double slowest_uplink_bps = 150'000;   ///< whose video adapts to a far end's own slow uplink fills it now and then just so
constexpr double most_of_the_time = 0.5;
constexpr double only_mentioned = 0.85;
constexpr double least_loss = 0.02;          ///< a full queue loses; or it shows as delay
constexpr double least_delay_ms = 60;
constexpr double least_saturated_unread = 0.75;   ///< of the windows from its first to its last

/// A queue of one rate, however it was found.
struct Queue {
  double rate_bps = 0, rate_low = 0, rate_high = 0, start = 0, end = 0;
  double saturated = 0;                      ///< share of the time in which it was full
  double standing = 1;                       ///< share of the time in which it stood, where voice tells
  bool plateau = false;                      ///< it filled so often that the rate of whole windows tells it
  std::vector<Stretch> drained;              ///< in which it stood and drained at the rate, where voice tells
  std::map<std::string, double> numbers;
};

/// Where voice tells when the queue stands, its rate is that of those periods: whole windows hold moments without it.
std::optional<Queue> queue_of(const DetectorInput& input, const FlowObservation& flow, const Arm& arm) {
  std::optional<Queue> queue;
  if (const auto fit = fit_shaper(arm.packets, arm.packet_times); fit && fit->mechanism)
    queue = Queue{fit->rate_bps, fit->rate_low, fit->rate_high, fit->start, fit->end,
                  static_cast<double>(fit->saturated) / static_cast<double>(fit->windows), 1, true, {},
                  {{"slope", fit->slope}, {"correlation", fit->correlation}, {"off_grid", fit->off_grid}, {"plateau_cv", fit->plateau_cv},
                   {"saturated_windows", static_cast<double>(fit->saturated)}, {"windows", static_cast<double>(fit->windows)}}};
  const auto fit = fit_busy_periods(arm.packets, clocked_packets(input.observation, flow, arm));
  if (!fit || !fit->mechanism) return queue;
  const double start = fit->periods.front().begin, end = fit->periods.back().end;
  if (!queue) queue = Queue{0, 0, 0, start, end, fit->busy_s / (end - start), 0, false, {}, {}};
  queue->standing = fit->busy_s / (end - start);
  queue->rate_bps = fit->rate_bps, queue->rate_low = fit->rate_low, queue->rate_high = fit->rate_high;
  queue->drained = fit->drained;
  queue->numbers.merge(std::map<std::string, double>{
      {"busy_periods", static_cast<double>(fit->periods.size())}, {"busy_s", fit->busy_s}, {"busy_at_rate", fit->at_rate},
      {"drained_cv", fit->drained_cv}, {"sent_cv", fit->sent_cv}, {"longest_delay_ms", fit->longest_delay_ms}});
  return queue;
}

}  // namespace

std::vector<Finding> shaper(const DetectorInput& input) {
  std::vector<Finding> findings;
  std::vector<std::optional<Queue>> queues(input.arms.size());
  for_each_index(input.arms.size(), [&](std::size_t i) {
    const auto& arm = input.arms[i];
    const auto* flow = find_flow(input.observation, arm.flow);
    if (arm.source != LossSource::sequence) return;   // detectors/ceilings.cpp
    // TCP paces itself by its own acknowledgements.
    if (!arm.whole_flow || flow == nullptr || flow->tcp || !can_show_losses(input.observation, arm) || came_by_two_ways(input.observation, arm)) return;
    queues[i] = queue_of(input, *flow, arm);
  });
  for (std::size_t i = 0; i < input.arms.size(); ++i) {
    const auto& arm = input.arms[i];
    const auto& queue = queues[i];
    const bool policed = std::any_of(input.earlier.begin(), input.earlier.end(), [&](const Finding& f) {
      return f.kind == FindingKind::rate_cap && f.direction == arm.direction && std::find(f.flows.begin(), f.flows.end(), arm.flow) != f.flows.end();
    });
    if (policed || !queue) continue;
    // Whose losses can't be read may have run free in between: a line that fades and recovers.
    if (arm.source != LossSource::sequence && queue->plateau && queue->saturated < least_saturated_unread) continue;
    std::uint64_t count = 0, lost = 0;
    for (const auto& packet : arm.packets) {
      if (packet.time < queue->start || packet.time > queue->end) continue;
      ++count;
      lost += packet.lost ? 1 : 0;
    }
    const double loss = count == 0 ? 0 : static_cast<double>(lost) / static_cast<double>(count), delay = delay_of(input.observation, arm);
    // An unnumbered stream shows neither loss nor delay; that its packets leave their codec's grid stands for both.
    // A voice alone doesn't adapt: what doesn't fit through must be lost, and its delay is the line's.
    const bool is_voice = arm.packet_times.own > 0;
    if (arm.source == LossSource::sequence && queue->plateau && loss < least_loss && (is_voice || delay < least_delay_ms)) continue;
    auto contrast = contrast_in(input.observation, arm, queue->rate_bps, queue->drained);
    if (queue->plateau && !contrast.exceeds) contrast = contrast_around(input.observation, arm, queue->rate_bps, queue->start, queue->end);
    const bool slower_than_any_line = !contrast.present && queue->plateau && queue->rate_bps <= lowest_line_bps;
    if (!slower_than_any_line && !contrast.exceeds) continue;
    Finding finding = finding_of(input, arm, FindingKind::rate_cap, Mechanism::shaper, queue->start, queue->end);
    finding.rate_bps = queue->rate_bps;
    finding.rate_bps_low = queue->rate_low;
    finding.rate_bps_high = queue->rate_high;
    const bool may_be_far_uplink = queue->standing < most_of_the_time && arm.direction == Direction::received && queue->rate_bps > slowest_uplink_bps;
    finding.confidence = may_be_far_uplink ? only_mentioned : contrast.exceeds ? 0.99 : 0.9;
    finding.numbers = queue->numbers;
    finding.numbers.merge(std::map<std::string, double>{{"losses", static_cast<double>(lost)}, {"loss_ratio", loss}, {"delay_p95_ms", delay},
                                                        {"contrast", contrast.exceeds ? 1.0 : 0.0}});
    for (const auto& packet : arm.packets)
      if (!packet.lost && packet.time >= queue->start && finding.packets.size() < 200) finding.packets.push_back(packet.ordinal);
    finding.alternatives = alternatives_of_cap(false, true, "rate_stands_still");
    merge_cap(findings, std::move(finding));
  }
  return findings;
}

}  // namespace callwitness::metrics
