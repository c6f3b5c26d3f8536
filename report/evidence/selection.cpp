#include "report/evidence/selection.hpp"

#include <algorithm>

namespace callwitness::report {
namespace {

using capture::FiveTuple;
using capture::Time;

constexpr std::uint16_t dns_port = 53;
constexpr auto margin = std::chrono::seconds(30);        ///< around calls: control before and after them
constexpr std::uint64_t sample_limit = 200'000;          ///< packets of control flows, by what the flows counted
constexpr std::uint32_t whole_packets = 32;              ///< of a flow: what recognisers and nDPI look at
constexpr std::size_t payload_kept = 40;                 ///< of later ones: the deepest counter, and no sentence

bool is_name_lookup(const FiveTuple& tuple) { return tuple.source.port == dns_port || tuple.destination.port == dns_port; }

/// Five-tuples of all flows that belong to the story.
std::set<FiveTuple> story_of(const metrics::Analysis& analysis) {
  std::set<classify::FlowId> wanted;
  const auto add = [&](const std::vector<classify::FlowId>& flows) { wanted.insert(flows.begin(), flows.end()); };
  for (const auto& call : analysis.classification.calls) add(call.flows);
  for (const auto& attempt : analysis.classification.attempts) add(attempt.flows);
  for (const auto& finding : analysis.findings) add(finding.flows);
  for (const auto& stream : analysis.classification.streams) wanted.insert(stream.flow);
  std::set<FiveTuple> tuples;
  for (const auto& flow : analysis.classification.flows)
    if (wanted.contains(flow.id)) tuples.insert(either_way(flow.five_tuple));
  return tuples;
}

std::vector<std::pair<Time, Time>> spans_of(const metrics::Analysis& analysis) {
  std::vector<std::pair<Time, Time>> all;
  const auto add = [&](Time from, Time to) { all.emplace_back(from - margin, std::max(from, to) + margin); };
  for (const auto& call : analysis.classification.calls) add(call.start_time, call.end_time);
  for (const auto& attempt : analysis.classification.attempts) add(attempt.first_time, attempt.last_time);
  for (const auto& finding : analysis.findings) add(finding.start_time, finding.end_time);
  std::sort(all.begin(), all.end());
  std::vector<std::pair<Time, Time>> merged;
  for (const auto& span : all) {
    if (merged.empty() || span.first > merged.back().second) merged.push_back(span);
    else merged.back().second = std::max(merged.back().second, span.second);
  }
  return merged;
}

}  // namespace

FiveTuple either_way(const FiveTuple& tuple) { return std::min(tuple, tuple.reversed()); }

Selection::Selection(const metrics::Analysis& analysis, ControlKept control)
    : control_(control), story_(story_of(analysis)), spans_(spans_of(analysis)) {
  if (control != ControlKept::sample) return;
  std::vector<const classify::Flow*> others;
  for (const auto& flow : analysis.classification.flows) {
    const bool meets = std::any_of(spans_.begin(), spans_.end(), [&](const auto& span) { return flow.first_time <= span.second && flow.last_time >= span.first; });
    if (meets && !story_.contains(either_way(flow.five_tuple)) && !is_name_lookup(flow.five_tuple)) others.push_back(&flow);
  }
  const auto bytes = [](const classify::Flow* flow) { return flow->forward.ip_bytes + flow->backward.ip_bytes; };
  std::stable_sort(others.begin(), others.end(), [&](const auto* a, const auto* b) { return bytes(a) > bytes(b); });
  std::uint64_t packets = 0;
  for (const auto* flow : others) {
    packets += flow->forward.packets + flow->backward.packets;
    if (packets > sample_limit && !sampled_.empty()) break;
    sampled_.emplace(either_way(flow->five_tuple), 0);
  }
}

bool Selection::near_the_story(Time time) const {
  const auto after = std::upper_bound(spans_.begin(), spans_.end(), time, [](Time t, const auto& span) { return t < span.first; });
  return after != spans_.begin() && time <= std::prev(after)->second;
}

Selection::Choice Selection::choose(const capture::Packet& packet, const capture::Datagram& datagram) {
  const auto tuple = either_way(datagram.five_tuple);
  if (story_.contains(tuple)) return {Part::story, packet.bytes.size()};
  if (control_ == ControlKept::whole || is_name_lookup(tuple)) return {Part::control, packet.bytes.size()};
  auto flow = sampled_.find(tuple);
  if (flow == sampled_.end()) {
    // Packets without ports (ICMP) are few, and errors among them are answers to calls.
    const bool portless = tuple.protocol != capture::protocol::tcp && tuple.protocol != capture::protocol::udp;
    if (control_ == ControlKept::sample && !(portless && near_the_story(packet.time))) return {};
    flow = sampled_.emplace(tuple, 0).first;
  }
  if (flow->second < whole_packets) {
    ++flow->second;
    return {Part::control, packet.bytes.size()};
  }
  if (control_ == ControlKept::sample && !near_the_story(packet.time)) return {};
  const auto *begin = packet.bytes.data(), *payload = datagram.payload.data();
  const bool inside = payload >= begin && payload <= begin + packet.bytes.size();   // a reassembled one isn't
  if (!inside) return {Part::control, packet.bytes.size()};
  return {Part::control, std::min(packet.bytes.size(), static_cast<std::size_t>(payload - begin) + payload_kept)};
}

}  // namespace callwitness::report
