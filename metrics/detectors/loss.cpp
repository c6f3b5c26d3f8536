// Plain facts: loss and jitter worth naming. docs/methods/loss.md
#include "metrics/finding_support.hpp"

#include <algorithm>

namespace callwitness::metrics {
namespace {

constexpr double notable_loss = 0.01;
constexpr std::uint64_t notable_lost = 10;
constexpr double notable_jitter_ms = 30;

}  // namespace

std::vector<Finding> loss(const DetectorInput& input) {
  const auto& observation = input.observation;
  std::vector<Finding> findings;
  const bool capture_lost = std::any_of(input.earlier.begin(), input.earlier.end(), [](const Finding& f) { return f.kind == "capture_loss"; });
  for (const auto& arm : input.arms) {
    if (!arm.whole_flow || arm.source != LossSource::sequence || !can_show_losses(observation, arm)) continue;
    const double ratio = static_cast<double>(arm.lost) / static_cast<double>(std::max<std::size_t>(1, arm.packets.size()));
    if (ratio < notable_loss || arm.lost < notable_lost) continue;
    Finding finding = finding_of(input, arm, "loss", "", arm.packets.front().time, arm.packets.back().time);
    finding.confidence = capture_lost ? 0.5 : 0.95;
    finding.count = arm.lost;
    finding.numbers = {{"loss_ratio", ratio}, {"packets", static_cast<double>(arm.packets.size())}};
    double segments = 0, retransmitted = 0;
    const auto* own = find_flow(observation, arm.flow);
    for (const auto& flow : observation.flows) {
      if (!flow.tcp || own == nullptr || same_party(flow, *own)) continue;
      segments += static_cast<double>(flow.tcp->segments[static_cast<std::size_t>(arm.direction)]);
      retransmitted += lost_segments(*flow.tcp, arm.direction);
    }
    if (segments > 0) finding.numbers["control_loss_ratio"] = retransmitted / segments;
    findings.push_back(std::move(finding));
  }
  for (const auto& measure : input.measures) {
    if (!measure.jitter_ms || *measure.jitter_ms < notable_jitter_ms || measure.direction != Direction::received) continue;
    Finding finding;
    finding.kind = "jitter";
    finding.direction = measure.direction;
    finding.streams.push_back(measure.id);
    if (measure.call) finding.calls.push_back(*measure.call);
    finding.start_time = measure.start_time;
    finding.end_time = measure.end_time;
    finding.confidence = 0.9;
    finding.numbers = {{"jitter_ms", *measure.jitter_ms}};
    if (static_cast<std::size_t>(measure.id) < observation.classification->streams.size())
      finding.application = observation.classification->streams[static_cast<std::size_t>(measure.id)].label.application;
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace callwitness::metrics
