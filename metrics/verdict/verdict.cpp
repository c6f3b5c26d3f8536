// Stage 3, of calls and captures: the only place where a verdict is made. The classes and their words: docs/methods/verdict.md
#include "metrics/detector.hpp"
#include "metrics/quality.hpp"
#include "metrics/starts.hpp"
#include "metrics/verdict/weight.hpp"
#include "metrics/verdict_thresholds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace callwitness::metrics {
namespace {

struct Context {
  const Observation& observation;
  std::span<const StreamMeasures> measures;
  std::span<const Arm> arms;
  std::span<const Finding> findings;
  const Finding* capture_loss = nullptr;
};

VerdictClass class_of(Weight weight) {
  switch (weight) {
    case Weight::accuses: return VerdictClass::interference;
    case Weight::suspects: return VerdictClass::suspected;
    default: return VerdictClass::impaired;
  }
}

/// Of findings of one weight: limits and cuts explain losses and silences, so they lead.
int rank_of(const Finding& finding) {
  switch (finding.kind) {
    case FindingKind::rate_cap: case FindingKind::dies_after: return 0;
    case FindingKind::periodic_reset: case FindingKind::blocking: case FindingKind::one_way: return 1;
    case FindingKind::injected_reset: case FindingKind::freeze: case FindingKind::selective_loss: return 2;
    case FindingKind::outage: case FindingKind::delay_step: return 3;
    case FindingKind::loss: return 4;
    default: return 5;
  }
}

/// The gravest of the findings that `concerns` picks; nothing where none weighs.
template <class Concerns>
std::optional<std::size_t> gravest(std::span<const Finding> findings, Concerns concerns) {
  std::optional<std::size_t> best;
  const auto key = [&](std::size_t i) { return std::tuple(weigh(findings[i]), rank_of(findings[i]), -findings[i].confidence); };
  for (std::size_t i = 0; i < findings.size(); ++i)
    if (weigh(findings[i]) != Weight::none && concerns(findings[i]) && (!best || key(i) < key(*best))) best = i;
  return best;
}

bool concerns(const Finding& finding, CallId call) { return std::find(finding.calls.begin(), finding.calls.end(), call) != finding.calls.end(); }

/// What the capture itself missed may be as much as what would be told of the call.
bool may_be_the_capture(const Context& context, const Quality& quality) {
  return context.capture_loss != nullptr && std::max(quality.worst_loss, context.capture_loss->number("capture_loss_ratio")) >= untellable_loss;
}

CallVerdict judge_call(const Context& context, CallId call) {
  CallVerdict verdict;
  verdict.call = call;
  for (std::size_t i = 0; i < context.findings.size(); ++i)
    if (concerns(context.findings[i], call)) verdict.findings.push_back(i);
  verdict.leading = gravest(context.findings, [&](const Finding& finding) { return concerns(finding, call); });
  if (verdict.leading) {
    verdict.verdict_class = class_of(weigh(context.findings[*verdict.leading]));
    return verdict;
  }
  const auto quality = quality_of(context.observation, context.measures, context.arms, call);
  if (!is_enough(quality)) verdict.lack = Lack::too_short;
  else if (may_be_the_capture(context, quality)) verdict.lack = Lack::capture_lost;
  else if (quality.unread) verdict.lack = Lack::unread;
  else verdict.verdict_class = VerdictClass::clean;
  return verdict;
}

std::string key_of(VerdictClass verdict_class, const Finding* leading, bool control) {
  const auto accusation = leading == nullptr ? std::string() : std::string(name_of(accusation_of(leading->kind)));
  switch (verdict_class) {
    case VerdictClass::interference: return "consistent_with_" + accusation;
    case VerdictClass::suspected: return "suspected_" + accusation;
    case VerdictClass::clean: return "no_impairment_found";
    case VerdictClass::insufficient: return "insufficient_evidence";
    case VerdictClass::impaired: break;
  }
  const bool shared = leading != nullptr && (leading->scope.scope_class == ScopeClass::host || leading->scope.scope_class == ScopeClass::everything);
  const bool alone = leading != nullptr && (spares_others(*leading) || leading->number("far_end_silent") > 0);
  return shared || (control && !alone) ? "general_network_problem" : "unexplained_impairment";
}

void describe(Verdict& verdict, const Finding& finding) {
  verdict.parameters["application"] = std::string(finding.application);
  verdict.parameters["kind"] = name_of(finding.kind);
  verdict.parameters["mechanism"] = name_of(finding.mechanism);
  if (finding.direction) verdict.parameters["direction"] = *finding.direction == Direction::sent ? "sent" : "received";
  if (finding.rate_bps) verdict.parameters["rate_kbps"] = fmt::format("{:.1f}", *finding.rate_bps / 1000);
  if (finding.period_s) verdict.parameters["period_s"] = fmt::format("{:.1f}", *finding.period_s);
  if (finding.count) verdict.parameters["count"] = fmt::format("{}", *finding.count);
}

/// The smallest effects that would have shown in the calls.
void tell_smallest(Verdict& verdict, const Quality& quality) {
  // With this many packets a loss of three in all would have been seen with 95 % probability.
  if (quality.numbered > 0 && !quality.unread) verdict.smallest_detectable["loss_ratio"] = std::min(1.0, 3.0 / static_cast<double>(quality.numbered));
  else if (quality.by_cadence && !quality.unread) verdict.smallest_detectable["loss_ratio"] = least_by_cadence;
  // Video may adapt to a shaper so well that there is neither loss nor a full queue: then no size of cap is sure to show. Nor is one
  // that drops where losses can't be read. Over TCP it makes voice late, and the sender slow.
  if (!quality.video && !quality.unread && !quality.over_tcp) verdict.smallest_detectable["rate_ratio"] = quality.media_seconds >= 60 ? 0.95 : 0.85;
  verdict.smallest_detectable["period_count"] = 3;
  if (quality.over_tcp) verdict.parameters["cap_untold"] = "tcp";
  if (quality.unread) verdict.parameters["cap_untold"] = "unread";
}

double confidence_of(const Verdict& verdict, std::span<const Finding> findings, const Quality& quality) {
  switch (verdict.verdict_class) {
    case VerdictClass::interference: case VerdictClass::suspected: return findings[*verdict.leading].confidence;
    case VerdictClass::impaired: return 0.9;
    case VerdictClass::clean: return quality.unread ? 0.9 : quality.media_seconds >= 60 ? 0.97 : 0.93;
    case VerdictClass::insufficient: break;
  }
  return 0;
}

/// The capture's class from its calls': that of the worst. Short calls beside one that could be read take nothing from it.
VerdictClass worst_of(std::span<const CallVerdict> calls, const Quality& quality) {
  if (calls.empty()) return is_enough(quality) ? VerdictClass::clean : VerdictClass::insufficient;   // a tunnel's steady traffic
  auto worst = VerdictClass::insufficient;
  bool untold = false;
  for (const auto& call : calls) {
    worst = std::min(worst, call.verdict_class);
    untold = untold || (call.verdict_class == VerdictClass::insufficient && call.lack != Lack::too_short);
  }
  return worst == VerdictClass::clean && untold ? VerdictClass::insufficient : worst;
}

bool has_control(const Observation& observation) {
  return std::any_of(observation.flows.begin(), observation.flows.end(), [](const FlowObservation& flow) {
    return !flow.call && flow.flow.label.application.empty() && flow.flow.backward.packets > 10;
  });
}

/// Nothing but the web, other tunnels, broken segments: whatever was found, nobody's call suffered.
bool is_about_calls(const Observation& observation) {
  const auto& told = *observation.classification;
  return !told.calls.empty() || !told.attempts.empty() || std::any_of(told.flows.begin(), told.flows.end(), [](const classify::Flow& flow) { return flow.role == classify::Role::tunnel; });
}

}  // namespace

std::string_view name_of(Lack lack) {
  static constexpr std::string_view names[] = {"", "too_short", "capture_lost", "unread", "start_unanswered"};
  return names[static_cast<std::size_t>(lack)];
}

std::vector<CallVerdict> judge_calls(const Observation& observation, std::span<const StreamMeasures> measures, std::span<const Arm> arms, std::span<const Finding> findings) {
  Context context{observation, measures, arms, findings, nullptr};
  for (const auto& finding : findings)
    if (finding.kind == FindingKind::capture_loss) context.capture_loss = &finding;
  std::vector<CallVerdict> verdicts;
  const bool control = has_control(observation);
  for (const auto& call : observation.classification->calls) {
    auto& verdict = verdicts.emplace_back(judge_call(context, call.id));
    verdict.key = key_of(verdict.verdict_class, verdict.leading ? &findings[*verdict.leading] : nullptr, control);
  }
  return verdicts;
}

Verdict judge(const Observation& observation, std::span<const StreamMeasures> measures, std::span<const Arm> arms, std::span<const Finding> findings,
              std::span<const CallVerdict> calls) {
  Verdict verdict;
  const auto quality = quality_of(observation, measures, arms, std::nullopt);
  const bool control = has_control(observation);
  verdict.rung = quality.packets == 0 ? 0 : control ? 2 : 1;
  verdict.would_help = {"second_network", "vpn_contrast", "other_end_capture", "other_hours"};
  if (!control) verdict.would_help.insert(verdict.would_help.begin(), "control_traffic");
  if (is_enough(quality)) tell_smallest(verdict, quality);
  for (const auto& call : calls) ++verdict.calls[static_cast<std::size_t>(call.verdict_class)];
  if (!is_about_calls(observation)) return verdict;
  // Attempts that failed belong to no call, yet somebody could not call.
  verdict.leading = gravest(findings, [](const Finding&) { return true; });
  verdict.verdict_class = worst_of(calls, quality);
  if (verdict.leading) verdict.verdict_class = class_of(weigh(findings[*verdict.leading]));
  // Somebody tried to call and nobody answered: whatever became of the other calls, that is not nothing.
  if (verdict.verdict_class == VerdictClass::clean && !unanswered_starts(*observation.classification).empty()) {
    verdict.verdict_class = VerdictClass::insufficient;
    verdict.parameters["lack"] = name_of(Lack::start_unanswered);
  }
  const Finding* leading = verdict.leading ? &findings[*verdict.leading] : nullptr;
  verdict.key = key_of(verdict.verdict_class, leading, control);
  verdict.confidence = confidence_of(verdict, findings, quality);
  if (leading != nullptr) {
    verdict.rung = std::max(1, verdict.rung);
    describe(verdict, *leading);
  }
  if (verdict.verdict_class == VerdictClass::impaired) {
    verdict.parameters["loss_percent"] = fmt::format("{:.2f}", 100 * std::max(quality.worst_loss, quality.reported_loss));
    verdict.parameters["delay_ms"] = fmt::format("{:.0f}", quality.delay_p95);
  }
  return verdict;
}

}  // namespace callwitness::metrics
