// The only place where a verdict is made. The ladder and its words: docs/methods/verdict.md
#include "metrics/contrast.hpp"
#include "metrics/finding_support.hpp"
#include "metrics/statistics.hpp"
#include "metrics/verdict_thresholds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace callwitness::metrics {
namespace {

bool accuses(const Finding& finding) {
  if (finding.kind == "rate_cap") {
    const auto of = [&](const char* name) {
      const auto found = finding.numbers.find(name);
      return found == finding.numbers.end() ? 0.0 : found->second;
    };
    if (of("by_reports") > 0) return false;              // what the peer claims, and no control: not enough to accuse
    if (of("over_tcp") > 0) return !finding.calls.empty() && of("contrast") > 0;   // a download's policer is no call's
    return of("contrast") > 0 || finding.mechanism == "policer";
  }
  if (finding.kind == "periodic_reset") return finding.confidence >= accusing_confidence;
  if (finding.kind == "injected_reset") return finding.confidence >= accusing_confidence;
  if (finding.kind == "blocking" || finding.kind == "freeze") return finding.confidence >= accusing_confidence_of_blocking;
  return false;
}

std::string_view key_of(const Finding& finding) {
  if (finding.kind == "rate_cap") return "consistent_with_throttling";
  if (finding.kind == "blocking") return "consistent_with_blocking";
  return "consistent_with_resets";
}

struct Quality {
  double media_seconds = 0;
  std::uint64_t packets = 0;
  double worst_loss = 0, worst_window = 0, delay_p95 = 0, jitter = 0, reported_loss = 0;
  bool video = false;   ///< among the calls' media
};

void add_arm(const Arm& arm, Quality& quality) {
  if (!arm.whole_flow || arm.source != LossSource::sequence || arm.packets.size() < fewest_packets) return;
  quality.worst_loss = std::max(quality.worst_loss, static_cast<double>(arm.lost) / static_cast<double>(arm.packets.size()));
  double from = arm.packets.front().time, seen = 0, lost = 0;
  for (const auto& packet : arm.packets) {
    if (packet.time >= from + 10) {
      if (seen >= 100) quality.worst_window = std::max(quality.worst_window, lost / seen);
      from = packet.time;
      seen = lost = 0;
    }
    seen += 1;
    lost += packet.lost ? 1 : 0;
  }
}

Quality quality_of(const Observation& observation, std::span<const StreamMeasures> measures, std::span<const Arm> arms) {
  Quality quality;
  for (const auto& measure : measures) {
    if (!measure.call) continue;
    quality.media_seconds = std::max(quality.media_seconds, capture::seconds(measure.end_time - measure.start_time));
    quality.packets += measure.packets;
    const auto& streams = observation.classification->streams;
    if (static_cast<std::size_t>(measure.id) >= streams.size()) continue;
    const auto kind = streams[static_cast<std::size_t>(measure.id)].kind;
    quality.video = quality.video || kind == classify::MediaKind::video;
    if (measure.jitter_ms && measure.direction == Direction::received && kind == classify::MediaKind::audio)
      quality.jitter = std::max(quality.jitter, *measure.jitter_ms);
  }
  for (const auto& arm : arms)
    if (can_show_losses(observation, arm)) add_arm(arm, quality);
  for (const auto& stream : observation.streams) {
    if (stream.direction == Direction::received && stream.delay.size() >= 50) {
      std::vector<double> delays;
      for (const auto& point : stream.delay) delays.push_back(static_cast<double>(point.milliseconds));
      quality.delay_p95 = std::max(quality.delay_p95, quantile(delays, 0.95) - quantile(delays, 0.1));
    }
    if (stream.reports.size() >= 3) {
      const auto &first = stream.reports.front(), &last = stream.reports.back();
      const double expected = static_cast<double>(last.highest_sequence - first.highest_sequence);
      if (expected > 200 && last.cumulative_lost > first.cumulative_lost)
        quality.reported_loss = std::max(quality.reported_loss, (last.cumulative_lost - first.cumulative_lost) / expected);
    }
  }
  return quality;
}

/// A call inside a VPN can't be seen, yet its steady two-way traffic can be judged for interruptions.
void add_tunnels(const Observation& observation, Quality& quality) {
  constexpr double steady = 0.9;                // share of its seconds in which a tunnel carries something both ways
  constexpr std::size_t shortest = 30;
  for (const auto& flow : observation.flows) {
    if (flow.flow.role != classify::Role::tunnel) continue;
    std::size_t both = 0;
    const std::size_t size = std::min(flow.bytes.sent.size(), flow.bytes.received.size());
    for (std::size_t i = 0; i < size; ++i) both += flow.bytes.sent[i] > 0 && flow.bytes.received[i] > 0 ? 1 : 0;
    if (size < shortest || static_cast<double>(both) < steady * static_cast<double>(size)) continue;
    quality.media_seconds = std::max(quality.media_seconds, static_cast<double>(size));
    quality.packets += flow.flow.forward.packets + flow.flow.backward.packets;
  }
}

void describe(Verdict& verdict, const Finding& finding) {
  verdict.parameters["application"] = std::string(finding.application);
  verdict.parameters["kind"] = finding.kind;
  verdict.parameters["mechanism"] = finding.mechanism;
  if (finding.direction) verdict.parameters["direction"] = *finding.direction == Direction::sent ? "sent" : "received";
  if (finding.rate_bps) verdict.parameters["rate_kbps"] = fmt::format("{:.1f}", *finding.rate_bps / 1000);
  if (finding.period_s) verdict.parameters["period_s"] = fmt::format("{:.1f}", *finding.period_s);
  if (finding.count) verdict.parameters["count"] = fmt::format("{}", *finding.count);
}

}  // namespace

Verdict judge(const Observation& observation, std::span<const StreamMeasures> measures, std::span<const Arm> arms, std::span<const Finding> findings) {
  Verdict verdict;
  auto quality = quality_of(observation, measures, arms);
  add_tunnels(observation, quality);
  const bool enough = quality.media_seconds >= shortest_call && quality.packets >= fewest_packets;
  const bool capture_lost = std::any_of(findings.begin(), findings.end(), [](const Finding& f) { return f.kind == "capture_loss"; });
  bool control = false;
  for (const auto& flow : observation.flows) control = control || (!flow.call && flow.flow.label.application.empty() && flow.flow.backward.packets > 10);
  verdict.rung = quality.packets == 0 ? 0 : control ? 2 : 1;
  verdict.would_help = {"second_network", "vpn_contrast", "other_end_capture", "other_hours"};
  if (!control) verdict.would_help.insert(verdict.would_help.begin(), "control_traffic");
  if (enough) {
    // With this many packets a loss of three in all would have been seen with 95 % probability.
    verdict.smallest_detectable["loss_ratio"] = std::min(1.0, 3.0 / static_cast<double>(quality.packets));
    // Video may adapt to a shaper so well that there is neither loss nor a full queue: then no size of cap is sure to show.
    if (!quality.video) verdict.smallest_detectable["rate_ratio"] = quality.media_seconds >= 60 ? 0.95 : 0.85;
    verdict.smallest_detectable["period_count"] = 3;
  }
  const Finding* worst = nullptr;
  for (const auto& finding : findings)
    if (accuses(finding) && (worst == nullptr || finding.confidence > worst->confidence)) worst = &finding;
  if (worst != nullptr) {
    verdict.verdict_class = VerdictClass::interference;
    verdict.key = key_of(*worst);
    verdict.confidence = worst->confidence;
    verdict.rung = std::max(1, verdict.rung);
    describe(verdict, *worst);
    return verdict;
  }
  const auto has = [&](std::string_view kind) { return std::any_of(findings.begin(), findings.end(), [&](const Finding& f) { return f.kind == kind; }); };
  const Finding* trouble = nullptr;
  for (const auto& finding : findings)
    if ((finding.kind == "rate_cap" && !(finding.calls.empty() && finding.numbers.contains("over_tcp"))) || finding.kind == "blocking" || finding.kind == "outage" || finding.kind == "freeze" || finding.kind == "selective_loss") trouble = &finding;
  if (trouble == nullptr && !enough) return verdict;
  const bool losing = !capture_lost && (quality.worst_loss >= impairing_loss || quality.worst_window >= impairing_window_loss);
  if (trouble != nullptr || losing || quality.delay_p95 >= impairing_delay_ms || quality.jitter >= impairing_jitter_ms || quality.reported_loss >= impairing_loss) {
    verdict.verdict_class = VerdictClass::impaired;
    verdict.key = control && !has("selective_loss") ? "general_network_problem" : "unexplained_impairment";
    verdict.confidence = 0.9;
    if (trouble != nullptr) describe(verdict, *trouble);
    verdict.parameters["loss_percent"] = fmt::format("{:.2f}", 100 * std::max(quality.worst_loss, quality.reported_loss));
    verdict.parameters["delay_ms"] = fmt::format("{:.0f}", quality.delay_p95);
    return verdict;
  }
  if (capture_lost && quality.worst_loss >= 0.05) return verdict;
  verdict.verdict_class = VerdictClass::clean;
  verdict.key = "no_impairment_found";
  verdict.confidence = quality.media_seconds >= 60 ? 0.97 : 0.93;
  return verdict;
}

}  // namespace callwitness::metrics
