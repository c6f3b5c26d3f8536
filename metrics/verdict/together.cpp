// The second half of the ladder: E3 and E4. docs/methods/verdict.md
#include "metrics/verdict/together.hpp"

#include "metrics/verdict/weight.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

namespace callwitness::metrics {
namespace {

constexpr double same_rate = 0.1, same_period = 0.05;      ///< findings this near are one, repeated
constexpr auto another_hour = std::chrono::hours(1);
constexpr std::size_t least_occasions = 2;
constexpr double faster_in_tunnel = 1.25;                  ///< than the cap found without it (compare.md)
constexpr std::string_view tunnels[] = {"wireguard", "openvpn", "ipsec"};

bool near(const std::optional<double>& a, const std::optional<double>& b, double tolerance) {
  return a.has_value() == b.has_value() && (!a || std::abs(*a - *b) <= tolerance * std::max(*a, *b));
}

bool is_same(const Finding& a, const Finding& b) {
  return a.kind == b.kind && a.application == b.application && a.direction == b.direction && near(a.rate_bps, b.rate_bps, same_rate) && near(a.period_s, b.period_s, same_period);
}

const classify::Call* call_of(const Analysis& analysis, CallId id) {
  const auto index = static_cast<std::size_t>(id);
  return index < analysis.classification.calls.size() ? &analysis.classification.calls[index] : nullptr;
}

/// When the finding's calls began, or it itself where it names none.
std::vector<Time> times_of(const Analysis& analysis, const Finding& finding) {
  std::vector<Time> times;
  for (const auto id : finding.calls)
    if (const auto* call = call_of(analysis, id)) times.push_back(call->start_time);
  if (times.empty()) times.push_back(finding.start_time);
  return times;
}

std::size_t occasions_of(std::vector<Time> times) {
  std::sort(times.begin(), times.end());
  std::size_t count = 0;
  Time last;
  for (const auto time : times)
    if (count == 0 || time - last >= another_hour) ++count, last = time;
  return count;
}

bool is_tunnel(const classify::Call& call) { return std::find(std::begin(tunnels), std::end(tunnels), call.label.application) != std::end(tunnels); }

/// The first half of an address: whoever has another one there is on another network.
std::string network_of(const capture::IpAddress& address) {
  const std::size_t kept = address.version == 4 ? 3 : 6;   // /24; /48
  return std::string(1, static_cast<char>(address.version)) + std::string(address.bytes.begin(), address.bytes.begin() + static_cast<std::ptrdiff_t>(kept));
}

std::set<std::string> networks_of(const Analysis& analysis) {
  std::set<std::string> found;
  for (const auto& call : analysis.classification.calls)
    if (call.local) found.insert(network_of(*call.local));
  return found;
}

/// A tunnel that carried more than the cap all the same, or lived through the call undisturbed.
bool is_spared_tunnel(const Analysis& analysis, const Finding& finding) {
  if (analysis.verdict.verdict_class != VerdictClass::clean) return false;
  const auto& calls = analysis.classification.calls;
  if (calls.empty() || !std::all_of(calls.begin(), calls.end(), is_tunnel)) return false;
  if (!finding.rate_bps) return true;
  return std::any_of(analysis.streams.begin(), analysis.streams.end(), [&](const StreamMeasures& stream) {
    return stream.direction == finding.direction.value_or(Direction::received) && stream.bitrate_bps && stream.bitrate_bps->p95 > faster_in_tunnel * *finding.rate_bps;
  });
}

/// The far end's capture of the same stream, which there was sent whole.
bool is_whole_at_the_other_end(const Analysis& suspect, const Finding& finding, const Analysis& other) {
  if (finding.direction != Direction::received) return false;
  for (const auto id : finding.streams) {
    const auto index = static_cast<std::size_t>(id);
    if (index >= suspect.classification.streams.size() || index >= suspect.streams.size()) continue;
    const auto& mine = suspect.classification.streams[index];
    if (!mine.ssrc) continue;
    for (const auto& theirs : other.classification.streams) {
      const auto at = static_cast<std::size_t>(theirs.id);
      if (theirs.ssrc != mine.ssrc || at >= other.streams.size()) continue;
      const auto &here = suspect.streams[index], &there = other.streams[at];
      const bool same_time = there.start_time < here.end_time && here.start_time < there.end_time;
      if (same_time && there.direction == Direction::sent && there.lost == 0u && here.lost.value_or(0) > 0) return true;
    }
  }
  return false;
}

/// Accuses, or would but for an innocent explanation.
bool is_grave(const Finding& finding) { return weigh(finding) <= Weight::suspects; }

struct Candidate { const Finding* finding; std::size_t observation; };

void weigh(Together& told, std::span<const Analysis* const> observations, const Candidate& candidate) {
  const auto& finding = *candidate.finding;
  told.finding = finding;
  std::vector<Time> times;
  std::set<std::string> networks;
  for (std::size_t i = 0; i < observations.size(); ++i) {
    bool shows = false, spared = false;
    for (const auto& other : observations[i]->findings) {
      if (!is_grave(other) || !is_same(other, finding)) continue;
      shows = true;
      spared = spared || spares_others(other);
      for (const auto time : times_of(*observations[i], other)) times.push_back(time);
    }
    if (!shows) continue;
    told.shown.push_back(i);
    told.beside_spared += spared ? 1 : 0;
    networks.merge(networks_of(*observations[i]));
  }
  told.occasions = occasions_of(std::move(times));
  for (std::size_t i = 0; i < observations.size(); ++i) {
    const auto& other = *observations[i];
    if (std::find(told.shown.begin(), told.shown.end(), i) != told.shown.end()) continue;
    const auto& calls = other.classification.calls;
    const bool called = std::any_of(calls.begin(), calls.end(), [&](const classify::Call& call) { return call.label.application == finding.application; });
    const auto theirs = networks_of(other);
    const bool elsewhere = !theirs.empty() && !networks.empty() && std::none_of(theirs.begin(), theirs.end(), [&](const std::string& one) { return networks.contains(one); });
    const bool clean_elsewhere = called && elsewhere && other.verdict.verdict_class == VerdictClass::clean;
    if (clean_elsewhere || is_spared_tunnel(other, finding) || is_whole_at_the_other_end(*observations[candidate.observation], finding, other)) told.contrasts.push_back(i);
    else if (called && other.verdict.verdict_class != VerdictClass::insufficient) told.not_shown.push_back(i);
  }
}

/// Repeated, spared others each time, and shown in most of the observations that could have shown it.
bool is_repeated(const Together& told) { return told.occasions >= least_occasions && told.shown.size() > told.not_shown.size(); }

}  // namespace

Together judge_together(std::span<const Analysis* const> observations) {
  Together best;
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < observations.size(); ++i)
    for (const auto& finding : observations[i]->findings)
      if (is_grave(finding) && observations[i]->verdict.verdict_class <= VerdictClass::suspected) candidates.push_back({&finding, i});
  const auto rank = [](const Together& told) {
    return std::tuple(told.verdict.verdict_class == VerdictClass::interference, is_repeated(told) && told.beside_spared >= least_occasions, is_repeated(told), told.occasions, told.shown.size(), told.finding->confidence);
  };
  for (const auto& candidate : candidates) {
    Together told;
    weigh(told, observations, candidate);
    told.verdict = observations[candidate.observation]->verdict;
    told.verdict.confidence = candidate.finding->confidence;
    told.verdict.key = (told.verdict.verdict_class == VerdictClass::interference ? "consistent_with_" : "suspected_") + std::string(name_of(accusation_of(candidate.finding->kind)));
    told.verdict.parameters["application"] = std::string(candidate.finding->application);
    if (!best.finding || rank(told) > rank(best)) best = std::move(told);
  }
  if (!best.finding) {
    // Nobody accuses: the gravest of the single verdicts, as it stands.
    for (const auto* observation : observations)
      if (best.verdict.rung == 0 || observation->verdict.verdict_class < best.verdict.verdict_class) best.verdict = observation->verdict;
    return best;
  }
  const bool repeated = is_repeated(best), spared = best.beside_spared >= least_occasions;
  const auto drop = [&](std::string_view help) { std::erase(best.verdict.would_help, std::string(help)); };
  if (spared) best.verdict.rung = std::max(best.verdict.rung, 2);
  if (repeated && best.verdict.rung >= 2) best.verdict.rung = best.contrasts.empty() ? 3 : 4;
  if (repeated) drop("other_hours");
  if (!best.contrasts.empty()) drop("second_network"), drop("vpn_contrast");
  if (repeated && spared && best.verdict.verdict_class == VerdictClass::interference) best.verdict.key = "strong_evidence_of_" + std::string(name_of(accusation_of(best.finding->kind)));
  return best;
}

}  // namespace callwitness::metrics
