// Gate: packets that the network delivered and the capture lost. docs/methods/capture_loss.md
#include "metrics/contrast.hpp"
#include "metrics/finding_support.hpp"

#include <algorithm>
#include <cmath>

namespace callwitness::metrics {
namespace {

constexpr std::uint64_t telling_expected = 300;   ///< numbered packets of our own: fewer bound nothing
constexpr std::uint64_t least_missing = 3;
constexpr double telling_share = 0.05;   ///< of what is missing of the received: fewer of our own explain nothing of that

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

/// Whether other flows were whole at a moment, by what was captured of them.
class Others {
 public:
  explicit Others(const Observation& observation) {
    for (const auto& flow : observation.flows)
      if (!flow.trace.empty()) flows_.push_back(&flow);
    for (const auto& stream : observation.streams)
      if (stream.direction == Direction::sent && !stream.gaps.empty()) holed_.push_back(&stream);
  }

  /// At least `enough` packets of other streams were captured between the two, and none of what we send was missing meanwhile.
  bool were_whole(const StreamObservation& own, Time before, Time after, std::size_t enough) {
    if (asked_++ >= most_asked) return false;
    for (const auto* other : holed_) {
      if (other->id == own.id) continue;
      const auto gap = std::lower_bound(other->gaps.begin(), other->gaps.end(), before, [](const LossGap& each, Time time) { return each.after <= time; });
      if (gap != other->gaps.end() && gap->before < after) return false;
    }
    std::size_t witnesses = 0;
    for (const auto* flow : flows_) {
      const auto first = std::lower_bound(flow->trace.begin(), flow->trace.end(), before, [](const TracePacket& packet, Time time) { return packet.time <= time; });
      for (auto packet = first; packet != flow->trace.end() && packet->time < after && witnesses < enough; ++packet)
        witnesses += packet->stream != static_cast<std::uint16_t>(own.id) ? 1 : 0;
      if (witnesses >= enough) return true;
    }
    return false;
  }

 private:
  static constexpr std::size_t most_asked = 1'000;   // over all streams
  std::vector<const FlowObservation*> flows_;
  std::vector<const StreamObservation*> holed_;
  std::size_t asked_ = 0;
};

/// Numbers that the sender used up without sending, told by other flows: a capture that misses several packets in a row misses
/// those of others that came between them, too. (Software discards numbered packets on a path that it can't write to.)
std::uint64_t discarded_by_sender(Others& others, const StreamObservation& stream) {
  constexpr std::uint32_t in_a_row = 2;
  std::uint64_t count = 0;
  for (const auto& gap : stream.gaps)
    if (gap.count >= in_a_row && others.were_whole(stream, gap.before, gap.after, gap.count)) count += gap.count;
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
  Others others(observation);
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
    const std::uint64_t unsent = sent ? std::min(std::max(never_sent(observation, busy, stream), discarded_by_sender(others, stream)) + stream.passed_on, *stream.lost) : 0;
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
  const auto share = [](std::uint64_t missing, std::uint64_t seen) { return missing == 0 ? 0.0 : static_cast<double>(missing) / static_cast<double>(missing + seen); };
  const double own_share = share(own, own_expected - own), received_share = share(received, received_expected - received);
  const bool own_holes = observation.local_known && own >= least_missing && own_share >= telling_share * received_share;
  if (told == 0 && !own_holes && acknowledged < 10) return {};
  finding.count = told + (own_holes ? own : 0);
  finding.numbers = {{"told_by_capture", static_cast<double>(told)}, {"own_packets_missing", static_cast<double>(own)},
                     {"own_packets_expected", static_cast<double>(own_expected)}, {"acknowledged_unseen", static_cast<double>(acknowledged)},
                     {"received_missing", static_cast<double>(received)}, {"received_expected", static_cast<double>(received_expected)}};
  // A counter may be that of another interface: what we sent ourselves bounds the share that can be missing here (rule of three).
  const bool bounded = observation.local_known && own_expected >= telling_expected;
  const double most_missing = bounded ? static_cast<double>(own + 3) / static_cast<double>(own_expected) : 1.0;
  // What any of the three says the capture missed: a loss of the same order is no evidence against the network.
  finding.numbers["capture_loss_ratio"] = std::max({std::min(share(told, captured), most_missing), own_holes ? own_share : 0.0, share(acknowledged, segments)});
  finding.confidence = 0.95;
  return {finding};
}

}  // namespace callwitness::metrics
