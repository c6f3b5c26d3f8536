#include "metrics/verdict/weight.hpp"

#include "metrics/events/event_weight.hpp"
#include "metrics/verdict/blocking_rules.hpp"
#include "metrics/verdict_thresholds.hpp"

#include <algorithm>

namespace callwitness::metrics {
namespace {

/// Innocent explanations that make an accusation a suspicion while they are open. Those that one end can never exclude (the other
/// end's network, the application's server) aren't among them: every report names them.
constexpr std::string_view weakening[] = {"own_adaptation", "application_limit", "own_filter", "own_router", "own_firewall", "recording"};

bool is_weakened(const Finding& finding) {
  return std::any_of(std::begin(weakening), std::end(weakening), [&](std::string_view key) { return finding.leaves_open(key); });
}

bool is_shared(const Finding& finding) { return finding.scope.scope_class == ScopeClass::host || finding.scope.scope_class == ScopeClass::everything; }

/// What is missing of our own packets when they pass the tap was lost inside the home.
bool before_the_tap(const Finding& finding) { return finding.direction == Direction::sent && finding.number("by_reports") <= 0 && finding.number("over_tcp") <= 0; }

Weight weigh_limit(const Finding& finding) {
  if (finding.number("over_tcp") > 0 && finding.calls.empty()) return Weight::none;   // a download's policer is no call's
  if (is_shared(finding) || before_the_tap(finding) || finding.leaves_open("capture_drops")) return Weight::impairs;
  if (finding.scope.reason == "others_go_another_way") return Weight::impairs;   // a used-up mobile plan, the web over Wi-Fi
  // A line that is full queues just so: without anybody to ask, a queue says nothing of who made it.
  if (!spares_others(finding) && (finding.mechanism == Mechanism::shaper || finding.leaves_open("wifi"))) return Weight::impairs;
  if (!spares_others(finding)) return finding.number("by_reports") > 0 ? Weight::impairs : Weight::suspects;
  if (finding.confidence < accusing_confidence) return Weight::impairs;                   // a far end's uplink looks the same
  return finding.number("by_reports") <= 0 && !is_weakened(finding) ? Weight::accuses : Weight::suspects;
}

Weight weigh_loss(const Finding& finding) {
  if (finding.number("loss_ratio") < impairing_loss && finding.number("over_tcp") <= 0 && finding.number("worst_window") < impairing_window_loss) return Weight::none;
  return Weight::impairs;
}

/// A far end's bad line takes from the call alone as well: never more than suspected.
Weight weigh_selective_loss(const Finding& finding) {
  return spares_others(finding) && !before_the_tap(finding) && finding.number("loss_ratio") >= suspecting_loss ? Weight::suspects : Weight::impairs;
}

/// Scope may lower what the event itself allows, never raise it.
Weight weigh_event(const Finding& finding) {
  const auto weight = weight_of_event(finding);
  return is_shared(finding) && weight != Weight::none ? Weight::impairs : weight;
}

Weight weigh_reset(const Finding& finding) {
  if (is_shared(finding)) return Weight::impairs;
  if (finding.confidence >= accusing_confidence && !is_weakened(finding)) return Weight::accuses;
  return finding.confidence >= suspecting_confidence ? Weight::suspects : Weight::impairs;
}

}  // namespace

bool spares_others(const Finding& finding) {
  const auto scope = finding.scope.scope_class;
  return scope == ScopeClass::stream || scope == ScopeClass::call || scope == ScopeClass::application;
}

Weight weigh(const Finding& finding) {
  switch (finding.kind) {
    case FindingKind::rate_cap: return weigh_limit(finding);
    case FindingKind::periodic_reset: case FindingKind::dies_after: case FindingKind::one_way: case FindingKind::outage: case FindingKind::freeze:
      return weigh_event(finding);
    case FindingKind::injected_reset: return finding.application.empty() ? Weight::none : weigh_reset(finding);
    case FindingKind::blocking: return judge_blocking(finding).weight;
    case FindingKind::selective_loss: return weigh_selective_loss(finding);
    case FindingKind::delay_step: return spares_others(finding) ? Weight::suspects : Weight::none;
    case FindingKind::jitter: return Weight::impairs;
    case FindingKind::loss: return weigh_loss(finding);
    case FindingKind::benign_timer: return weigh_event(finding);
    case FindingKind::differential: case FindingKind::capture_loss: return Weight::none;
  }
  return Weight::none;
}

}  // namespace callwitness::metrics
