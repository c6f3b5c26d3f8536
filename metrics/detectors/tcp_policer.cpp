// D9: policing of TCP, told by what passes between its losses. docs/methods/tcp_policer.md
#include "metrics/finding_support.hpp"
#include "metrics/tcp/bucket.hpp"
#include "metrics/tcp/pools.hpp"

#include <algorithm>

namespace callwitness::metrics {
namespace {

constexpr std::size_t most_evidence = 1'000;

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
  if (bucket.depth_told) finding.burst_bytes = bucket.depth;
  finding.confidence = 0.99;
  const auto contrast = contrast_of(input.observation, arm, 8 * bucket.rate, start, end);
  finding.numbers = {{"over_tcp", 1}, {"connections", static_cast<double>(pool->flows.size())}, {"losses", replayed.losses}, {"packets", replayed.packets},
                     {"loss_ratio", replayed.losses / replayed.packets}, {"intervals", static_cast<double>(bucket.intervals)}, {"explained", bucket.explained()},
                     {"loss_when_full", replayed.when_full}, {"precision", replayed.precision}, {"spread", bucket.rate_spread},
                     {"captured_behind", pool->viewpoint == Viewpoint::after_losses ? 1.0 : 0.0}, {"contrast", contrast.exceeds ? 1.0 : 0.0}};
  if (!bucket.depth_told) finding.numbers["burst_low_bytes"] = bucket.depth;
  if (replayed.queue) finding.numbers["delay_by_fill"] = *replayed.queue;
  for (const auto& packet : packets)
    if (packet.lost > 0 && finding.packets.size() < most_evidence) finding.packets.push_back(packet.ordinal);
  const bool whole = std::none_of(input.earlier.begin(), input.earlier.end(), [](const Finding& other) { return other.kind == FindingKind::capture_loss; });
  finding.alternatives = alternatives_of_cap(contrast, true, whole);
  return finding;
}

}  // namespace

std::vector<Finding> tcp_policer(const DetectorInput& input) {
  const auto pools = tcp_pools(input.observation);
  std::vector<Candidate> candidates;
  for (const auto& pool : pools) {
    const auto bucket = fit_tcp_bucket(pool.packets, pool.packet_bytes);
    if (!bucket) continue;
    const auto replayed = replay(*bucket, pool.packets, pool.packet_bytes);
    if (is_policer(*bucket, replayed, pool.viewpoint)) candidates.push_back({&pool, *bucket, replayed});
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
