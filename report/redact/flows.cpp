#include "report/redact/flows.hpp"

#include <algorithm>
#include <set>

namespace callwitness::report {
namespace {

using capture::FiveTuple;

FiveTuple either_way(const FiveTuple& tuple) { return std::min(tuple, tuple.reversed()); }

/// Of a packet without media: requests, answers, keep-alives.
constexpr std::size_t other_header = 24;
/// IAX2's full header (RFC 5456 8.1.1); behind it stand numbers and names.
constexpr std::size_t iax2_header = 12;

}  // namespace

KnownFlows::KnownFlows(const metrics::Analysis& analysis) {
  const auto& flows = analysis.classification.flows;
  std::set<FiveTuple> rtp;
  for (const auto& stream : analysis.classification.streams) {
    const auto flow = std::lower_bound(flows.begin(), flows.end(), stream.flow, [](const classify::Flow& a, classify::FlowId id) { return a.id < id; });
    if (flow == flows.end() || flow->id != stream.flow) continue;
    const auto* application = classify::find_application(flow->label.application);
    const bool own = application != nullptr && application->media != nullptr;
    if (!own && stream.sequence_basis == classify::SequenceBasis::rtp) {
      rtp.insert(either_way(flow->five_tuple));
      if (stream.over_tcp && flow->role != classify::Role::signalling) framed_.insert(either_way(flow->five_tuple));
    }
    known_.try_emplace(either_way(flow->five_tuple), Known{own ? application : nullptr, flow->five_tuple});
  }
  for (const auto& tuple : rtp) known_.erase(tuple);
  for (const auto& flow : flows)
    if (flow.label.application == "mgcp" && flow.role == classify::Role::signalling) mgcp_.insert(either_way(flow.five_tuple));
}

const KnownFlows::Known* KnownFlows::find(const FiveTuple& five_tuple) const {
  if (known_.empty()) return nullptr;
  const auto found = known_.find(either_way(five_tuple));
  return found == known_.end() ? nullptr : &found->second;
}

bool KnownFlows::carries_own_media(const FiveTuple& five_tuple) const { return find(five_tuple) != nullptr; }

bool KnownFlows::carries_frames(const FiveTuple& five_tuple) const { return !framed_.empty() && framed_.contains(either_way(five_tuple)); }

bool KnownFlows::carries_mgcp(const FiveTuple& five_tuple) const { return !mgcp_.empty() && mgcp_.contains(either_way(five_tuple)); }

std::optional<std::size_t> KnownFlows::header_of(const capture::Datagram& datagram) const {
  const auto* known = find(datagram.five_tuple);
  if (known == nullptr) return std::nullopt;
  if (known->application == nullptr) return other_header;
  const auto way = datagram.five_tuple == known->forward ? classify::Way::forward : classify::Way::backward;
  const auto header = known->application->media(datagram, way);
  if (header && header->payload_offset > 0) return header->payload_offset;
  return known->application->key == "iax2" ? iax2_header : other_header;
}

}  // namespace callwitness::report
