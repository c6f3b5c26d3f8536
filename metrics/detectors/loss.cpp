// Plain facts: loss and jitter worth naming. docs/methods/loss.md
#include "metrics/contrast.hpp"
#include "metrics/finding_support.hpp"
#include "metrics/fits/reported_loss.hpp"
#include "metrics/tcp/delivery.hpp"
#include "metrics/verdict_thresholds.hpp"

#include <algorithm>

namespace callwitness::metrics {
namespace {

constexpr double notable_loss = 0.01;
constexpr std::uint64_t notable_lost = 10;
constexpr std::size_t fewest_segments = 100;

/// Voice in a TCP connection: nothing is lost to the listener, it comes late.
void add_over_tcp(const DetectorInput& input, bool capture_lost, std::vector<Finding>& findings) {
  const auto& observation = input.observation;
  for (const auto& flow : observation.flows) {
    if (!flow.tcp || !flow.call) continue;
    for (const auto direction : {Direction::sent, Direction::received}) {
      const auto& record = flow.segments[static_cast<std::size_t>(direction)];
      Finding finding;
      bool media = false;
      for (const auto& stream : observation.streams) {
        const auto& told = observation.classification->streams[static_cast<std::size_t>(stream.id)];
        if (told.flow != flow.flow.id || !told.over_tcp) continue;
        media = true;
        if (stream.direction == direction) finding.streams.push_back(stream.id);
      }
      if (!media || record.segments.size() < fewest_segments) continue;   // one way may be so merged that no voice is told in it
      const auto delivery = delivery_of(record, flow.tcp->handshake_round_trip);
      const bool losing = delivery.loss_ratio() >= notable_loss && delivery.lost >= notable_lost;
      if (!losing && delivery.stalled_ratio() < impairing_stalled) continue;
      finding.kind = FindingKind::loss;
      finding.application = application_of(observation, flow);
      if (observation.local_known) finding.direction = direction;
      finding.calls.push_back(*flow.call);
      finding.flows.push_back(flow.flow.id);
      finding.start_time = record.start;
      finding.end_time = record.start + capture::from_seconds(delivery.seconds);
      finding.count = delivery.lost;
      finding.confidence = capture_lost ? 0.5 : 0.95;
      finding.numbers = {{"over_tcp", 1}, {"loss_ratio", delivery.loss_ratio()}, {"segments", static_cast<double>(delivery.segments)},
                         {"stalls", static_cast<double>(delivery.stalls)}, {"stalled_s", delivery.stalled}, {"stalled_ratio", delivery.stalled_ratio()}, {"longest_s", delivery.longest}};
      findings.push_back(std::move(finding));
    }
  }
}

/// What the peer says it lost of our sending: behind the capture, so nothing here shows it.
void add_reported(const DetectorInput& input, std::vector<Finding>& findings) {
  const auto& observation = input.observation;
  for (const auto& stream : observation.streams) {
    if (stream.direction != Direction::sent || !observation.local_known) continue;
    const auto told = reported_loss(stream.reports, stream.packets);
    if (!told || told->ratio() < notable_loss || told->lost < notable_lost) continue;
    Finding finding;
    finding.kind = FindingKind::loss;
    finding.direction = stream.direction;
    finding.streams.push_back(stream.id);
    const auto index = static_cast<std::size_t>(stream.id);
    if (index < input.measures.size() && input.measures[index].call) finding.calls.push_back(*input.measures[index].call);
    if (index < observation.classification->streams.size()) {
      const auto& its = observation.classification->streams[index];
      finding.application = its.label.application;
      finding.flows.push_back(its.flow);
    }
    finding.start_time = told->first;
    finding.end_time = told->last;
    finding.count = told->lost;
    finding.confidence = 0.9;                    // a claim of the peer's
    finding.numbers = {{"by_reports", 1}, {"loss_ratio", told->ratio()}, {"packets", static_cast<double>(told->expected)}, {"reports", static_cast<double>(told->reports)}};
    findings.push_back(std::move(finding));
  }
}

}  // namespace

std::vector<Finding> loss(const DetectorInput& input) {
  const auto& observation = input.observation;
  std::vector<Finding> findings;
  const bool capture_lost = std::any_of(input.earlier.begin(), input.earlier.end(), [](const Finding& f) { return f.kind == FindingKind::capture_loss; });
  for (const auto& arm : input.arms) {
    if (!arm.whole_flow || arm.source != LossSource::sequence || !can_show_losses(observation, arm)) continue;
    const double ratio = static_cast<double>(arm.lost) / static_cast<double>(std::max<std::size_t>(1, arm.packets.size()));
    if (ratio < notable_loss || arm.lost < notable_lost) continue;
    Finding finding = finding_of(input, arm, FindingKind::loss, Mechanism::none, arm.packets.front().time, arm.packets.back().time);
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
  add_over_tcp(input, capture_lost, findings);
  add_reported(input, findings);
  for (const auto& measure : input.measures) {
    if (!measure.jitter_ms || *measure.jitter_ms < impairing_jitter_ms || measure.direction != Direction::received) continue;
    Finding finding;
    finding.kind = FindingKind::jitter;
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
