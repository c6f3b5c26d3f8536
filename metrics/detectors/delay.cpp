// D8: the smallest delay steps up and stays, and whether that of the other traffic does too. docs/methods/delay.md
#include "metrics/contrast.hpp"
#include "metrics/finding_support.hpp"
#include "metrics/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

namespace callwitness::metrics {
namespace {

constexpr double least_step_ms = 100;
constexpr std::size_t least_windows = 5;      ///< on either side
constexpr std::size_t one_way_window = 20, round_trip_window = 4;   ///< points; one-way: two seconds and more of an audio stream
constexpr double same_step_s = 15;            ///< one-way delay and round trip that step within it are one finding
constexpr std::size_t least_control = 3;      ///< round trips of the others, of hosts asked before and after
constexpr double flat_share = 0.3;            ///< of the step: what the others' may move and count as still

struct Step { double at = 0, end = 0, step_ms = 0; };
using Points = std::vector<std::pair<double, double>>;   ///< seconds, milliseconds

/// The tenth percentile in windows: a queue drains now and then, another path doesn't.
std::optional<Step> step_in(const Points& points, std::size_t window) {
  std::vector<double> low, times;
  for (std::size_t i = 0; i + window <= points.size(); i += window) {
    std::vector<double> part;
    for (std::size_t k = i; k < i + window; ++k) part.push_back(points[k].second);
    low.push_back(quantile(std::move(part), 0.1));
    times.push_back(points[i].first);
  }
  Step best;
  for (std::size_t cut = least_windows; cut + least_windows <= low.size(); ++cut) {
    const auto middle = low.begin() + static_cast<std::ptrdiff_t>(cut);
    // What was, stays below; what came, stays above.
    const double step = quantile({middle, low.end()}, 0.1) - quantile({low.begin(), middle}, 0.9);
    if (step > best.step_ms) best = {times[cut], points.back().first, step};
  }
  return best.step_ms >= least_step_ms ? std::optional(best) : std::nullopt;
}

Points round_trips_of(const Observation& observation, const FlowObservation& flow) {
  Points points;
  for (const auto& trip : flow.round_trips) {
    const bool asked_by_us = !observation.local_known || (trip.asked == classify::Way::forward) == (flow.forward == Direction::sent);
    if (asked_by_us) points.emplace_back(capture::seconds(trip.time - observation.first_time), capture::milliseconds(trip.round_trip));
  }
  return points;
}

struct Control { std::size_t before = 0, after = 0; double moved_ms = 0; };

/// How far the round trips to other hosts moved: medians of those that were asked both before and after.
std::optional<Control> control_of(const Observation& observation, const FlowObservation& own, double at) {
  std::map<capture::IpAddress, std::pair<std::vector<double>, std::vector<double>>> by_host;
  for (const auto& flow : observation.flows) {
    if (same_party(flow, own)) continue;
    auto points = round_trips_of(observation, flow);
    if (flow.tcp && flow.tcp->handshake_round_trip)
      points.emplace_back(capture::seconds(flow.flow.first_time - observation.first_time), capture::milliseconds(*flow.tcp->handshake_round_trip));
    auto& [before, after] = by_host[remote_address(flow)];
    for (const auto& [time, milliseconds] : points) (time < at ? before : after).push_back(milliseconds);
  }
  Control control;
  std::vector<double> moved;
  for (const auto& [host, sides] : by_host) {
    if (sides.first.empty() || sides.second.empty()) continue;
    control.before += sides.first.size();
    control.after += sides.second.size();
    moved.push_back(median(sides.second) - median(sides.first));
  }
  if (control.before < least_control || control.after < least_control) return std::nullopt;
  control.moved_ms = median(moved);
  return control;
}

void weigh(Finding& finding, const std::optional<Control>& control) {
  using enum AlternativeStatus;
  const bool flat = control && control->moved_ms <= flat_share * finding.numbers.at("step_ms");
  if (control) {
    finding.numbers["control_step_ms"] = control->moved_ms;
    finding.numbers["control_round_trips"] = static_cast<double>(control->before + control->after);
  }
  finding.numbers["control_flat"] = flat ? 1 : 0;
  const auto line = flat ? ruled_out : control ? not_ruled_out : untestable;
  const std::string_view reason = flat ? "control_delay_flat" : control ? "control_delay_rose" : "no_control_traffic";
  finding.alternatives = {{"bufferbloat", line, reason, {}}, {"congestion", line, reason, {}}, {"wifi", line, reason, {}},
                          {"route_change", not_ruled_out, "one_end_captured", {}}, {"remote_end", not_ruled_out, "one_end_captured", {}}};
}

}  // namespace

std::vector<Finding> delay(const DetectorInput& input) {
  const auto& observation = input.observation;
  std::vector<Finding> findings;
  const auto add = [&](const Step& step, const FlowObservation& flow, std::string_view by) {
    for (auto& other : findings) {
      if (other.flows.front() != flow.flow.id || std::abs(capture::seconds(other.start_time - observation.first_time) - step.at) > same_step_s) continue;
      other.numbers[std::string(by)] = step.step_ms;
      return static_cast<Finding*>(nullptr);
    }
    auto& finding = findings.emplace_back();
    finding.kind = FindingKind::delay_step;
    finding.application = application_of(observation, flow);
    finding.flows.push_back(flow.flow.id);
    if (flow.call) finding.calls.push_back(*flow.call);
    finding.start_time = time_at(observation, step.at);
    finding.end_time = time_at(observation, step.end);
    finding.confidence = 0.9;
    finding.numbers = {{"step_ms", step.step_ms}, {std::string(by), step.step_ms}};
    weigh(finding, control_of(observation, flow, step.at));
    return &finding;
  };
  // Round trips first: they need no clock but ours. A stream's own time may jump where its sender stalled.
  for (const auto& flow : observation.flows) {
    if (!flow.call) continue;
    if (const auto step = step_in(round_trips_of(observation, flow), round_trip_window)) add(*step, flow, "round_trip_step_ms");
  }
  for (const auto& stream : observation.streams) {
    const auto& told = observation.classification->streams[static_cast<std::size_t>(stream.id)];
    const auto* flow = find_flow(observation, told.flow);
    if (stream.direction != Direction::received || flow == nullptr) continue;
    Points points;
    for (const auto& point : stream.delay) points.emplace_back(capture::seconds(point.time - observation.first_time), static_cast<double>(point.milliseconds));
    const auto step = step_in(points, one_way_window);
    if (!step) continue;
    if (auto* finding = add(*step, *flow, "one_way_step_ms")) {
      finding->direction = stream.direction;
      finding->streams.push_back(stream.id);
    }
  }
  return findings;
}

}  // namespace callwitness::metrics
