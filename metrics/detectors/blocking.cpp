// D10: an application that can't be reached, by the stage at which it fails. What that says of anybody: verdict/blocking_rules.
// docs/methods/blocking.md
#include "metrics/contrast.hpp"
#include "metrics/finding_support.hpp"
#include "metrics/host_traffic.hpp"
#include "metrics/starts.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace callwitness::metrics {
namespace {

constexpr std::uint32_t least_tries = 3;       ///< or packets that asked: one lost packet is no failure
constexpr auto near_in_time = std::chrono::seconds(30);
constexpr std::uint64_t lives = 3;             ///< packets each way by which a target is known to answer otherwise
constexpr double media_rate = 12'000, media_seconds = 10;   ///< bit/s each way: less is no voice
constexpr double by_its_looks = 0.85, one_target = 0.9, several_targets = 0.97, told_so = 0.99;

using enum AlternativeStatus;
using Stage = Attempt::Stage;
using Step = Attempt::Step;

Mechanism mechanism_of(const Attempt& attempt) {
  using enum Attempt::Outcome;
  if (attempt.stage == Stage::dns) return Mechanism::dns;
  switch (attempt.outcome) {
    case reset: return Mechanism::tcp_rst;
    case refused: return Mechanism::refused;
    case prohibited: return Mechanism::icmp;
    case nxdomain: case forged: return Mechanism::dns;
    default: return Mechanism::no_reply;
  }
}

std::string_view number_of(Step step) {
  switch (step) {
    case Step::look_up: return "tries_look_up";
    case Step::connection: return "tries_connection";
    case Step::client_hello: return "tries_client_hello";
    case Step::message: return "tries_message";
    case Step::stun_request: return "tries_stun_request";
    case Step::allocation: return "tries_allocation";
    case Step::stun_check: return "tries_stun_check";
    case Step::dtls_hello: return "tries_dtls_hello";
    case Step::request: return "tries_request";
    default: return "tries_datagrams";
  }
}

std::uint16_t port_of(const Attempt& attempt) {
  const std::string_view target = attempt.target.raw();
  std::uint32_t port = 0;
  for (const char c : target.substr(std::min(target.size(), target.rfind(':') + 1)).substr(0, 5))
    if (c >= '0' && c <= '9') port = port * 10 + static_cast<std::uint32_t>(c - '0');
  return static_cast<std::uint16_t>(std::min(port, 0xffffu));
}

bool is_over_tcp(const Attempt& attempt) { return attempt.stage == Stage::tcp || (attempt.stage == Stage::tls && attempt.step != Step::dtls_hello) || attempt.step == Step::message; }

/// A closed network explains silence and refusals at a port of its own, but no made-up name and nothing at the web's port.
bool may_be_closed(const Attempt& attempt) {
  return attempt.stage != Stage::dns && !is_customary_port(is_over_tcp(attempt) ? capture::protocol::tcp : capture::protocol::udp, port_of(attempt));
}

struct Share { const Attempt* attempt; UnansweredStart start; };

/// Tries of one application from one host.
struct Group {
  std::string_view application;
  std::set<capture::IpAddress> hosts;
  std::vector<Share> counted, family, source;    ///< the latter two: whose source address is answered nowhere
};

/// One host has at most one address of each family here; where there are more, each is a host of its own.
std::vector<Group> groups_of(const classify::Classification& classification) {
  const auto& attempts = classification.attempts;
  const AnsweredAddresses answered(classification);
  std::map<std::string_view, std::map<capture::IpAddress, std::vector<Share>>> by_application;
  for (const auto& start : unanswered_starts(classification))
    by_application[attempts[start.attempt].application][attempts[start.attempt].source].push_back({&attempts[start.attempt], start});
  std::vector<Group> groups;
  for (auto& [application, by_host] : by_application) {
    std::size_t families[2] = {0, 0};
    for (const auto& [host, shares] : by_host) families[host.version == 6 ? 1 : 0] += answered.contains(host) ? 1 : 0;
    const bool one_host = families[0] <= 1 && families[1] <= 1;
    for (auto& [host, shares] : by_host) {
      if (groups.empty() || groups.back().application != application || !one_host) groups.push_back({application, {}, {}, {}, {}});
      Group& group = groups.back();
      const bool counts = answered.contains(host) || (!answered.has_family(4) && !answered.has_family(6));
      auto& into = counts ? group.counted : !answered.has_family(host.version) ? group.family : group.source;
      into.insert(into.end(), shares.begin(), shares.end());
      if (counts) group.hosts.insert(host);
    }
  }
  return groups;
}

struct Failures {
  std::uint32_t tries = 0, asked = 0, own_doing = 0, may_be_closed = 0;
  std::map<Mechanism, std::uint32_t> by_mechanism;
  std::map<std::string_view, double> numbers;
  std::set<std::string_view> targets, own_targets;
  std::set<FlowId> flows;
  bool all_media = true, worked_at_other_times = true, over_tcp = false;
  Finding finding;

  void add(const Share& share) {
    const Attempt& attempt = *share.attempt;
    const std::uint32_t some = share.start.tries;
    if (tries == 0) finding.start_time = share.start.first_time, finding.end_time = attempt.last_time;
    tries += some;
    asked += std::max(some, static_cast<std::uint32_t>(std::uint64_t{attempt.asked} * some / std::max(1u, attempt.tries)));
    by_mechanism[mechanism_of(attempt)] += some;
    numbers[number_of(attempt.step)] += some;
    const auto count = [&](std::string_view name, std::uint32_t of) { if (of > 0) numbers[name] += std::min(of, some); };
    count("as_filters_do", attempt.look_up.as_filters_do);
    count("by_own_resolver", attempt.look_up.by_own_resolver);
    count("contradicted", attempt.look_up.contradicted);
    count("resolver_silent", attempt.look_up.resolver_silent);
    count("two_senders", attempt.look_up.two_senders);
    count("odd_lifetime", attempt.look_up.odd_lifetime);
    count("from_nearby", attempt.from_nearby);
    count("by_target", attempt.by_target);
    count("by_stranger", attempt.by_stranger);
    if (attempt.from_nearby == 0) count("by_access", attempt.by_access);
    count("unreachable", attempt.unreachable);
    const std::uint32_t own = std::min(some, attempt.look_up.as_filters_do + attempt.look_up.by_own_resolver + attempt.from_nearby);
    own_doing += own;
    if (metrics::may_be_closed(attempt)) may_be_closed += some;
    (own < some ? targets : own_targets).insert(target_host(attempt));
    all_media = all_media && attempt.is_media;
    worked_at_other_times = worked_at_other_times && share.start.worked_at_other_times;
    over_tcp = over_tcp || is_over_tcp(attempt);
    finding.start_time = std::min(finding.start_time, share.start.first_time);
    finding.end_time = std::max(finding.end_time, attempt.last_time);
    finding.packets.insert(finding.packets.end(), attempt.ordinals.begin(), attempt.ordinals.end());
    flows.insert(attempt.flows.begin(), attempt.flows.end());
  }
  /// Too few tries failed in a way that only others than the user can have brought about.
  bool may_be_own() const { return own_doing > 0 && tries - own_doing < least_tries; }
  Mechanism mechanism() const {
    return std::max_element(by_mechanism.begin(), by_mechanism.end(), [](const auto& a, const auto& b) { return a.second < b.second; })->first;
  }
};

/// Sign-ins of the application that were answered, and what it did over TCP instead of UDP.
void add_rest_of_application(const classify::Classification& classification, std::string_view application, Failures& failures) {
  for (const auto& attempt : classification.attempts)
    if (attempt.application == application && attempt.outcome == Attempt::Outcome::answered && !attempt.is_media && attempt.stage != Stage::dns && attempt.stage != Stage::tcp)
      failures.numbers["sign_ins_answered"] += attempt.tries;
  if (!failures.all_media) return;
  for (const auto& flow : classification.flows) {
    if (flow.five_tuple.protocol != capture::protocol::tcp || flow.label.application != application || flow.last_time < failures.finding.start_time) continue;
    const double lasted = capture::seconds(flow.last_time - flow.first_time);
    const auto least = static_cast<double>(std::min(flow.forward.ip_bytes, flow.backward.ip_bytes));
    if (lasted >= media_seconds && 8 * least >= media_rate * lasted) ++failures.numbers["went_on_over_tcp"];
  }
}

/// Whether the hosts that are silent here answer something else: then they are not down.
bool answers_otherwise(const classify::Classification& classification, const Failures& failures) {
  if (failures.numbers.contains("tries_dtls_hello") && failures.numbers.at("tries_dtls_hello") >= failures.tries) return true;
  if (failures.targets.size() != 1) return false;
  const auto address = capture::IpAddress::parse(*failures.targets.begin());
  if (!address) return false;
  return std::any_of(classification.flows.begin(), classification.flows.end(), [&](const classify::Flow& flow) {
    const auto& tuple = flow.five_tuple;
    return (tuple.destination.address == *address || tuple.source.address == *address) && std::min(flow.forward.packets, flow.backward.packets) >= lives && !failures.flows.contains(flow.id);
  });
}

void add_alternatives(Finding& finding, const Failures& failures, const HostTraffic& traffic) {
  const auto has = [&](const char* name) { return finding.numbers.contains(name); };
  const bool line_works = traffic.line_works();
  finding.alternatives = {{"application_server", has("went_on_over_tcp") ? ruled_out : not_ruled_out, has("went_on_over_tcp") ? "went_on_over_tcp" : "server_may_be_down", {}},
                          {"wifi", line_works ? ruled_out : untestable, line_works ? "others_stayed_alive" : "no_control_traffic", {}},
                          {"congestion", line_works ? ruled_out : untestable, line_works ? "others_stayed_alive" : "no_control_traffic", {}}};
  if (has("address_family_unanswered")) finding.alternatives.push_back({"address_family", not_ruled_out, "family_never_answered", {}});
  if (has("source_unanswered")) finding.alternatives.push_back({"source_address", not_ruled_out, "source_never_answered", {}});
  if (has("closed_network") || has("closed_to_udp")) finding.alternatives.push_back({"closed_network", not_ruled_out, "only_names_and_web_answered", {}});
  else if (failures.may_be_closed > 0) finding.alternatives.push_back({"closed_network", ruled_out, "other_ports_were_answered", {}});
  if (has("from_nearby")) finding.alternatives.push_back({"own_router", not_ruled_out, "sent_from_nearby", {}});
  else if (finding.mechanism == Mechanism::no_reply) finding.alternatives.push_back({"own_router", untestable, "silence_has_no_sender", {}});
  if (failures.all_media) {
    const bool udp_works = traffic.others_udp >= 2;
    finding.alternatives.push_back({"own_firewall", udp_works ? ruled_out : not_ruled_out, udp_works ? "other_udp_was_answered" : "no_other_udp", {}});
  }
  if (finding.mechanism != Mechanism::dns) return;
  if (has("contradicted") && finding.numbers.at("contradicted") >= least_tries) finding.alternatives.push_back({"own_filter", ruled_out, "another_answer_came", {}});
  else finding.alternatives.push_back({"own_filter", not_ruled_out, has("as_filters_do") ? "filters_answer_so" : has("by_own_resolver") ? "resolver_may_be_own" : "resolver_may_filter", {}});
}

/// How sure it is that the application can't be reached in this way, whosever doing that is.
double confidence_of(const Finding& finding, const Failures& failures) {
  if (finding.mechanism == Mechanism::refused || is_unnamed(finding.application) || failures.may_be_own() || failures.tries - failures.may_be_closed < (finding.numbers.contains("closed_network") ? least_tries : 0) || failures.tries < least_tries) return by_its_looks;
  if (finding.mechanism == Mechanism::tcp_rst || finding.mechanism == Mechanism::icmp) return told_so;
  // A resolver answers a question once, from one store: another's answer came between, and what it holds is made up.
  const bool made_up = finding.number("two_senders") >= least_tries || (finding.number("contradicted") >= least_tries && finding.number("odd_lifetime") >= least_tries);
  return failures.targets.size() > 1 || made_up || finding.number("host_answers_otherwise") > 0 ? several_targets : one_target;
}

Scope scope_of(const Finding& finding, const HostTraffic& traffic) {
  if (finding.numbers.contains("closed_network")) return {ScopeClass::host, "only_names_and_web_answered"};
  if (!traffic.line_works()) return {ScopeClass::unknown, "no_control_traffic"};
  return {ScopeClass::application, "others_stayed_alive"};
}

/// Against the best innocent rival. What names its sender, or two answers where one is due, leaves hardly any; of silence each further
/// host must be down by itself.
Strength strength_of(const Finding& finding, const Failures& failures) {
  constexpr double validated = 3, of_each_host = 1, of_a_denial = 1, of_a_closed_port = 0.3;   // log10; so many innocents bound it
  // What explains it without the application leaves it no strength.
  if (finding.numbers.contains("address_family_unanswered")) return {0, "address_family"};
  if (finding.numbers.contains("source_unanswered")) return {0, "source_address"};
  if (finding.numbers.contains("closed_network") && failures.tries - failures.may_be_closed < least_tries) return {0, "closed_network"};
  const auto rival = failures.may_be_own() ? std::string_view("own_router") : finding.mechanism == Mechanism::dns ? "own_filter" : "application_server";
  if (failures.may_be_own()) return {of_a_closed_port, rival};
  const auto hosts = static_cast<double>(failures.targets.size());
  if (finding.mechanism == Mechanism::refused) return {of_a_closed_port * hosts, rival};
  if (finding.number("two_senders") >= least_tries || finding.number("by_stranger") >= least_tries || finding.number("by_access") >= least_tries) return {validated, rival};
  const double each = finding.mechanism == Mechanism::dns ? of_a_denial : of_each_host;
  return {std::min(validated, each * (hosts + (finding.mechanism == Mechanism::tcp_rst || finding.mechanism == Mechanism::icmp ? 1 : 0))), rival};
}

std::optional<Finding> finding_of(const Group& group, const classify::Classification& classification) {
  Failures failures;
  const bool nothing_counts = group.counted.empty();
  for (const auto* shares : {&group.counted, &group.family, &group.source})
    if (shares == &group.counted || nothing_counts)
      for (const auto& share : *shares) failures.add(share);
  // A reset or a message says what happened; of silence one or two lost packets are no evidence.
  const bool told = failures.mechanism() != Mechanism::no_reply && failures.mechanism() != Mechanism::dns;
  if (!told && failures.tries < least_tries && failures.asked < least_tries) return std::nullopt;
  add_rest_of_application(classification, group.application, failures);
  const auto traffic = traffic_of(classification, group.hosts, group.application, failures.finding.start_time - near_in_time, failures.finding.end_time + near_in_time);
  Finding finding = std::move(failures.finding);
  finding.kind = FindingKind::blocking;
  finding.application = group.application;
  finding.direction = Direction::sent;
  finding.mechanism = failures.mechanism();
  finding.count = failures.tries;
  finding.flows.assign(failures.flows.begin(), failures.flows.end());
  for (const auto& [name, number] : failures.numbers) finding.numbers.emplace(std::string(name), number);
  finding.numbers["tries"] = failures.tries;
  finding.numbers["asked"] = failures.asked;
  finding.numbers["targets"] = static_cast<double>(failures.targets.size());
  finding.numbers["span_s"] = capture::seconds(finding.end_time - finding.start_time);
  finding.numbers["other_flows_answered"] = static_cast<double>(traffic.others);
  finding.numbers["other_packets_answered"] = static_cast<double>(traffic.others_packets);
  if (!traffic.line_works()) finding.numbers["nothing_else_answered"] = 1;
  if (failures.all_media) finding.numbers["other_udp_answered"] = static_cast<double>(traffic.others_udp);
  const auto sum = [](const std::vector<Share>& shares) { double all = 0; for (const auto& share : shares) all += share.start.tries; return all; };
  if (nothing_counts && !group.family.empty()) finding.numbers["address_family_unanswered"] = sum(group.family);
  if (nothing_counts && !group.source.empty()) finding.numbers["source_unanswered"] = sum(group.source);
  // UDP that is answered at an unusual port shows an open network; what is answered over TCP says little of UDP.
  const std::size_t unusual = traffic.unusual_udp + traffic.unusual_tcp;
  finding.numbers["unusual_ports_answered"] = static_cast<double>(unusual);
  if (unusual == 0 && failures.may_be_closed > 0) finding.numbers["closed_network"] = failures.may_be_closed;
  else if (traffic.unusual_udp == 0 && !failures.over_tcp && failures.may_be_closed > 0) finding.numbers["closed_to_udp"] = failures.may_be_closed;
  if (failures.own_doing > 0) finding.numbers["own_doing"] = failures.own_doing;
  if (failures.worked_at_other_times) finding.numbers["worked_at_other_times"] = 1;
  if (failures.all_media) finding.numbers["media_only"] = 1;
  if (answers_otherwise(classification, failures)) finding.numbers["host_answers_otherwise"] = 1;
  add_alternatives(finding, failures, traffic);
  finding.confidence = confidence_of(finding, failures);
  finding.scope = scope_of(finding, traffic);
  finding.strength = strength_of(finding, failures);
  return finding;
}

}  // namespace

std::vector<Finding> blocking(const DetectorInput& input) {
  const auto& classification = *input.observation.classification;
  std::vector<Finding> findings;
  for (const auto& group : groups_of(classification))
    if (auto finding = finding_of(group, classification)) findings.push_back(std::move(*finding));
  return findings;
}

}  // namespace callwitness::metrics
