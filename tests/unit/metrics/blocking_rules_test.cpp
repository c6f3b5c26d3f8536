// What may be said of others when an application can't be reached: each rule beside its twin that it doesn't hold for.
#include "metrics/verdict/blocking_rules.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <set>
#include <string>

using namespace callwitness::metrics;

namespace {

Finding blocked(Mechanism mechanism, std::map<std::string, double> numbers = {}) {
  Finding finding;
  finding.kind = FindingKind::blocking;
  finding.mechanism = mechanism;
  finding.application = "viber";
  finding.numbers = {{"tries", 6}, {"targets", 3}, {"other_flows_answered", 4}, {"span_s", 90}};
  for (const auto& [name, number] : numbers) finding.numbers[name] = number;
  return finding;
}
void check(const Finding& finding, Weight weight, std::string_view rule = {}) {
  const auto judgement = judge_blocking(finding);
  CHECK(judgement.weight == weight);
  CHECK(judgement.rule == rule);
}

}  // namespace

TEST_CASE("several hosts that fail while others are answered accuse") {
  for (const auto mechanism : {Mechanism::no_reply, Mechanism::tcp_rst, Mechanism::icmp, Mechanism::dns}) check(blocked(mechanism), Weight::accuses);
}

TEST_CASE("what isn't about the application impairs") {
  check(blocked(Mechanism::no_reply, {{"closed_network", 6}}), Weight::impairs, "closed_network");
  check(blocked(Mechanism::no_reply, {{"closed_network", 2}}), Weight::accuses);
  check(blocked(Mechanism::no_reply, {{"closed_network", 3}, {"own_doing", 3}}), Weight::suspects, "closed_network_and_own_filter");
  check(blocked(Mechanism::no_reply, {{"closed_to_udp", 6}}), Weight::suspects, "closed_to_udp");
  check(blocked(Mechanism::no_reply, {{"address_family_unanswered", 6}}), Weight::impairs, "address_family_dead");
  check(blocked(Mechanism::no_reply, {{"source_unanswered", 6}}), Weight::impairs, "source_never_answered");
  check(blocked(Mechanism::tcp_rst, {{"nothing_else_answered", 1}}), Weight::impairs, "nothing_else_answered");
  check(blocked(Mechanism::no_reply, {{"unreachable", 5}}), Weight::impairs, "host_unreachable");
  check(blocked(Mechanism::no_reply, {{"unreachable", 1}}), Weight::accuses);
  auto tunnel = blocked(Mechanism::no_reply);
  tunnel.application = "ipsec";
  check(tunnel, Weight::impairs, "no_call_application");
}

TEST_CASE("one silent host may be switched off, unless it answers something else") {
  check(blocked(Mechanism::no_reply, {{"targets", 1}}), Weight::impairs, "one_silent_host");
  check(blocked(Mechanism::refused, {{"targets", 1}}), Weight::impairs, "one_silent_host");
  check(blocked(Mechanism::no_reply, {{"targets", 1}, {"host_answers_otherwise", 1}}), Weight::suspects, "one_host_in_part");
  check(blocked(Mechanism::refused), Weight::suspects, "refused");
  check(blocked(Mechanism::tcp_rst, {{"targets", 1}}), Weight::suspects, "one_host_resets");
  check(blocked(Mechanism::tcp_rst, {{"targets", 1}, {"by_stranger", 6}}), Weight::accuses);
  check(blocked(Mechanism::icmp, {{"targets", 1}}), Weight::suspects, "one_host_prohibited");
  check(blocked(Mechanism::icmp, {{"targets", 1}, {"by_access", 6}}), Weight::accuses);
  check(blocked(Mechanism::icmp, {{"by_target", 6}, {"targets", 1}}), Weight::impairs, "one_silent_host");
  check(blocked(Mechanism::dns, {{"resolver_silent", 6}}), Weight::impairs, "resolver_silent");
  check(blocked(Mechanism::icmp, {{"by_target", 6}}), Weight::suspects, "own_firewall_of_the_host");
}

TEST_CASE("a filter or a router at home looks like the operator's: suspected") {
  check(blocked(Mechanism::dns, {{"own_doing", 6}}), Weight::suspects, "own_filter_or_router");
  check(blocked(Mechanism::tcp_rst, {{"own_doing", 2}}), Weight::accuses);        // four others can't have been his
  check(blocked(Mechanism::dns, {{"targets", 1}}), Weight::suspects, "one_name_denied");
  check(blocked(Mechanism::dns, {{"targets", 1}, {"two_senders", 6}}), Weight::accuses);
  check(blocked(Mechanism::dns, {{"targets", 1}, {"contradicted", 6}, {"odd_lifetime", 6}}), Weight::accuses);
}

TEST_CASE("media over UDP need UDP that works else, again and at another moment") {
  check(blocked(Mechanism::no_reply, {{"media_only", 1}, {"other_udp_answered", 3}}), Weight::accuses);
  check(blocked(Mechanism::no_reply, {{"media_only", 1}}), Weight::impairs, "no_other_udp");
  check(blocked(Mechanism::no_reply, {{"media_only", 1}, {"other_udp_answered", 3}, {"span_s", 5}}), Weight::suspects, "one_moment");
  auto unnamed = blocked(Mechanism::no_reply, {{"media_only", 1}, {"other_udp_answered", 3}});
  unnamed.application = "webrtc";
  check(unnamed, Weight::suspects, "unnamed");
  unnamed.numbers["went_on_over_tcp"] = 1;
  check(unnamed, Weight::accuses);
}

TEST_CASE("every rule has a name of its own and lowers") {
  std::set<std::string_view> names;
  for (const auto& rule : blocking_rules()) {
    CHECK(names.insert(rule.name).second);
    CHECK(rule.most != Weight::accuses);
  }
}
