#include "metrics/events/interruptions.hpp"

#include "metrics/contrast.hpp"
#include "metrics/events/company.hpp"
#include "metrics/finding_support.hpp"
#include "metrics/parallel.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace callwitness::metrics {
namespace {

constexpr double same_event = 8;            ///< seconds: flows of one host that die together
constexpr double capture_begins = 0.5;      ///< seconds: what is there by then may have begun before
constexpr std::uint64_t least_before_reset = 20;

double at_of(const Observation& observation, Time time) { return capture::seconds(time - observation.first_time); }

bool is_polite(classify::Ending ending) {
  using enum classify::Ending;
  return ending == bye || ending == fin || ending == close_notify || ending == rtcp_bye;
}

std::vector<Interruption> resets_of(const Observation& observation) {
  std::vector<Interruption> found;
  for (const auto& reset : observation.classification->resets) {
    if (found.size() >= most_interruptions) break;
    const auto* flow = find_flow(observation, reset.flow);
    if (flow == nullptr || reset.closing || reset.bad_checksum || reset.after_client_hello) continue;
    // The flow of a call, or one to the host that holds one (its control connection).
    const bool voice = flow->call || flow->flow.role == classify::Role::media ||
                       std::any_of(observation.flows.begin(), observation.flows.end(), [&](const FlowObservation& other) { return other.call && same_party(*flow, other); });
    if (!voice || flow->flow.forward.packets + flow->flow.backward.packets < least_before_reset) continue;
    // What our own program sends is no cut; a box that resets both ends sends us one, too.
    const bool ours = (reset.way == classify::Way::forward) == (flow->forward == Direction::sent);
    if (observation.local_known && ours) continue;
    Interruption cut;
    cut.kind = Interruption::Kind::tcp_reset;
    cut.flow = reset.flow;
    cut.call = flow->call;
    cut.start = at_of(observation, reset.time);
    cut.end = cut.start + 1;
    cut.ordinal = static_cast<std::uint32_t>(reset.ordinal);
    found.push_back(cut);
  }
  return found;
}

/// When the flow began or came back before `at`; nothing where that was before the capture.
std::optional<double> uptime_at(const Observation& observation, const FlowObservation& flow, const std::vector<Interruption>& before, double at) {
  double since = at_of(observation, flow.flow.first_time);
  const bool known = since > capture_begins;
  bool back = false;
  for (const auto& cut : before)
    if (cut.flow == flow.flow.id && cut.end <= at) since = cut.end, back = true;
  return known || back ? std::optional(at - since) : std::nullopt;
}

/// The same event: of the same flow, or of one that was there when the other died.
bool is_again(const Observation& observation, const Interruption& cut, const FlowObservation& flow, const Interruption& earlier) {
  if (cut.start - earlier.start >= same_event) return false;
  const auto* theirs = find_flow(observation, earlier.flow);
  return theirs != nullptr && same_party(flow, *theirs) && at_of(observation, flow.flow.first_time) <= earlier.start + 0.1;
}

}  // namespace

std::optional<double> goodbye_near(const Observation& observation, const FlowObservation& flow, double from, double to) {
  constexpr double long_before = 10, long_after = 30;   // seconds: what was said then meant another call
  std::optional<double> nearest;
  const auto consider = [&](const std::optional<Time>& said) {
    if (!said) return;
    const double at = at_of(observation, *said);
    if (at < from - long_before || at > std::max(to, from) + long_after) return;
    if (!nearest || std::abs(at - from) < std::abs(*nearest - from)) nearest = at;
  };
  if (is_polite(flow.flow.ended_by)) consider(flow.flow.goodbye);
  if (!flow.call || static_cast<std::size_t>(*flow.call) >= observation.classification->calls.size()) return nearest;
  for (const auto& part : observation.classification->calls[static_cast<std::size_t>(*flow.call)].parts)
    if (is_polite(part.ended_by) && std::find(part.flows.begin(), part.flows.end(), flow.flow.id) != part.flows.end()) consider(part.goodbye);
  return nearest;
}

bool on_hold_at(const Observation& observation, const FlowObservation& flow, double at) {
  constexpr double leeway = 1;   // seconds: the media stop about when it is said
  if (!flow.call || static_cast<std::size_t>(*flow.call) >= observation.classification->calls.size()) return false;
  const auto& holds = observation.classification->calls[static_cast<std::size_t>(*flow.call)].announced.holds;
  return std::any_of(holds.begin(), holds.end(), [&](const auto& hold) {
    return at >= at_of(observation, hold.from) - leeway && (!hold.until || at <= at_of(observation, *hold.until) + leeway);
  });
}

models::DeathAmount amount_at(const Observation& observation, const FlowObservation& flow, double at) {
  models::DeathAmount amount;
  const auto sent = static_cast<std::size_t>(Direction::sent), received = static_cast<std::size_t>(Direction::received);
  // Where nothing ever came, all that we sent.
  const auto& end = flow.ends[flow.ends[received].packets[received] > 0 ? received : sent];
  std::uint64_t packets[2] = {end.packets[0], end.packets[1]}, bytes[2] = {end.bytes[0], end.bytes[1]};
  // The counters stand at the last packet that came; what the trace has between `at` and there is taken off.
  if (flow.trace_complete && !flow.trace.empty()) {
    constexpr double rounding = 1e-6;
    for (auto packet = flow.trace.rbegin(); packet != flow.trace.rend(); ++packet) {
      const double when = at_of(observation, packet->time);
      if (when <= at + rounding) break;
      if (packet->time > end.last) continue;
      const auto side = static_cast<std::size_t>(packet->direction);
      packets[side] -= std::min<std::uint64_t>(packets[side], 1);
      bytes[side] -= std::min<std::uint64_t>(bytes[side], packet->ip_bytes);
    }
  }
  amount.packets_up = packets[sent];
  amount.packets_down = packets[received];
  amount.bytes_up = bytes[sent];
  amount.bytes_down = bytes[received];
  amount.seconds = at - at_of(observation, flow.flow.first_time);
  amount.seconds_of_theirs = packets[received] > 0 ? at - at_of(observation, flow.ends[received].first) : 0;
  return amount;
}

std::vector<Interruption> interruptions_of(const Observation& observation) {
  std::vector<std::vector<Interruption>> silences(observation.flows.size());
  for_each_index(silences.size(), [&](std::size_t i) {
    const auto& flow = observation.flows[i];
    silences[i] = silences_of(observation, flow);
    if (silences[i].empty())
      if (auto early = early_death_of(observation, flow)) silences[i].push_back(std::move(*early));
  });
  std::vector<Interruption> found = resets_of(observation);
  for (const auto& some : silences) found.insert(found.end(), some.begin(), some.end());
  std::stable_sort(found.begin(), found.end(), [](const Interruption& a, const Interruption& b) { return a.start < b.start; });
  std::vector<Interruption> merged;
  for (auto& cut : found) {
    if (merged.size() >= most_interruptions) break;
    const auto* flow = find_flow(observation, cut.flow);
    if (flow == nullptr) continue;
    bool again = false;
    for (auto other = merged.rbegin(); other != merged.rend() && cut.start - other->start < same_event && !again; ++other) again = is_again(observation, cut, *flow, *other);
    if (again) continue;
    // A reset takes no time: who was there about then says whether the line was.
    const bool reset = cut.kind == Interruption::Kind::tcp_reset;
    const auto company = company_of(observation, *flow, cut.start + (reset ? -1 : 0.5), reset ? cut.start + 6 : std::max(cut.start + 2, std::min(cut.end - 0.5, cut.start + 10)));
    cut.others = company.others;
    cut.others_received = company.seconds_received;
    cut.uptime = uptime_at(observation, *flow, merged, cut.start);
    const bool whole = at_of(observation, flow->flow.first_time) > capture_begins || (flow->tcp && flow->tcp->handshake_round_trip);
    const bool first = std::none_of(merged.begin(), merged.end(), [&](const Interruption& other) { return other.flow == cut.flow; });
    if (whole && first) cut.amount = amount_at(observation, *flow, cut.start);
    if (!cut.resumed) cut.redialled_s = redialled_after(observation, *flow, cut);
    merged.push_back(cut);
  }
  return merged;
}

}  // namespace callwitness::metrics
