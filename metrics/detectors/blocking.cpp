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
constexpr auto near_in_time = std::chrono::seconds(30);
constexpr auto tried_again_after = std::chrono::seconds(30);
constexpr auto least_held = std::chrono::seconds(10);
constexpr double by_its_looks = 0.85, one_target = 0.9, several_targets = 0.97, told_so = 0.99;   ///< 0.95 and more accuses

using classify::Attempt;
using enum AlternativeStatus;

Mechanism mechanism_of(const Attempt& attempt) {
  using enum Attempt::Outcome;
  if (attempt.stage == Attempt::Stage::dns) return Mechanism::dns;
  switch (attempt.outcome) {
    case reset: return Mechanism::tcp_rst;
    case refused: return Mechanism::refused;
    case prohibited: return Mechanism::icmp;
    case nxdomain: case forged: return Mechanism::dns;
    default: return Mechanism::no_reply;
  }
}

/// What the user's own filter or router may have done.
std::uint32_t own_doing(const Attempt& attempt) {
  return std::min(attempt.tries, attempt.look_up.as_filters_do + attempt.look_up.by_own_resolver + attempt.from_nearby);
}

struct Failures {
  std::uint32_t tries = 0, own_doing = 0, from_nearby = 0;
  std::map<Mechanism, std::uint32_t> by_mechanism;
  std::set<std::string> targets;
  Attempt::LookUp look_up;
  Finding finding;

  void add(const Attempt& attempt) {
    if (tries == 0) finding.start_time = finding.end_time = attempt.first_time;
    tries += attempt.tries;
    by_mechanism[mechanism_of(attempt)] += attempt.tries;
    look_up.as_filters_do += attempt.look_up.as_filters_do;
    look_up.by_own_resolver += attempt.look_up.by_own_resolver;
    own_doing += metrics::own_doing(attempt);
    from_nearby += attempt.from_nearby;
    look_up.contradicted += attempt.look_up.contradicted;
    look_up.odd_lifetime += attempt.look_up.odd_lifetime;
    if (metrics::own_doing(attempt) < attempt.tries) targets.insert(std::string(attempt.target.raw()));
    finding.start_time = std::min(finding.start_time, attempt.first_time);
    finding.end_time = std::max(finding.end_time, attempt.last_time);
    finding.packets.insert(finding.packets.end(), attempt.ordinals.begin(), attempt.ordinals.end());
    finding.flows.insert(finding.flows.end(), attempt.flows.begin(), attempt.flows.end());
  }
  /// Too few tries failed in a way that only others than the user can have brought about.
  bool may_be_own() const { return own_doing > 0 && tries - own_doing < least_tries; }
  Mechanism mechanism() const {
    return std::max_element(by_mechanism.begin(), by_mechanism.end(), [](const auto& a, const auto& b) { return a.second < b.second; })->first;
  }
};

struct Tally {
  Failures all, media;                         ///< media: UDP that nobody answered
  std::uint32_t answered = 0, media_answered = 0;
};

struct Others {
  std::size_t answered = 0, udp = 0;           ///< flows of others; of those over UDP, look-ups and clocks aside
};

Others others_of(const classify::Classification& classification, std::string_view application, const Finding& finding) {
  constexpr std::uint16_t of_the_network[] = {53, 67, 123, 137, 1900, 5353, 5355};
  Others others;
  for (const auto& flow : classification.flows) {
    if (flow.label.application == application || flow.backward.packets < 2) continue;
    if (flow.last_time < finding.start_time - near_in_time || flow.first_time > finding.end_time + near_in_time) continue;
    ++others.answered;
    const auto port = flow.five_tuple.destination.port;
    if (flow.five_tuple.protocol == capture::protocol::udp && std::find(std::begin(of_the_network), std::end(of_the_network), port) == std::end(of_the_network)) ++others.udp;
  }
  return others;
}

double confidence_of(Mechanism mechanism, const Failures& failures, bool unnamed) {
  // The host itself says that nobody listens there: a closed port, as far as one end can tell.
  if (mechanism == Mechanism::refused || unnamed || failures.may_be_own()) return by_its_looks;
  if (mechanism == Mechanism::tcp_rst || mechanism == Mechanism::icmp) return told_so;
  // A resolver answers a question once, from one store: another's answer came between, and what it holds is made up.
  const bool made_up = failures.look_up.contradicted >= least_tries && failures.look_up.odd_lifetime >= least_tries;
  return failures.targets.size() > 1 || made_up ? several_targets : one_target;
}

Finding finding_of(Failures&& failures, std::string_view application, const Others& others) {
  Finding finding = std::move(failures.finding);
  finding.kind = FindingKind::blocking;
  finding.application = application;
  finding.direction = Direction::sent;
  finding.mechanism = failures.mechanism();
  finding.count = failures.tries;
  finding.numbers = {{"tries", static_cast<double>(failures.tries)}, {"targets", static_cast<double>(failures.targets.size())},
                     {"other_flows_answered", static_cast<double>(others.answered)}};
  finding.alternatives = {{"application_server", not_ruled_out, "server_may_be_down", {}},
                          {"wifi", ruled_out, "others_stayed_alive", {}}, {"congestion", ruled_out, "others_stayed_alive", {}}};
  if (failures.from_nearby > 0) {
    finding.numbers["from_nearby"] = failures.from_nearby;
    finding.alternatives.push_back({"own_router", not_ruled_out, "sent_from_nearby", {}});
  } else if (finding.mechanism == Mechanism::no_reply) {
    finding.alternatives.push_back({"own_router", untestable, "silence_has_no_sender", {}});
  }
  if (finding.mechanism != Mechanism::dns) return finding;
  const auto& look_up = failures.look_up;
  if (look_up.as_filters_do > 0) finding.numbers["as_filters_do"] = look_up.as_filters_do;
  if (look_up.by_own_resolver > 0) finding.numbers["by_own_resolver"] = look_up.by_own_resolver;
  if (look_up.contradicted > 0) finding.numbers["contradicted"] = look_up.contradicted;
  if (look_up.odd_lifetime > 0) finding.numbers["odd_lifetime"] = look_up.odd_lifetime;
  if (look_up.contradicted >= least_tries) finding.alternatives.push_back({"own_filter", ruled_out, "another_answer_came", {}});
  else finding.alternatives.push_back({"own_filter", not_ruled_out, look_up.as_filters_do > 0 ? "filters_answer_so" : look_up.by_own_resolver > 0 ? "resolver_may_be_own" : "resolver_may_filter", {}});
  return finding;
}

/// Signing in works, and no media get through: an application is blocked where it matters.
std::optional<Finding> media_blocked(Tally& tally, std::string_view application, const classify::Classification& classification) {
  if (tally.media.tries < least_tries || tally.media_answered > 0) return std::nullopt;
  const Others others = others_of(classification, application, tally.media.finding);
  if (others.answered < least_other_flows) return std::nullopt;
  const std::size_t targets = tally.media.targets.size();
  const bool may_be_own = tally.media.may_be_own();
  Finding finding = finding_of(std::move(tally.media), application, others);
  const bool again = finding.end_time - finding.start_time >= tried_again_after, udp_works = others.udp >= least_other_flows;
  if (finding.mechanism == Mechanism::refused || !udp_works || may_be_own) finding.confidence = by_its_looks;
  else finding.confidence = again && targets > 1 ? several_targets : one_target;
  finding.numbers["sign_ins_answered"] = tally.answered;
  finding.numbers["other_udp_answered"] = static_cast<double>(others.udp);
  finding.alternatives.push_back({"own_firewall", udp_works ? ruled_out : not_ruled_out, udp_works ? "other_udp_was_answered" : "no_other_udp", {}});
  return finding;
}

}  // namespace

std::vector<Finding> blocking(const DetectorInput& input) {
  const auto& classification = *input.observation.classification;
  std::map<std::string_view, Tally> tallies;
  for (const auto& attempt : classification.attempts) {
    if (attempt.application.empty()) continue;
    auto& tally = tallies[attempt.application];
    if (attempt.outcome == Attempt::Outcome::answered) {
      // A name that resolved, or a connection that opened, is no success if what follows it fails.
      if (attempt.stage != Attempt::Stage::dns && attempt.stage != Attempt::Stage::tcp) tally.answered += attempt.tries;
      if (attempt.is_media) tally.media_answered += attempt.tries;
      continue;
    }
    if (attempt.by_service) {  // a wrong password or codec: whoever says so was reached
      tally.answered += attempt.tries;
      continue;
    }
    tally.all.add(attempt);
    if (attempt.is_media) tally.media.add(attempt);
  }
  std::vector<Finding> findings;
  for (auto& [application, tally] : tallies) {
    // An application that held a call in this capture isn't blocked; whatever fails then is a fault or a cut.
    // Unnamed ones may belong to any call: of the ways that ICE tries, most fail where one succeeds.
    const bool unnamed = application == "webrtc" || application == "rtp";
    const bool held = std::any_of(classification.calls.begin(), classification.calls.end(), [&, name = application](const classify::Call& call) {
      return (unnamed || call.label.application == name) && call.end_time - call.start_time > least_held;
    });
    if (held) continue;
    if (tally.answered > 0) {
      if (unnamed) continue;
      if (auto finding = media_blocked(tally, application, classification)) findings.push_back(std::move(*finding));
      continue;
    }
    if (tally.all.tries < least_tries) continue;
    const Others others = others_of(classification, application, tally.all.finding);
    if (others.answered < least_other_flows) continue;
    const double confidence = confidence_of(tally.all.mechanism(), tally.all, unnamed);
    findings.push_back(finding_of(std::move(tally.all), application, others));
    findings.back().confidence = confidence;
  }
  return findings;
}

}  // namespace callwitness::metrics
