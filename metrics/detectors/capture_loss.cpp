// Gate: packets that the network delivered and the capture lost. docs/methods/capture_loss.md
#include "metrics/contrast.hpp"
#include "metrics/finding_support.hpp"

#include <algorithm>
#include <cmath>

namespace callwitness::metrics {
namespace {

constexpr std::uint64_t least_missing = 3;

/// For each second, how many before it held any traffic.
std::vector<std::int64_t> busy_before(const ByteSeries& total) {
  std::vector<std::int64_t> before(std::max(total.sent.size(), total.received.size()) + 1, 0);
  for (std::size_t i = 0; i + 1 < before.size(); ++i) {
    const bool busy = (i < total.sent.size() && total.sent[i] > 0) || (i < total.received.size() && total.received[i] > 0);
    before[i + 1] = before[i] + (busy ? 1 : 0);
  }
  return before;
}

/// Numbers that the sender used up without sending: nothing of the stream for a whole second and more, while the capture
/// saw other traffic. (WebRTC counts on while it has no path to send on.)
std::uint64_t never_sent(const Observation& observation, const std::vector<std::int64_t>& busy, const StreamObservation& stream) {
  const auto& total = observation.total;
  const auto place = [&](Time time, std::int64_t more) {
    return static_cast<std::size_t>(std::clamp<std::int64_t>((time - total.start) / total.step + more, 0, static_cast<std::int64_t>(busy.size()) - 1));
  };
  std::uint64_t count = 0;
  for (const auto& gap : stream.gaps)
    if (busy[place(gap.after, 0)] > busy[place(gap.before, 1)]) count += gap.count;
  return count;
}

}  // namespace

std::vector<Finding> capture_loss(const DetectorInput& input) {
  const auto& observation = input.observation;
  Finding finding;
  finding.kind = FindingKind::capture_loss;
  finding.mechanism = Mechanism::capture_drops;
  finding.start_time = observation.first_time;
  finding.end_time = observation.last_time;
  const auto busy = busy_before(observation.total);
  std::uint64_t captured = 0, segments = 0;
  std::uint64_t told = 0, own = 0, own_expected = 0, acknowledged = 0, received = 0, received_expected = 0;
  for (const auto& record : *observation.captures) {
    told += record.dropped_by_capture.value_or(0);
    captured += record.packets;
  }
  for (const auto& stream : observation.streams) {
    if (!stream.lost || !stream.expected) continue;
    const bool sent = stream.direction == Direction::sent;
    // Places that a steady sender left empty are its own pauses as well as losses: only numbers tell.
    const auto index = static_cast<std::size_t>(stream.id);
    if (index < input.measures.size() && input.measures[index].loss_basis == "cadence") continue;
    // Beyond a router the way from our end to the capture may lose as well.
    if (const auto* flow = index < observation.classification->streams.size() ? find_flow(observation, observation.classification->streams[index].flow) : nullptr;
        sent && flow != nullptr && captured_behind_a_router(*flow))
      continue;
    // What a relay sends lacks what never came to it: the capture held all that was sent.
    const std::uint64_t unsent = sent ? std::min(never_sent(observation, busy, stream) + stream.passed_on, *stream.lost) : 0;
    (sent ? own : received) += *stream.lost - unsent;
    (sent ? own_expected : received_expected) += *stream.expected - unsent;
    if (sent && *stream.lost > unsent) finding.streams.push_back(stream.id);
  }
  for (const auto& flow : observation.flows)
    if (flow.tcp) {
      acknowledged += flow.tcp->acknowledged_unseen[0] + flow.tcp->acknowledged_unseen[1];
      segments += flow.tcp->segments[0] + flow.tcp->segments[1];
    }
  // What we send is captured before the network can lose it: a hole in it is the capture's (where we know which end is ours).
  const bool own_holes = observation.local_known && own >= least_missing;
  if (told == 0 && !own_holes && acknowledged < 10) return {};
  finding.count = told + (own_holes ? own : 0);
  finding.numbers = {{"told_by_capture", static_cast<double>(told)}, {"own_packets_missing", static_cast<double>(own)},
                     {"own_packets_expected", static_cast<double>(own_expected)}, {"acknowledged_unseen", static_cast<double>(acknowledged)},
                     {"received_missing", static_cast<double>(received)}, {"received_expected", static_cast<double>(received_expected)}};
  const auto share = [](std::uint64_t missing, std::uint64_t seen) { return missing == 0 ? 0.0 : static_cast<double>(missing) / static_cast<double>(missing + seen); };
  // What any of the three says the capture missed: a loss of the same order is no evidence against the network.
  finding.numbers["capture_loss_ratio"] = std::max({share(told, captured), own_holes ? share(own, own_expected - own) : 0.0, share(acknowledged, segments)});
  finding.confidence = 0.95;
  return {finding};
}

}  // namespace callwitness::metrics
