#include "metrics/finding_support.hpp"

#include <algorithm>
#include <cmath>

namespace callwitness::metrics {

Time time_at(const Observation& observation, double seconds) { return observation.first_time + capture::from_seconds(seconds); }

std::string_view application_of(const Observation& observation, const FlowObservation& flow) {
  if (flow.call && static_cast<std::size_t>(*flow.call) < observation.classification->calls.size()) {
    const auto& label = observation.classification->calls[static_cast<std::size_t>(*flow.call)].label;
    if (!label.application.empty()) return label.application;
  }
  return flow.flow.label.application;
}

Finding finding_of(const DetectorInput& input, const Arm& arm, FindingKind kind, Mechanism mechanism, double start, double end) {
  Finding finding;
  finding.kind = kind;
  finding.mechanism = mechanism;
  finding.direction = direction_of(input.observation, arm);
  if (const auto* flow = find_flow(input.observation, arm.flow)) finding.application = application_of(input.observation, *flow);
  if (arm.call) finding.calls.push_back(*arm.call);
  finding.streams = arm.streams;
  finding.flows.push_back(arm.flow);
  finding.start_time = time_at(input.observation, start);
  finding.end_time = time_at(input.observation, end);
  return finding;
}

std::vector<Alternative> alternatives_of_cap(bool queue_excluded, bool capture_whole, std::string_view not_radio) {
  using enum AlternativeStatus;
  return {{"wifi", ruled_out, not_radio, {}},
          {"bufferbloat", queue_excluded ? ruled_out : not_ruled_out, queue_excluded ? "no_queue_before_losses" : "packets_waited", {}},
          {"capture_drops", capture_whole ? ruled_out : not_ruled_out, capture_whole ? "nothing_missing_from_the_capture" : "capture_lost_packets", {}},
          {"remote_end", not_ruled_out, "one_end_captured", {}},
          {"application_server", not_ruled_out, "one_end_captured", {}}};
}

std::optional<Direction> direction_of(const Observation& observation, const Arm& arm) {
  if (observation.local_known) return arm.direction;
  constexpr std::uint64_t telling = 20;
  std::uint64_t lost[2] = {0, 0};
  for (const auto& stream : observation.streams) lost[static_cast<std::size_t>(stream.direction)] += stream.lost.value_or(0);
  const auto mine = static_cast<std::size_t>(arm.direction);
  if (lost[mine] >= telling && lost[1 - mine] == 0) return Direction::received;
  return std::nullopt;
}

void merge_cap(std::vector<Finding>& findings, Finding finding) {
  for (auto& other : findings) {
    if (other.kind != finding.kind || other.application != finding.application || other.direction != finding.direction) continue;
    if (std::abs(*other.rate_bps / *finding.rate_bps - 1) > 0.05) continue;
    // The one with more losses behind it states the rate.
    const double weight = other.numbers["losses"], added = finding.numbers["losses"];
    if (added > weight) {
      other.rate_bps = finding.rate_bps;
      other.rate_bps_low = finding.rate_bps_low;
      other.rate_bps_high = finding.rate_bps_high;
      other.mechanism = finding.mechanism;
      other.numbers = finding.numbers;
      other.alternatives = finding.alternatives;
    }
    other.confidence = std::max(other.confidence, finding.confidence);
    other.start_time = std::min(other.start_time, finding.start_time);
    other.end_time = std::max(other.end_time, finding.end_time);
    const auto join = [](auto& to, const auto& from) {
      for (const auto& item : from)
        if (std::find(to.begin(), to.end(), item) == to.end()) to.push_back(item);
    };
    join(other.calls, finding.calls);
    join(other.streams, finding.streams);
    join(other.flows, finding.flows);
    join(other.packets, finding.packets);
    return;
  }
  findings.push_back(std::move(finding));
}

bool capture_may_explain(std::span<const Finding> earlier, double loss_ratio) {
  constexpr double telling_share = 0.25;
  return std::any_of(earlier.begin(), earlier.end(), [&](const Finding& finding) {
    const auto ratio = finding.numbers.find("capture_loss_ratio");
    return finding.kind == FindingKind::capture_loss && ratio != finding.numbers.end() && ratio->second >= telling_share * loss_ratio;
  });
}

bool captured_behind_a_router(const FlowObservation& flow) {
  const auto left = flow.time_to_live[static_cast<std::size_t>(Direction::sent)];
  return left != 0 && left != 64 && left != 128 && left != 255;
}

bool can_show_losses(const Observation& observation, const Arm& arm) {
  if (arm.direction == Direction::received || !observation.local_known) return true;
  const auto* flow = find_flow(observation, arm.flow);
  return flow != nullptr && captured_behind_a_router(*flow);
}

bool came_by_two_ways(const Observation& observation, const Arm& arm) {
  constexpr double overtaken_share = 0.01;   // a queue overtakes nothing; what a single line reorders is far less
  std::uint64_t packets[2] = {0, 0}, reordered[2] = {0, 0};   // the arm's, and of the flow's other direction
  for (const auto& stream : observation.streams) {
    const bool own = std::find(arm.streams.begin(), arm.streams.end(), stream.id) != arm.streams.end();
    const auto index = static_cast<std::size_t>(stream.id);
    const bool beside = stream.direction != arm.direction && observation.classification != nullptr && index < observation.classification->streams.size() &&
                        observation.classification->streams[index].flow == arm.flow;
    if (!own && !beside) continue;
    packets[own ? 0 : 1] += stream.packets;
    reordered[own ? 0 : 1] += stream.reordered;
  }
  const auto overtaken = [&](std::size_t side) {
    return packets[side] > 0 && static_cast<double>(reordered[side]) >= overtaken_share * static_cast<double>(packets[side]);
  };
  // Numbers that stand out of order at our own end, too, are the program's: nothing can have overtaken there yet.
  return overtaken(0) && !(observation.local_known && arm.direction == Direction::received && overtaken(1));
}

double delay_of(const Observation& observation, const Arm& arm) {
  double worst = 0;
  for (const auto id : arm.streams) {
    if (static_cast<std::size_t>(id) >= observation.streams.size()) continue;
    std::vector<float> delays;
    for (const auto& point : observation.streams[static_cast<std::size_t>(id)].delay) delays.push_back(point.milliseconds);
    if (delays.size() < 20) continue;
    const auto at = delays.begin() + static_cast<std::ptrdiff_t>(delays.size() * 95 / 100);
    std::nth_element(delays.begin(), at, delays.end());
    worst = std::max(worst, static_cast<double>(*at));
  }
  return worst;
}

}  // namespace callwitness::metrics
