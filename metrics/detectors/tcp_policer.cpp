// D9: policing of TCP, told by what passes between its losses. docs/methods/tcp_policer.md
#include "metrics/finding_support.hpp"
#include "metrics/tcp/bucket.hpp"
#include "metrics/tcp/pools.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace callwitness::metrics {
namespace {

constexpr std::size_t most_evidence = 1'000;
constexpr double validated = 3;              ///< log10 of the likelihood ratio: no innocent of the 520 simulated ones is told
constexpr double next_loss_s = 1;            ///< until then the bucket has hardly filled
constexpr double own_rhythm = 2;             ///< round trips: what a shallower bucket passes is a window each, not its rate

struct Candidate { const TcpPool* pool; TcpBucket bucket; BucketReplay replay; };

/// A wider pool speaks for its connections, unless two of them are explained alone: then each has a bucket of its own.
bool stands(const Candidate& candidate, const std::vector<Candidate>& all) {
  if (candidate.pool->flows.size() == 1) return true;
  const auto alone = std::count_if(all.begin(), all.end(), [&](const Candidate& other) {
    const auto& flows = candidate.pool->flows;
    return other.pool->flows.size() == 1 && other.pool->direction == candidate.pool->direction && std::find(flows.begin(), flows.end(), other.pool->flows.front()) != flows.end();
  });
  return alone < 2;
}

double quality(const Candidate& candidate) { return candidate.bucket.explained() - 10 * candidate.replay.when_full + 0.2 * candidate.replay.precision; }

/// The pool as the contrast with other traffic reads it.
Arm arm_of(const TcpPool& pool) {
  Arm arm;
  arm.flow = pool.flows.front()->flow.id;
  arm.direction = pool.direction;
  for (const auto& packet : pool.packets) {
    const bool lost = packet.lost > 0;
    arm.packets.push_back({packet.time, static_cast<double>(lost ? packet.lost : packet.bytes), lost ? 0 : packet.ordinal, lost, false});
  }
  return arm;
}

/// Chance losses with tokens left, against those seen (Poisson).
double strength_of(const BucketReplay& replayed) {
  const double expected = replayed.expected_when_full, seen = replayed.when_full * expected;
  return std::clamp((expected - seen + (seen > 0 ? seen * std::log(seen / expected) : 0)) / std::numbers::ln10, 0.0, validated);
}

/// From loss to loss, where they follow each other.
std::vector<Stretch> limited_by(const TcpPool& pool, const TcpBucket& bucket) {
  std::vector<Stretch> stretches;
  for (std::size_t i = bucket.first; i <= bucket.last; ++i) {
    if (pool.packets[i].lost <= 0) continue;
    const double time = pool.packets[i].time;
    if (stretches.empty() || time - stretches.back().end > next_loss_s) stretches.push_back({time, time});
    stretches.back().end = time;
  }
  return stretches;
}

/// A sender with a small window meets a shallow bucket once a round trip: then what passes tells its own rate, and the bucket's is that
/// at least.
bool is_senders_rhythm(const TcpPool& pool, const TcpBucket& bucket) {
  double longest = 0;
  for (const auto* flow : pool.flows)
    if (flow->tcp && flow->tcp->median_round_trip) longest = std::max(longest, capture::seconds(*flow->tcp->median_round_trip));
  return bucket.depth < own_rhythm * longest * bucket.rate;
}

/// Told already by what arrives, acknowledgements included.
bool is_known(const DetectorInput& input, const TcpPool& pool) {
  return std::any_of(input.earlier.begin(), input.earlier.end(), [&](const Finding& other) {
    return other.kind == FindingKind::rate_cap && other.direction == pool.direction && std::any_of(pool.flows.begin(), pool.flows.end(), [&](const FlowObservation* flow) {
      return std::find(other.flows.begin(), other.flows.end(), flow->flow.id) != other.flows.end();
    });
  });
}

Finding tell(const DetectorInput& input, const Candidate& candidate) {
  const auto& [pool, bucket, replayed] = candidate;
  const auto& packets = pool->packets;
  const double start = packets[bucket.first].time, end = packets[bucket.last].time;
  const auto arm = arm_of(*pool);
  Finding finding = finding_of(input, arm, FindingKind::rate_cap, Mechanism::policer, start, end);
  if (!input.observation.local_known) finding.direction.reset();
  finding.flows.clear();
  for (const auto* flow : pool->flows) {
    finding.flows.push_back(flow->flow.id);
    if (flow->call && std::find(finding.calls.begin(), finding.calls.end(), *flow->call) == finding.calls.end()) finding.calls.push_back(*flow->call);
    if (application_of(input.observation, *flow) != finding.application) finding.application = {};
  }
  finding.rate_bps = 8 * bucket.rate;
  finding.rate_bps_low = 8 * bucket.rate_low;
  finding.rate_bps_high = 8 * bucket.rate_high;
  const bool least = is_senders_rhythm(*pool, bucket);
  if (bucket.depth_told || least) finding.burst_bytes = bucket.depth;   // a window met it full each time
  if (least) finding.rate_bps_high.reset();
  finding.confidence = 0.99;
  finding.strength = Strength{strength_of(replayed), "congestion"};
  finding.limited = limited_by(*pool, bucket);
  finding.numbers = {{"over_tcp", 1}, {"connections", static_cast<double>(pool->flows.size())}, {"losses", replayed.losses}, {"packets", replayed.packets},
                     {"loss_ratio", replayed.losses / replayed.packets}, {"intervals", static_cast<double>(bucket.intervals)}, {"explained", bucket.explained()},
                     {"loss_when_full", replayed.when_full}, {"precision", replayed.precision}, {"spread", bucket.rate_spread},
                     {"captured_behind", pool->viewpoint == Viewpoint::after_losses ? 1.0 : 0.0}};
  finding.numbers["rate_is_least"] = least ? 1 : 0;
  if (!bucket.depth_told) finding.numbers["burst_low_bytes"] = bucket.depth;
  if (replayed.queue) finding.numbers["delay_by_fill"] = *replayed.queue;
  for (const auto& packet : packets)
    if (packet.lost > 0 && finding.packets.size() < most_evidence) finding.packets.push_back(packet.ordinal);
  const bool whole = std::none_of(input.earlier.begin(), input.earlier.end(), [](const Finding& other) { return other.kind == FindingKind::capture_loss; });
  finding.alternatives = alternatives_of_cap(true, whole);
  return finding;
}

}  // namespace

std::vector<Finding> tcp_policer(const DetectorInput& input) {
  const auto pools = tcp_pools(input.observation);
  std::vector<Candidate> candidates;
  for (const auto& pool : pools) {
    if (is_known(input, pool)) continue;
    for (const auto scale : {IntervalScale::long_ones, IntervalScale::short_ones}) {
      const auto bucket = fit_tcp_bucket(pool.packets, pool.packet_bytes, scale);
      if (!bucket) continue;
      const auto replayed = replay(*bucket, pool.packets, pool.packet_bytes);
      if (!is_policer(*bucket, replayed, pool.viewpoint)) continue;
      candidates.push_back({&pool, *bucket, replayed});
      break;
    }
  }
  std::stable_sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) { return quality(a) > quality(b); });
  std::vector<Finding> findings;
  std::vector<std::pair<const FlowObservation*, Direction>> told;   // each connection pays from one bucket
  for (const auto& candidate : candidates) {
    const auto& pool = *candidate.pool;
    if (!stands(candidate, candidates)) continue;
    const bool known = std::any_of(pool.flows.begin(), pool.flows.end(), [&](const auto* flow) { return std::find(told.begin(), told.end(), std::pair{flow, pool.direction}) != told.end(); });
    if (known) continue;
    for (const auto* flow : pool.flows) told.emplace_back(flow, pool.direction);
    merge_cap(findings, tell(input, candidate));
  }
  return findings;
}

}  // namespace callwitness::metrics
