// D4: a call loses what other traffic of the same seconds does not. docs/methods/differential.md
#include "metrics/contrast.hpp"
#include "metrics/finding_support.hpp"
#include "metrics/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace callwitness::metrics {
namespace {

constexpr double least_loss = 0.02, loss_ratio_apart = 3, loss_points_apart = 0.02;
constexpr double rates_apart = 1.5, largest_p = 0.01;       ///< of the rates, Kolmogorov-Smirnov
constexpr double least_packets = 1000;                      ///< of either side
constexpr double least_beside = 200;                        ///< of the other side, in the very seconds in which the call lost
constexpr std::size_t least_losing_seconds = 10;            ///< an outage or two are no treatment
constexpr double queue_ms = 60;                             ///< 95th percentile of the audio's delay: a queue drops by size and burst

/// What passed and what was lost of something, second by second.
struct Side {
  std::vector<double> seen, lost, bits;
  explicit Side(std::size_t seconds) : seen(seconds), lost(seconds), bits(seconds) {}
  static double sum(const std::vector<double>& values) {
    double total = 0;
    for (const double value : values) total += value;
    return total;
  }
};

Side side_of(const Arm& arm, std::size_t seconds) {
  Side side(seconds);
  for (const auto& packet : arm.packets) {
    const auto at = static_cast<std::size_t>(std::max(0.0, packet.time));
    if (at >= seconds) continue;
    side.seen[at] += 1;
    side.lost[at] += packet.lost ? 1 : 0;
    side.bits[at] += packet.lost ? 0 : 8 * packet.bytes;
  }
  return side;
}

/// TCP of other parties: segments by their share of the flow's bytes, losses where they were sent again.
Side control_side(const Observation& observation, const FlowObservation& own, Direction direction, std::size_t seconds) {
  Side side(seconds);
  const auto way = static_cast<std::size_t>(direction);
  for (const auto& flow : observation.flows) {
    if (!flow.tcp || flow.call || same_party(flow, own) || flow.tcp->segments[way] == 0) continue;
    const auto& series = direction == Direction::received ? flow.bytes.received : flow.bytes.sent;
    double bytes = 0;
    for (const auto value : series) bytes += value;
    const auto offset = std::llround(capture::seconds(flow.bytes.start - observation.first_time));
    for (std::size_t i = 0; i < series.size(); ++i) {
      const auto at = static_cast<std::int64_t>(i) + offset;
      if (at < 0 || at >= static_cast<std::int64_t>(seconds)) continue;
      side.seen[static_cast<std::size_t>(at)] += static_cast<double>(flow.tcp->segments[way]) * series[i] / bytes;
      side.bits[static_cast<std::size_t>(at)] += 8.0 * series[i];
    }
    for (const auto& loss : flow.tcp->losses) {
      const double at = capture::seconds(loss.time - observation.first_time);
      if (loss.direction == direction && at >= 0 && at < static_cast<double>(seconds)) side.lost[static_cast<std::size_t>(at)] += 1;
    }
  }
  return side;
}

struct Difference { double loss, other_loss, rate_ratio, p, packets, others; };

/// What `call` lost and `other` did not, in the seconds that both lived through.
std::optional<Difference> compare(const Side& call, const Side& other) {
  double seen = 0, lost = 0, other_seen = 0, other_lost = 0, beside = 0, lost_beside = 0;
  std::size_t losing = 0;
  std::vector<double> rates, other_rates;
  for (std::size_t i = 0; i < call.seen.size(); ++i) {
    if (call.seen[i] <= 0 || other.seen[i] <= 0) continue;
    seen += call.seen[i], lost += call.lost[i];
    other_seen += other.seen[i], other_lost += other.lost[i];
    rates.push_back(call.bits[i]), other_rates.push_back(other.bits[i]);
    if (call.lost[i] <= 0) continue;
    ++losing;
    beside += other.seen[i], lost_beside += other.lost[i];
  }
  if (seen < least_packets || other_seen < least_packets || beside < least_beside || losing < least_losing_seconds) return std::nullopt;
  // The worse of all their common seconds and of those in which the call lost: a radio that fades takes from both then.
  const double loss = lost / seen, other_loss = std::max(other_lost / other_seen, lost_beside / beside);
  if (loss < least_loss || loss < loss_ratio_apart * other_loss || loss - other_loss < loss_points_apart) return std::nullopt;
  const double rate_ratio = median(rates) > 0 ? median(other_rates) / median(rates) : 0, p = kolmogorov_smirnov_p(rates, other_rates);
  if (p >= largest_p || (rate_ratio < rates_apart && rate_ratio > 1 / rates_apart)) return std::nullopt;
  return Difference{loss, other_loss, rate_ratio, p, seen, other_seen};
}

bool behind_a_queue(const Observation& observation, const FlowObservation& flow) {
  for (const auto& stream : observation.streams) {
    const auto& told = observation.classification->streams[static_cast<std::size_t>(stream.id)];
    if (told.flow != flow.flow.id || stream.delay.size() < 50) continue;
    std::vector<double> delays;
    for (const auto& point : stream.delay) delays.push_back(static_cast<double>(point.milliseconds));
    if (quantile(delays, 0.95) - quantile(delays, 0.1) >= queue_ms) return true;
  }
  return false;
}

Finding tell(const DetectorInput& input, const Arm& arm, Mechanism mechanism, const Difference& difference) {
  Finding finding = finding_of(input, arm, FindingKind::differential, mechanism, arm.packets.front().time, arm.packets.back().time);
  finding.confidence = 0.85;   // the far end may have lost them before the path did
  finding.numbers = {{"loss_ratio", difference.loss}, {"other_loss_ratio", difference.other_loss}, {"rate_ratio", difference.rate_ratio},
                     {"rates_p", difference.p}, {"packets", difference.packets}, {"other_packets", difference.others}};
  for (std::size_t i = 1; i < arm.packets.size(); ++i)
    if (arm.packets[i - 1].lost && !arm.packets[i].lost) finding.packets.push_back(arm.packets[i].ordinal);
  using enum AlternativeStatus;
  const bool same_end = mechanism == Mechanism::media;
  finding.alternatives = {{"wifi", ruled_out, "others_lost_nothing_then", {}}, {"congestion", ruled_out, "others_lost_nothing_then", {}},
                          {"remote_end", same_end ? ruled_out : not_ruled_out, same_end ? "others_lost_nothing_then" : "one_end_captured", {}},
                          {"application_server", not_ruled_out, "one_end_captured", {}}};
  return finding;
}

/// Streams of one flow: what is not audio against the audio, or the other way round.
bool are_media_of_one_call(const Arm& a, const Arm& b) {
  if (a.whole_flow || b.whole_flow || a.flow != b.flow || a.direction != b.direction) return false;
  return std::none_of(a.streams.begin(), a.streams.end(), [&](StreamId id) { return std::find(b.streams.begin(), b.streams.end(), id) != b.streams.end(); });
}

bool are_applications(const DetectorInput& input, const Arm& a, const Arm& b) {
  const auto *first = find_flow(input.observation, a.flow), *second = find_flow(input.observation, b.flow);
  if (!a.whole_flow || !b.whole_flow || a.direction != b.direction || first == nullptr || second == nullptr || same_party(*first, *second)) return false;
  const auto mine = application_of(input.observation, *first), theirs = application_of(input.observation, *second);
  return !mine.empty() && !theirs.empty() && mine != theirs;
}

}  // namespace

std::vector<Finding> differential(const DetectorInput& input) {
  const auto& observation = input.observation;
  const auto seconds = static_cast<std::size_t>(std::max(0.0, capture::seconds(observation.last_time - observation.first_time))) + 1;
  constexpr std::size_t longest = 200'000, most_arms = 200;
  if (seconds > longest || input.arms.size() > most_arms) return {};
  const auto counts = [&](const Arm& arm) { return arm.source == LossSource::sequence && can_show_losses(observation, arm) && arm.packets.size() >= 1000; };
  std::vector<Finding> findings;
  for (const auto& arm : input.arms) {
    const double ratio = arm.packets.empty() ? 0 : static_cast<double>(arm.lost) / static_cast<double>(arm.packets.size());
    const auto* own = find_flow(observation, arm.flow);
    if (!counts(arm) || ratio < least_loss || own == nullptr || capture_may_explain(input.earlier, ratio) || behind_a_queue(observation, *own)) continue;
    const auto call = side_of(arm, seconds);
    if (arm.whole_flow) {
      const auto difference = compare(call, control_side(observation, *own, arm.direction, seconds));
      // Slower others asked for little: only what ran faster shows what the line could carry.
      if (difference && difference->rate_ratio >= rates_apart) findings.push_back(tell(input, arm, Mechanism::control, *difference));
    }
    for (const auto& other : input.arms) {
      const bool media = are_media_of_one_call(arm, other);
      if (!counts(other) || !(media || are_applications(input, arm, other))) continue;
      const auto difference = compare(call, side_of(other, seconds));
      if (!difference) continue;
      findings.push_back(tell(input, arm, media ? Mechanism::media : Mechanism::application, *difference));
      break;
    }
  }
  return findings;
}

}  // namespace callwitness::metrics
