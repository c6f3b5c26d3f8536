// D2: a queue that drains at a constant rate. docs/methods/shaper.md
#include "metrics/finding_support.hpp"
#include "metrics/fits/token_bucket.hpp"
#include "metrics/parallel.hpp"

#include <algorithm>

namespace callwitness::metrics {
namespace {

constexpr double lowest_line_bps = 100'000;  ///< without control traffic: no line sold is slower
constexpr double least_loss = 0.02;          ///< a full queue loses; or it shows as delay
constexpr double least_delay_ms = 60;
constexpr double least_saturated_unread = 0.75;   ///< of the windows from its first to its last

}  // namespace

std::vector<Finding> shaper(const DetectorInput& input) {
  std::vector<Finding> findings;
  std::vector<std::optional<ShaperFit>> fits(input.arms.size());
  for_each_index(input.arms.size(), [&](std::size_t i) {
    const auto& arm = input.arms[i];
    const auto* flow = find_flow(input.observation, arm.flow);
    // Arrivals that keep a sender's phase are spaced by the sender: several frames in one packet feign a gap that grows with size.
    if (arm.source != LossSource::sequence && arm.packet_times.own > 0) return;
    // TCP paces itself by its own acknowledgements.
    if (!arm.whole_flow || flow == nullptr || flow->tcp || !can_show_losses(input.observation, arm) || came_by_two_ways(input.observation, arm)) return;
    fits[i] = fit_shaper(arm.packets, arm.packet_times);
  });
  for (std::size_t i = 0; i < input.arms.size(); ++i) {
    const auto& arm = input.arms[i];
    const auto& fit = fits[i];
    const bool policed = std::any_of(input.earlier.begin(), input.earlier.end(), [&](const Finding& f) {
      return f.kind == "rate_cap" && f.direction == arm.direction && std::find(f.flows.begin(), f.flows.end(), arm.flow) != f.flows.end();
    });
    if (policed || !fit || !fit->mechanism) continue;
    // Whose losses can't be read may have run free in between: a line that fades and recovers.
    const double saturated = static_cast<double>(fit->saturated) / static_cast<double>(fit->windows);
    if (arm.source != LossSource::sequence && saturated < least_saturated_unread) continue;
    std::uint64_t count = 0, lost = 0;
    for (const auto& packet : arm.packets) {
      if (packet.time < fit->start || packet.time > fit->end) continue;
      ++count;
      lost += packet.lost ? 1 : 0;
    }
    const double loss = count == 0 ? 0 : static_cast<double>(lost) / static_cast<double>(count), delay = delay_of(input.observation, arm);
    // An unnumbered stream shows neither loss nor delay; that its packets leave their codec's grid stands for both.
    // A voice alone doesn't adapt: what doesn't fit through must be lost, and its delay is the line's.
    const bool is_voice = arm.packet_times.own > 0;
    if (arm.source == LossSource::sequence && loss < least_loss && (is_voice || delay < least_delay_ms)) continue;
    const auto contrast = contrast_around(input.observation, arm, fit->rate_bps, fit->start, fit->end);
    if (!contrast.exceeds && (contrast.present || fit->rate_bps > lowest_line_bps)) continue;
    Finding finding = finding_of(input, arm, "rate_cap", "shaper", fit->start, fit->end);
    finding.rate_bps = fit->rate_bps;
    finding.rate_bps_low = fit->rate_low;
    finding.rate_bps_high = fit->rate_high;
    finding.confidence = contrast.exceeds ? 0.99 : 0.9;
    finding.numbers = {{"losses", static_cast<double>(lost)}, {"loss_ratio", loss}, {"delay_p95_ms", delay}, {"slope", fit->slope},
                       {"correlation", fit->correlation}, {"off_grid", fit->off_grid}, {"plateau_cv", fit->plateau_cv},
                       {"saturated_windows", static_cast<double>(fit->saturated)}, {"windows", static_cast<double>(fit->windows)},
                       {"contrast", contrast.exceeds ? 1.0 : 0.0}};
    for (const auto& packet : arm.packets)
      if (!packet.lost && packet.time >= fit->start && finding.packets.size() < 200) finding.packets.push_back(packet.ordinal);
    finding.alternatives = alternatives_of_cap(contrast, false, true);
    merge_cap(findings, std::move(finding));
  }
  return findings;
}

}  // namespace callwitness::metrics
