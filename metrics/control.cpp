#include "metrics/control.hpp"

#include "metrics/contrast.hpp"
#include "metrics/statistics.hpp"

#include <algorithm>
#include <cmath>

namespace callwitness::metrics {
namespace {

constexpr double z = 1.959964;                   // two-sided 95 %
constexpr double fastest = 0.95;                 // of the seconds in which something came
constexpr std::size_t resamples = 400;
constexpr std::size_t fewest_seconds = 10;       // of either side, for an interval
constexpr std::uint64_t fewest_packets = 50;
constexpr std::size_t most_seconds = 4'000, most_calls = 500;

struct Interval { double low, high; };

Interval wilson(double hits, double n) {
  const double p = hits / n, middle = (p + z * z / (2 * n)) / (1 + z * z / n);
  const double half = z / (1 + z * z / n) * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  return {std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

/// Bits of each second between `from` and `to` in which something came, of all flows that `wanted` picks.
template <class Wanted>
std::vector<double> busy_seconds(const Observation& observation, Direction direction, Time from, Time to, Wanted&& wanted) {
  const auto first = std::llround(std::floor(capture::seconds(from - observation.first_time)));
  const auto last = std::llround(std::ceil(capture::seconds(to - observation.first_time)));
  std::vector<double> bits(static_cast<std::size_t>(std::clamp<std::int64_t>(last - first, 0, static_cast<std::int64_t>(most_seconds))), 0);
  for (const auto& flow : observation.flows) {
    if (!wanted(flow)) continue;
    const auto& series = direction == Direction::received ? flow.bytes.received : flow.bytes.sent;
    const auto offset = std::llround(capture::seconds(flow.bytes.start - observation.first_time)) - first;
    for (std::size_t i = 0; i < series.size(); ++i) {
      const std::int64_t at = static_cast<std::int64_t>(i) + offset;
      if (at >= 0 && at < static_cast<std::int64_t>(bits.size())) bits[static_cast<std::size_t>(at)] += 8.0 * series[i];
    }
  }
  std::erase(bits, 0.0);
  return bits;
}

/// The interval of the ratio of two samples' fastest seconds, by resampling seconds.
Interval ratio_interval(const std::vector<double>& control, const std::vector<double>& call) {
  Random random(1);
  const auto resampled = [&](const std::vector<double>& values) {
    std::vector<double> drawn(values.size());
    for (auto& value : drawn) value = values[random.index(values.size())];
    return quantile(std::move(drawn), fastest);
  };
  std::vector<double> ratios;
  for (std::size_t i = 0; i < resamples; ++i) ratios.push_back(resampled(control) / resampled(call));
  return {quantile(ratios, 0.025), quantile(ratios, 0.975)};
}

class CallBesideOthers {
 public:
  CallBesideOthers(const Observation& observation, const classify::Call& call) : observation_(observation), call_(call) {
    for (const auto& flow : observation.flows)
      if (flow.call == call.id && (main_ == nullptr || packets(flow) > packets(*main_))) main_ = &flow;
  }
  bool possible() const { return main_ != nullptr; }

  ControlMeasure loss(Direction direction) const {
    auto measure = empty(direction, "loss_ratio");
    double lost = 0, expected = 0, again = 0, segments = 0;
    for (const auto& stream : observation_.streams) {
      const auto& identity = observation_.classification->streams[static_cast<std::size_t>(stream.id)];
      if (identity.call != call_.id || stream.direction != direction || !stream.expected || !stream.lost) continue;
      lost += static_cast<double>(*stream.lost);
      expected += static_cast<double>(*stream.expected);
    }
    for (const auto& flow : observation_.flows) {
      if (!is_other(flow) || !flow.tcp) continue;
      again += lost_segments(*flow.tcp, direction);
      segments += static_cast<double>(flow.tcp->segments[static_cast<std::size_t>(direction)]);
    }
    measure.n_call = static_cast<std::uint64_t>(expected);
    measure.n_control = static_cast<std::uint64_t>(segments);
    again = std::min(again, segments);
    if (measure.n_call >= fewest_packets) measure.call_value = lost / expected;
    if (measure.n_control >= fewest_packets) measure.control_value = again / segments;
    if (!measure.call_value || !measure.control_value) return measure;
    const double a = *measure.call_value, b = *measure.control_value;
    const auto of_a = wilson(lost, expected), of_b = wilson(again, segments);   // Newcombe 1998, method 10
    measure.effect = a - b;
    measure.effect_low = a - b - std::hypot(a - of_a.low, of_b.high - b);
    measure.effect_high = a - b + std::hypot(of_a.high - a, b - of_b.low);
    return measure;
  }

  ControlMeasure rate(Direction direction) const {
    auto measure = empty(direction, "bitrate_bps");
    const auto own = busy_seconds(observation_, direction, call_.start_time, call_.end_time, [&](const auto& flow) { return flow.call == call_.id; });
    const auto others = busy_seconds(observation_, direction, call_.start_time, call_.end_time, [&](const auto& flow) { return is_other(flow); });
    measure.n_call = own.size();
    measure.n_control = others.size();
    if (own.size() >= fewest_seconds) measure.call_value = quantile(own, fastest);
    if (others.size() >= fewest_seconds) measure.control_value = quantile(others, fastest);
    if (!measure.call_value || !measure.control_value) return measure;
    const auto interval = ratio_interval(others, own);
    measure.effect = *measure.control_value / *measure.call_value;
    measure.effect_low = interval.low;
    measure.effect_high = interval.high;
    return measure;
  }

 private:
  static std::uint64_t packets(const FlowObservation& flow) { return flow.flow.forward.packets + flow.flow.backward.packets; }
  bool is_other(const FlowObservation& flow) const {
    return !flow.call && !same_party(flow, *main_) && flow.flow.first_time <= call_.end_time && flow.flow.last_time >= call_.start_time;
  }
  ControlMeasure empty(Direction direction, std::string_view metric) const {
    ControlMeasure measure;
    measure.call = call_.id;
    measure.direction = direction;
    measure.metric = metric;
    return measure;
  }

  const Observation& observation_;
  const classify::Call& call_;
  const FlowObservation* main_ = nullptr;
};

}  // namespace

std::vector<ControlMeasure> measure_control(const Observation& observation) {
  std::vector<ControlMeasure> all;
  const auto& calls = observation.classification->calls;
  for (std::size_t i = 0; i < calls.size() && i < most_calls; ++i) {
    const CallBesideOthers beside(observation, calls[i]);
    if (!beside.possible()) continue;
    for (const auto direction : {Direction::sent, Direction::received})
      for (const auto& measure : {beside.loss(direction), beside.rate(direction)})
        if (measure.n_control != 0) all.push_back(measure);
  }
  return all;
}

}  // namespace callwitness::metrics
