// Rate limits on calls whose packets bear no readable numbers (opaque UDP, voice in TCP), from arrivals alone. docs/methods/ceilings.md
#include "metrics/finding_support.hpp"
#include "metrics/fits/serialisation.hpp"
#include "metrics/fits/unnumbered.hpp"
#include "metrics/models/arrival_quota.hpp"
#include "metrics/models/ceiling_rules.hpp"
#include "metrics/models/limit.hpp"
#include "metrics/parallel.hpp"
#include "metrics/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace callwitness::metrics {
namespace {

using namespace models;

constexpr double validated = 3;              ///< log10: no innocent of about 3,000 paths reaches what is told
constexpr double least_timing = 0.003;       ///< of a rate: stray losses behind the limit and drift over the call
constexpr double least_closed = 0.05, most_closed = 0.9;   ///< of a quota's periods: less is a radio's scan, more an outage
constexpr double clearly_fewer = 0.5;        ///< of what our end sends with the same codec: hardly any innocent pair of talkers
constexpr double clears_the_sender = 3;      ///< log10, of the small packets' part in the pile
constexpr double least_saturated = 0.75;     ///< of the windows: whose losses can't be read may have run free in between
constexpr double of_one_size = 0.1;
constexpr double same_rate = 0.03;
constexpr std::size_t most_evidence = 200;

/// One path's limits, before they become findings.
struct Limits {
  std::vector<Arrival> arrivals;
  std::vector<Ceiling> ceilings;
  std::optional<ArrivalQuota> quota;
  std::optional<Limit> places;               ///< a bucket that tells which places on the sender's beat are empty
  std::optional<ShaperFit> queue;            ///< a shallow one: packets spaced by their sizes
};

/// Of TCP all that came, for a limit counts acknowledgements and repetitions as well.
std::vector<Arrival> arrivals_of(const DetectorInput& input, const Arm& arm) {
  std::vector<Arrival> arrivals;
  const auto* flow = find_flow(input.observation, arm.flow);
  if (flow != nullptr && flow->tcp) {
    for (const auto& packet : flow->trace)
      if (packet.direction == arm.direction) arrivals.push_back({capture::seconds(packet.time - input.observation.first_time), static_cast<double>(packet.ip_bytes)});
    std::stable_sort(arrivals.begin(), arrivals.end(), [](const Arrival& a, const Arrival& b) { return a.time < b.time; });
    return arrivals;
  }
  arrivals.reserve(arm.packets.size());
  for (const auto& packet : arm.packets)
    if (!packet.lost) arrivals.push_back({packet.time, packet.bytes});
  return arrivals;
}

/// Packets are kept since the flow was known for a call's. What came before filled the bucket as well: its bytes are known by the second,
/// and are put back evenly. False: that was too long ago to be put back so.
bool put_back_the_beginning(const DetectorInput& input, const Arm& arm, std::vector<Arrival>& arrivals) {
  constexpr double longest_s = 5;
  const auto* flow = find_flow(input.observation, arm.flow);
  if (flow == nullptr) return false;
  const double first = capture::seconds(flow->flow.first_time - input.observation.first_time), kept = arrivals.front().time;
  if (kept - first > longest_s) return false;
  if (kept <= first) return true;
  const auto& series = arm.direction == Direction::received ? flow->bytes.received : flow->bytes.sent;
  const double origin = capture::seconds(flow->bytes.start - input.observation.first_time);
  const auto seconds = std::min(series.size(), static_cast<std::size_t>(std::max(0.0, kept - origin)) + 1);
  double before = std::accumulate(series.begin(), series.begin() + static_cast<std::ptrdiff_t>(seconds), 0.0);
  for (const auto& arrival : arrivals) {
    if (arrival.time >= origin + static_cast<double>(seconds)) break;
    before -= arrival.bytes;
  }
  std::vector<double> sizes;
  for (const auto& arrival : arrivals) sizes.push_back(arrival.bytes);
  const double size = std::max(1.0, median(std::move(sizes)));
  const auto count = static_cast<std::size_t>(std::clamp(std::round(before / size), 0.0, 10'000.0));
  std::vector<Arrival> beginning;
  for (std::size_t i = 0; i < count; ++i) beginning.push_back({first + (kept - first) * static_cast<double>(i) / static_cast<double>(count), before / static_cast<double>(count)});
  arrivals.insert(arrivals.begin(), beginning.begin(), beginning.end());
  return true;
}

bool is_unnumbered_path(const DetectorInput& input, const Arm& arm) {
  const auto* flow = find_flow(input.observation, arm.flow);
  return arm.whole_flow && arm.source != LossSource::sequence && flow != nullptr && can_show_losses(input.observation, arm) &&
         !came_by_two_ways(input.observation, arm);
}

bool is_tcp(const DetectorInput& input, const Arm& arm) {
  const auto* flow = find_flow(input.observation, arm.flow);
  return flow != nullptr && flow->tcp.has_value();
}

const Arm* other_way(const DetectorInput& input, const Arm& arm) {
  const auto other = std::find_if(input.arms.begin(), input.arms.end(), [&](const Arm& of) { return of.whole_flow && of.flow == arm.flow && of.direction != arm.direction; });
  return other == input.arms.end() ? nullptr : &*other;
}

/// Voice in TCP that keeps its beat, with nothing missing on it, waits for nobody.
void read_beat_of_data(const DetectorInput& input, const Arm& arm, double begin, double end, SentMeanwhile& sent) {
  const auto* flow = find_flow(input.observation, arm.flow);
  std::vector<ArmPacket> data;
  for (const auto& packet : flow->trace) {
    const double time = capture::seconds(packet.time - input.observation.first_time);
    if (packet.direction == arm.direction && !packet.is_pure_ack && time >= begin && time <= end) data.push_back({time, static_cast<double>(packet.ip_bytes), packet.ordinal});
  }
  if (data.empty()) return;
  std::stable_sort(data.begin(), data.end(), [](const ArmPacket& a, const ArmPacket& b) { return a.time < b.time; });
  const auto beat = read_cadence(data);
  if (beat.missing.empty()) return;
  sent.packets = static_cast<double>(data.size());
  sent.packet_time = beat.packet_time;
  sent.missing = std::accumulate(beat.missing.begin(), beat.missing.end(), 0.0);
}

SentMeanwhile sent_meanwhile(const DetectorInput& input, const Arm& arm, double begin, double end) {
  SentMeanwhile sent;
  sent.seconds = end - begin;
  sent.packet_time = arm.packet_times.own;
  double missing = 0, last = -1;
  std::vector<double> sizes, gaps;
  for (const auto& packet : arm.packets) {
    if (packet.time < begin || packet.time > end) continue;
    if (packet.lost) {
      missing += 1;
      continue;
    }
    sizes.push_back(packet.bytes);
    if (last >= 0) gaps.push_back(packet.time - last);
    last = packet.time;
  }
  sent.packets = static_cast<double>(sizes.size());
  sent.mean_size = mean(sizes);
  sent.usual_size = median(sizes);
  sent.usual_gap = median(gaps);
  const auto same = std::count_if(sizes.begin(), sizes.end(), [&](double size) { return std::abs(size / sent.usual_size - 1) <= of_one_size; });
  sent.same_size = sizes.empty() ? 0 : static_cast<double>(same) / sent.packets;
  if (arm.source == LossSource::cadence) sent.missing = missing;
  if (is_tcp(input, arm)) read_beat_of_data(input, arm, begin, end, sent);
  // Of TCP what we send is mostly acknowledgements.
  if (const auto* own = is_tcp(input, arm) ? nullptr : other_way(input, arm); own != nullptr) {
    std::vector<double> own_sizes;
    for (const auto& packet : own->packets)
      if (!packet.lost && packet.time >= begin && packet.time <= end) own_sizes.push_back(packet.bytes);
    sent.own_packets = static_cast<double>(own_sizes.size());
    sent.own_size = median(std::move(own_sizes));
  }
  return sent;
}

/// Whether the sender's own encoder may have kept to the limit by itself; and why not.
Alternative own_adaptation(std::span<const Arrival> arrivals, const Ceiling* ceiling, const SentMeanwhile& sent) {
  const auto fewer = received_of_own(sent);
  const bool gaps = sent.missing && *sent.missing >= 0.02 * (sent.packets + *sent.missing);
  if (gaps) return {"own_adaptation", AlternativeStatus::ruled_out, "places_left_empty", {}};
  if (fewer && *fewer <= clearly_fewer) return {"own_adaptation", AlternativeStatus::ruled_out, "fewer_than_we_send", {}};
  const auto gained = ceiling == nullptr ? std::nullopt : gained_by_small(arrivals, *ceiling);
  if (gained && *gained >= clears_the_sender) return {"own_adaptation", AlternativeStatus::ruled_out, "small_packets_count_too", {}};
  return {"own_adaptation", AlternativeStatus::not_ruled_out, "arrivals_only", {}};
}

/// Where places can be read, which of them are empty tells more than levels do.
std::optional<Limit> policer_by_places(const DetectorInput& input, const Arm& arm) {
  constexpr double least_loss = 0.02, as_often = 0.02;
  // Places are read off a beat, not counted: runs come out cut, which looks as regular as a bucket. So it must explain more of them.
  constexpr double least_share = 0.3;
  if (static_cast<double>(arm.lost) < least_loss * static_cast<double>(arm.packets.size())) return std::nullopt;
  Path path;
  path.packets.reserve(arm.packets.size());
  for (const auto& packet : arm.packets) {
    PathPacket to;
    to.arrival = packet.time, to.bytes = static_cast<float>(packet.bytes), to.ordinal = packet.ordinal, to.lost = packet.lost;
    path.packets.push_back(to);
  }
  for (const auto& limit : find_limits(path)) {
    const double ratio = static_cast<double>(limit.losses) / static_cast<double>(std::max<std::size_t>(1, limit.packets));
    if (limit.kind != LimitKind::policer || limit.cause.share < least_share || ratio < least_loss || capture_may_explain(input.earlier, ratio)) continue;
    const auto share = received_of_own(sent_meanwhile(input, arm, limit.start, limit.end));
    if (!share || std::abs(*share - 1) > as_often) return limit;
  }
  return std::nullopt;
}

Limits limits_of(const DetectorInput& input, const Arm& arm) {
  Limits limits;
  limits.arrivals = arrivals_of(input, arm);
  if (limits.arrivals.size() < 2) return limits;
  const bool from_its_beginning = put_back_the_beginning(input, arm, limits.arrivals);
  limits.quota = find_arrival_quota(limits.arrivals);
  if (limits.quota) {
    const auto sent = sent_meanwhile(input, arm, limits.quota->begin, limits.quota->end);
    const auto ratio = received_of_own(sent);
    if (limits.quota->closed_share < least_closed || limits.quota->closed_share > most_closed || (ratio && std::abs(*ratio - 1) <= least_closed / 2)) limits.quota.reset();
  }
  if (limits.quota) return limits;   // used up to the byte in each period: more than a bucket explains, which refills all the time
  limits.ceilings = find_ceilings(limits.arrivals, !from_its_beginning);
  std::erase_if(limits.ceilings, [&](const Ceiling& ceiling) { return !innocent_reason(ceiling, sent_meanwhile(input, arm, ceiling.begin, ceiling.end)).empty(); });
  if (limits.ceilings.empty() && arm.source == LossSource::cadence) limits.places = policer_by_places(input, arm);
  // Arrivals that keep a phase are spaced by their sender; TCP paces itself by its own acknowledgements.
  if (arm.packet_times.own > 0 || is_tcp(input, arm)) return limits;
  limits.queue = fit_shaper(arm.packets, arm.packet_times);
  if (limits.queue && (!limits.queue->mechanism || static_cast<double>(limits.queue->saturated) < least_saturated * static_cast<double>(limits.queue->windows))) limits.queue.reset();
  // Gaps that grow with sizes are the queue's own doing: of a rate that both tell it is one.
  if (limits.queue) std::erase_if(limits.ceilings, [&](const Ceiling& ceiling) { return std::abs(8 * ceiling.rate / limits.queue->rate_bps - 1) <= same_rate; });
  return limits;
}

Finding tell(const DetectorInput& input, const Arm& arm, Mechanism mechanism, double rate, double half, double begin, double end) {
  Finding finding = finding_of(input, arm, FindingKind::rate_cap, mechanism, begin, end);
  finding.rate_bps = 8 * rate;
  finding.rate_bps_low = 8 * (rate - half);
  finding.rate_bps_high = 8 * (rate + half);
  for (const auto& packet : arm.packets)
    if (!packet.lost && packet.time >= begin && packet.time <= end && finding.packets.size() < most_evidence) finding.packets.push_back(packet.ordinal);
  return finding;
}

/// What both kinds of limits leave open, and what is known of losses.
void complete(const DetectorInput& input, const Arm& arm, const SentMeanwhile& sent, Alternative own, double ratio, Finding& finding) {
  const bool queue = finding.mechanism == Mechanism::shaper;
  finding.alternatives = alternatives_of_cap(!queue, !capture_may_explain(input.earlier, 0.02), queue ? "rate_stands_still" : "losses_follow_a_fixed_rate");
  finding.strength = Strength{std::min(validated, ratio), own.status == AlternativeStatus::ruled_out ? "congestion" : "own_adaptation"};
  finding.confidence = 0.99;
  finding.alternatives.push_back(std::move(own));
  finding.numbers["by_arrivals"] = 1;
  if (is_tcp(input, arm)) finding.numbers["over_tcp"] = 1;
  finding.numbers["packets"] = sent.packets;
  finding.numbers["losses"] = sent.missing.value_or(0);
  if (sent.missing) finding.numbers["loss_ratio"] = *sent.missing / (sent.packets + *sent.missing);
  if (const auto share = received_of_own(sent)) finding.numbers["received_of_own"] = *share;
}

Finding told_ceiling(const DetectorInput& input, const Arm& arm, const Limits& limits, const Ceiling& ceiling) {
  const auto sent = sent_meanwhile(input, arm, ceiling.begin, ceiling.end);
  const auto release = release_of(limits.arrivals, ceiling, ends_alike(sent) ? arm.packet_times.other : 0);
  const auto kind = ceiling_kind(release, sent);
  const double half = std::max({least_timing * ceiling.rate, ceiling.rate - ceiling.rate_low, ceiling.rate_high - ceiling.rate, ceiling.width / std::max(1.0, ceiling.end - ceiling.begin)});
  Finding finding = tell(input, arm, kind == CeilingKind::shaper ? Mechanism::shaper : Mechanism::policer, ceiling.rate, half, ceiling.begin, ceiling.end);
  if (ceiling.depth_told) finding.burst_bytes = ceiling.depth;
  for (const auto& held : held_by(limits.arrivals, ceiling)) finding.limited.push_back({held.begin, held.end});
  finding.numbers = {{"pile", ceiling.sign}, {"shuffled", ceiling.shuffled}, {"linked", ceiling.linked}, {"touches", static_cast<double>(ceiling.touches)},
                     {"at_level", release.at_level}, {"on_beat", release.on_beat}, {"either", kind == CeilingKind::either ? 1.0 : 0.0}};
  complete(input, arm, sent, own_adaptation(limits.arrivals, &ceiling, sent), ceiling.distinct(), finding);
  return finding;
}

Finding told_quota(const DetectorInput& input, const Arm& arm, const Limits& limits) {
  const auto& quota = *limits.quota;
  Finding finding = tell(input, arm, Mechanism::quota, quota.bytes / quota.period, quota.half_width / quota.period, quota.begin, quota.end);
  finding.period_s = quota.period;
  finding.numbers = {{"quota_period_s", quota.period}, {"quota_bytes", quota.bytes}, {"periods_used_up", static_cast<double>(quota.used_up)},
                     {"periods", static_cast<double>(quota.windows)}, {"pile", quota.sign}, {"edges", quota.edges}, {"closed_share", quota.closed_share}};
  const auto sent = sent_meanwhile(input, arm, quota.begin, quota.end);
  complete(input, arm, sent, own_adaptation(limits.arrivals, nullptr, sent), quota.strength(), finding);
  for (const auto& closed : quota.closed) finding.limited.push_back({closed.begin, closed.end});
  if (!quota.by_edges_only) return finding;
  for (auto& alternative : finding.alternatives)
    if (alternative.key == "wifi") alternative = {"wifi", AlternativeStatus::not_ruled_out, "stops_at_fixed_times", {}};
  return finding;
}

Finding told_places(const DetectorInput& input, const Arm& arm, const Limits& limits) {
  const auto& limit = *limits.places;
  Finding finding = tell(input, arm, Mechanism::policer, limit.rate, std::max(limit.rate_high - limit.rate, limit.rate - limit.rate_low), limit.start, limit.end);
  if (limit.depth_high > 0) finding.burst_bytes = (limit.depth_low + limit.depth_high) / 2;
  for (const auto& bound : limit.bound) finding.limited.push_back({bound.begin, bound.end});
  finding.numbers = {{"by_cadence", 1}, {"margin_nats", limit.cause.margin}, {"gain_nats", limit.cause.gain}, {"explained_share", limit.cause.share}};
  const auto sent = sent_meanwhile(input, arm, limit.start, limit.end);
  complete(input, arm, sent, own_adaptation(limits.arrivals, nullptr, sent), limit.nats / std::numbers::ln10, finding);
  return finding;
}

/// Packets of a shallow queue leave it at intervals that grow with their sizes.
Finding told_queue(const DetectorInput& input, const Arm& arm, const Limits& limits) {
  const auto& fit = *limits.queue;
  Finding finding = tell(input, arm, Mechanism::shaper, fit.rate_bps / 8, std::max(fit.rate_high - fit.rate_bps, fit.rate_bps - fit.rate_low) / 8, fit.start, fit.end);
  finding.numbers = {{"slope", fit.slope}, {"correlation", fit.correlation}, {"off_grid", fit.off_grid}, {"plateau_cv", fit.plateau_cv},
                     {"saturated_windows", static_cast<double>(fit.saturated)}, {"windows", static_cast<double>(fit.windows)}};
  const auto sent = sent_meanwhile(input, arm, fit.start, fit.end);
  complete(input, arm, sent, own_adaptation(limits.arrivals, nullptr, sent), validated, finding);
  return finding;
}

}  // namespace

std::vector<Finding> ceilings(const DetectorInput& input) {
  std::vector<Limits> limits(input.arms.size());
  for_each_index(input.arms.size(), [&](std::size_t i) {
    if (is_unnumbered_path(input, input.arms[i])) limits[i] = limits_of(input, input.arms[i]);
  });
  std::vector<Finding> findings;
  for (std::size_t i = 0; i < input.arms.size(); ++i) {
    const auto& arm = input.arms[i];
    if (limits[i].quota) merge_cap(findings, told_quota(input, arm, limits[i]));
    for (const auto& ceiling : limits[i].ceilings) merge_cap(findings, told_ceiling(input, arm, limits[i], ceiling));
    if (limits[i].places) merge_cap(findings, told_places(input, arm, limits[i]));
    if (limits[i].queue) merge_cap(findings, told_queue(input, arm, limits[i]));
  }
  return findings;
}

}  // namespace callwitness::metrics
