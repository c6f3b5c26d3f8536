// D10: an application that can't be reached, by the stage at which it fails. docs/methods/blocking.md
#include "metrics/contrast.hpp"
#include "metrics/finding_support.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace callwitness::metrics {
namespace {

constexpr std::uint32_t least_tries = 3;
constexpr std::size_t least_other_flows = 2;   ///< flows of others that were answered: the line works

using classify::Attempt;

std::string_view mechanism_of(const Attempt& attempt) {
  using enum Attempt::Outcome;
  if (attempt.stage == Attempt::Stage::dns) return "dns";
  switch (attempt.outcome) {
    case reset: return "tcp_rst";
    case refused: return "refused";
    case prohibited: return "icmp";
    case nxdomain: case forged: return "dns";
    default: return "no_reply";
  }
}

/// 0.95 and more accuses.
double confidence_of(std::string_view mechanism, std::size_t targets, bool unnamed) {
  // The host itself says that nobody listens there: a closed port, as far as one end can tell.
  if (mechanism == "refused" || unnamed) return 0.85;
  if (mechanism == "tcp_rst" || mechanism == "icmp") return 0.99;
  return targets > 1 ? 0.97 : 0.9;
}

struct Tally {
  std::uint32_t failed = 0, answered = 0;
  std::map<std::string_view, std::uint32_t> by_mechanism;
  std::set<std::string> targets;
  Finding finding;
};

}  // namespace

std::vector<Finding> blocking(const DetectorInput& input) {
  const auto& observation = input.observation;
  const auto& classification = *observation.classification;
  std::map<std::string_view, Tally> tallies;
  for (const auto& attempt : classification.attempts) {
    if (attempt.application.empty()) continue;
    auto& tally = tallies[attempt.application];
    if (attempt.outcome == Attempt::Outcome::answered) {
      // A name that resolved, or a connection that opened, is no success if what follows it fails.
      if (attempt.stage != Attempt::Stage::dns && attempt.stage != Attempt::Stage::tcp) tally.answered += attempt.tries;
      continue;
    }
    if (attempt.by_service) {  // a wrong password or codec: whoever says so was reached
      tally.answered += attempt.tries;
      continue;
    }
    auto& finding = tally.finding;
    if (tally.failed == 0) finding.start_time = finding.end_time = attempt.first_time;
    tally.failed += attempt.tries;
    tally.by_mechanism[mechanism_of(attempt)] += attempt.tries;
    tally.targets.insert(std::string(attempt.target.raw()));
    finding.start_time = std::min(finding.start_time, attempt.first_time);
    finding.end_time = std::max(finding.end_time, attempt.last_time);
    finding.packets.insert(finding.packets.end(), attempt.ordinals.begin(), attempt.ordinals.end());
    finding.flows.insert(finding.flows.end(), attempt.flows.begin(), attempt.flows.end());
  }
  std::vector<Finding> findings;
  for (auto& [application, tally] : tallies) {
    if (tally.failed < least_tries || tally.answered > 0) continue;
    // An application that held a call in this capture isn't blocked; whatever fails then is a fault or a cut.
    // Unnamed ones may belong to any call: of the ways that ICE tries, most fail where one succeeds.
    const bool unnamed = application == "webrtc" || application == "rtp";
    const bool held = std::any_of(classification.calls.begin(), classification.calls.end(), [&, name = application](const classify::Call& call) {
      return (unnamed || call.label.application == name) && call.end_time - call.start_time > std::chrono::seconds(10);
    });
    if (held) continue;
    std::size_t answered_flows = 0;
    for (const auto& flow : classification.flows) {
      if (flow.label.application == application || flow.backward.packets < 2) continue;
      if (flow.last_time >= tally.finding.start_time - std::chrono::seconds(30) && flow.first_time <= tally.finding.end_time + std::chrono::seconds(30)) ++answered_flows;
    }
    if (answered_flows < least_other_flows) continue;
    Finding finding = std::move(tally.finding);
    finding.kind = "blocking";
    finding.application = application;
    finding.direction = Direction::sent;
    const auto most = std::max_element(tally.by_mechanism.begin(), tally.by_mechanism.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    finding.mechanism = most->first;
    finding.count = tally.failed;
    finding.confidence = confidence_of(finding.mechanism, tally.targets.size(), unnamed);
    finding.numbers = {{"tries", static_cast<double>(tally.failed)}, {"targets", static_cast<double>(tally.targets.size())},
                       {"other_flows_answered", static_cast<double>(answered_flows)}};
    using enum AlternativeStatus;
    finding.alternatives = {{"application_server", not_ruled_out, "server_may_be_down", {}},
                            {"wifi", ruled_out, "others_stayed_alive", {}}, {"congestion", ruled_out, "others_stayed_alive", {}}};
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace callwitness::metrics
