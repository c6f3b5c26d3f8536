#include "metrics/verdict/blocking_rules.hpp"

#include "metrics/starts.hpp"

namespace callwitness::metrics {
namespace {

constexpr double least_tries = 3, least_other_udp = 2, least_targets = 2, tried_again_after_s = 30;

double number(const Finding& finding, const char* name) { return finding.number(name); }
/// Too few of the tries failed in a way that nobody at home can have brought about.
bool only(const Finding& finding, double explained) { return explained > 0 && number(finding, "tries") - explained < least_tries; }
/// As a host that is switched off, or its own firewall, leaves it.
bool by_the_host(const Finding& finding) {
  return finding.mechanism == Mechanism::no_reply || finding.mechanism == Mechanism::refused || only(finding, number(finding, "by_target"));
}
/// The host answered, up to the greeting that names the service or begins its encryption.
bool answered_below(const Finding& finding) { return number(finding, "tries_client_hello") + number(finding, "tries_dtls_hello") >= 2; }
/// A resolver answers a question once, from one store: somebody between answered, too, and made up what he said.
bool made_up(const Finding& finding) {
  return number(finding, "two_senders") >= least_tries || (number(finding, "contradicted") >= least_tries && number(finding, "odd_lifetime") >= least_tries);
}

// First what explains the failures by something that isn't about the application at all; then what one end can't tell apart.
constexpr BlockingRule rules[] = {
    {"no_call_application", Weight::impairs, [](const Finding& f) { return !makes_calls(f.application); }},
    {"address_family_dead", Weight::impairs, [](const Finding& f) { return number(f, "address_family_unanswered") > 0; }},
    {"source_never_answered", Weight::impairs, [](const Finding& f) { return number(f, "source_unanswered") > 0; }},
    {"closed_network", Weight::impairs, [](const Finding& f) { return only(f, number(f, "closed_network")); }},
    {"nothing_else_answered", Weight::impairs, [](const Finding& f) { return number(f, "nothing_else_answered") > 0; }},
    {"too_few_tries", Weight::impairs, [](const Finding& f) { return number(f, "tries") < least_tries && !answered_below(f); }},
    {"no_other_udp", Weight::impairs, [](const Finding& f) { return f.mechanism == Mechanism::no_reply && number(f, "media_only") > 0 && number(f, "other_udp_answered") < 1 && !answered_below(f); }},
    // A dead server, a closed port, a moved service: one host that answers nothing at all.
    {"one_silent_host", Weight::impairs, [](const Finding& f) {
       return by_the_host(f) && number(f, "targets") < least_targets && number(f, "own_doing") == 0 && number(f, "host_answers_otherwise") == 0 && number(f, "went_on_over_tcp") == 0 && !answered_below(f);
     }},
    {"resolver_silent", Weight::impairs, [](const Finding& f) { return only(f, number(f, "resolver_silent")); }},
    {"host_unreachable", Weight::impairs, [](const Finding& f) { return f.mechanism == Mechanism::no_reply && only(f, number(f, "unreachable")); }},
    {"own_firewall_of_the_host", Weight::suspects, [](const Finding& f) { return only(f, number(f, "by_target")); }},
    {"closed_to_udp", Weight::suspects, [](const Finding& f) { return only(f, number(f, "closed_to_udp")); }},
    {"closed_network_and_own_filter", Weight::suspects, [](const Finding& f) { return number(f, "closed_network") > 0 && only(f, number(f, "closed_network") + number(f, "own_doing")); }},
    {"refused", Weight::suspects, [](const Finding& f) { return f.mechanism == Mechanism::refused; }},
    {"unnamed", Weight::suspects, [](const Finding& f) { return is_unnamed(f.application) && number(f, "went_on_over_tcp") == 0; }},
    {"own_filter_or_router", Weight::suspects, [](const Finding& f) { return only(f, number(f, "own_doing")); }},
    {"one_name_denied", Weight::suspects, [](const Finding& f) {
       return f.mechanism == Mechanism::dns && number(f, "targets") < least_targets && !made_up(f);
     }},
    {"one_host_resets", Weight::suspects, [](const Finding& f) { return f.mechanism == Mechanism::tcp_rst && number(f, "targets") < least_targets && number(f, "by_stranger") < least_tries; }},
    {"one_host_prohibited", Weight::suspects, [](const Finding& f) { return f.mechanism == Mechanism::icmp && number(f, "targets") < least_targets && number(f, "by_access") < least_tries; }},
    {"one_host_in_part", Weight::suspects, [](const Finding& f) { return by_the_host(f) && number(f, "targets") < least_targets; }},
    {"one_moment", Weight::suspects, [](const Finding& f) { return f.mechanism == Mechanism::no_reply && number(f, "media_only") > 0 && number(f, "span_s") < tried_again_after_s; }},
    {"hardly_other_udp", Weight::suspects, [](const Finding& f) { return f.mechanism == Mechanism::no_reply && number(f, "media_only") > 0 && number(f, "other_udp_answered") < least_other_udp; }},
    {"worked_at_other_times", Weight::suspects, [](const Finding& f) { return number(f, "worked_at_other_times") > 0; }},
};

}  // namespace

std::span<const BlockingRule> blocking_rules() { return rules; }

BlockingJudgement judge_blocking(const Finding& finding) {
  BlockingJudgement judgement;
  for (const auto& rule : rules)
    if (rule.most > judgement.weight && rule.holds(finding)) judgement = {rule.most, rule.name};
  return judgement;
}

}  // namespace callwitness::metrics
