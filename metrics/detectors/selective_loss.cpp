// D7: losses without a pattern that only the call has. docs/methods/loss.md
#include "metrics/finding_support.hpp"

#include <algorithm>

namespace callwitness::metrics {
namespace {

constexpr double most_dispersion = 3;      ///< variance of the losses per 2 s over that of chance: radios and queues lose in bursts
constexpr double window = 2;               ///< seconds

/// Variance of the losses per window over the binomial's.
double dispersion_of(const Arm& arm, double ratio) {
  double from = arm.packets.front().time, seen = 0, lost = 0, sum = 0;
  std::size_t windows = 0;
  for (const auto& packet : arm.packets) {
    while (packet.time >= from + window) {
      if (seen > 0) sum += (lost - seen * ratio) * (lost - seen * ratio) / (seen * ratio * (1 - ratio)), ++windows;
      from += window;
      seen = lost = 0;
    }
    seen += 1;
    lost += packet.lost ? 1 : 0;
  }
  return windows == 0 ? 0 : sum / static_cast<double>(windows);
}

}  // namespace

std::vector<Finding> selective_loss(const DetectorInput& input) {
  std::vector<Finding> findings;
  for (const auto& difference : input.earlier) {
    if (difference.kind != FindingKind::differential || difference.mechanism != Mechanism::control) continue;
    const auto flow = difference.flows.front();
    const bool explained = std::any_of(input.earlier.begin(), input.earlier.end(), [&](const Finding& f) {
      return (f.kind == FindingKind::rate_cap || f.kind == FindingKind::outage) && std::find(f.flows.begin(), f.flows.end(), flow) != f.flows.end();
    });
    // Where our end isn't known, the losing way is the received one (direction_of).
    const auto arm = std::find_if(input.arms.begin(), input.arms.end(), [&](const Arm& a) { return a.whole_flow && a.flow == flow && a.direction == difference.direction.value_or(Direction::received); });
    if (explained || arm == input.arms.end() || dispersion_of(*arm, difference.numbers.at("loss_ratio")) > most_dispersion) continue;
    Finding finding = difference;
    finding.kind = FindingKind::selective_loss;
    finding.mechanism = Mechanism::none;
    finding.count = arm->lost;
    finding.confidence = 0.8;
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace callwitness::metrics
