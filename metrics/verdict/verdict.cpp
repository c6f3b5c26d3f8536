// The only place where a verdict is made. The ladder and its words: docs/methods/verdict.md
#include "metrics/contrast.hpp"
#include "metrics/finding_support.hpp"
#include "metrics/statistics.hpp"
#include "metrics/verdict/accusation.hpp"
#include "metrics/verdict/verdict_thresholds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace callwitness::metrics {
namespace {

constexpr double least_by_cadence = 0.012, times_by_cadence = 5;  ///< empty places of what we receive, against what we send
constexpr double fewest_off_grid = 0.5, most_off_grid = 0.95;     ///< of the packets that we send; fewer still are another codec's

/// D8: the call's round trips step up and the others' stay; a stream's own clock may jump, so that doesn't count.
bool is_slower_alone(const Finding& finding) {
  return finding.kind == FindingKind::delay_step && finding.numbers.contains("round_trip_step_ms") && finding.numbers.at("control_flat") > 0;
}

struct Quality {
  double media_seconds = 0;
  std::uint64_t packets = 0;
  double worst_loss = 0, worst_window = 0, delay_p95 = 0, jitter = 0, reported_loss = 0;
  bool video = false;   ///< among the calls' media
  std::uint64_t numbered = 0;                     ///< packets whose numbers show losses
  bool by_cadence = false;                        ///< losses of some unnumbered stream can be told from its sender's pauses
  bool unread = false;                            ///< of some stream they can't
  bool over_tcp = false;                          ///< some media are in a TCP connection
};

/// Places left empty on a steady sender's grid. Our own sending in the same flow shows what the application leaves empty by itself.
void add_by_cadence(const Arm& arm, std::span<const Arm> arms, Quality& quality) {
  if (!arm.whole_flow || arm.source == LossSource::sequence || arm.packets.size() < fewest_packets) return;
  const auto own = std::find_if(arms.begin(), arms.end(), [&](const Arm& other) {
    return other.whole_flow && other.flow == arm.flow && other.direction != arm.direction && other.source == LossSource::cadence && other.packets.size() >= fewest_packets;
  });
  if (own == arms.end()) {
    quality.unread = true;
    return;
  }
  const auto count = [](const Arm& of) { return static_cast<double>(of.packets.size()); };
  if (arm.source == LossSource::cadence) {
    quality.by_cadence = true;
    // Fewer: holes too long for losses one by one, the talker's pauses or losses in a row. More: the beat isn't the sender's.
    if (const double beats = arm.duration() / arm.packet_times.own; std::abs(beats - count(arm)) > least_by_cadence * beats) quality.unread = true;
    // A late packet leaves its own place empty and is one too many where it comes.
    const double places = own->duration() > 0 ? count(*own) * arm.duration() / own->duration() : count(arm);
    const double lost = static_cast<double>(arm.lost) - std::max(0.0, count(arm) - places);
    const double empty = lost / count(arm), usual = static_cast<double>(own->lost) / count(*own);
    if (empty >= least_by_cadence && empty >= times_by_cadence * usual) quality.worst_loss = std::max(quality.worst_loss, empty - usual);
  } else if (const double share = count(arm) / count(*own); share >= fewest_off_grid && share <= most_off_grid) {
    // Fewer than we send, and off any grid: a queue holds them up and drops.
    quality.worst_loss = std::max(quality.worst_loss, 1 - share);
  } else {
    quality.unread = true;
  }
}

void add_arm(const Arm& arm, Quality& quality) {
  if (!arm.whole_flow || arm.source != LossSource::sequence || arm.packets.size() < fewest_packets) return;
  quality.numbered += arm.packets.size();
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
    if (const auto& stream = streams[static_cast<std::size_t>(measure.id)]; stream.over_tcp) {
      quality.over_tcp = true;
      const auto* flow = find_flow(observation, stream.flow);
      if (flow != nullptr) quality.numbered += flow->segments[static_cast<std::size_t>(measure.direction)].segments.size();
    }
    quality.video = quality.video || kind == classify::MediaKind::video;
    if (measure.jitter_ms && measure.direction == Direction::received && kind == classify::MediaKind::audio)
      quality.jitter = std::max(quality.jitter, *measure.jitter_ms);
  }
  for (const auto& arm : arms)
    if (can_show_losses(observation, arm)) {
      add_arm(arm, quality);
      const auto* flow = find_flow(observation, arm.flow);
      if (!arm.call || arm.streams.empty() || flow == nullptr || flow->tcp) continue;   // TCP sends again what is lost
      if (observation.local_known) add_by_cadence(arm, arms, quality);
      else quality.unread = quality.unread || (arm.whole_flow && arm.source != LossSource::sequence && arm.packets.size() >= fewest_packets);
    }
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
  verdict.parameters["kind"] = name_of(finding.kind);
  verdict.parameters["mechanism"] = name_of(finding.mechanism);
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
  const bool capture_lost = std::any_of(findings.begin(), findings.end(), [](const Finding& f) { return f.kind == FindingKind::capture_loss; });
  bool control = false;
  for (const auto& flow : observation.flows) control = control || (!flow.call && flow.flow.label.application.empty() && flow.flow.backward.packets > 10);
  verdict.rung = quality.packets == 0 ? 0 : control ? 2 : 1;
  verdict.would_help = {"second_network", "vpn_contrast", "other_end_capture", "other_hours"};
  if (!control) verdict.would_help.insert(verdict.would_help.begin(), "control_traffic");
  if (enough) {
    // With this many packets a loss of three in all would have been seen with 95 % probability.
    if (quality.numbered > 0 && !quality.unread) verdict.smallest_detectable["loss_ratio"] = std::min(1.0, 3.0 / static_cast<double>(quality.numbered));
    else if (quality.by_cadence && !quality.unread) verdict.smallest_detectable["loss_ratio"] = least_by_cadence;
    // Video may adapt to a shaper so well that there is neither loss nor a full queue: then no size of cap is sure to show. Nor is one
    // that drops where losses can't be read.
    // Over TCP it makes voice late, and the sender slow.
    if (!quality.video && !quality.unread && !quality.over_tcp) verdict.smallest_detectable["rate_ratio"] = quality.media_seconds >= 60 ? 0.95 : 0.85;
    verdict.smallest_detectable["period_count"] = 3;
    if (quality.over_tcp) verdict.parameters["cap_untold"] = "tcp";
    if (quality.unread) verdict.parameters["cap_untold"] = "unread";
  }
  const Finding* worst = nullptr;
  for (const auto& finding : findings)
    if (accuses(finding) && (worst == nullptr || finding.confidence > worst->confidence)) worst = &finding;
  if (worst != nullptr) {
    verdict.verdict_class = VerdictClass::interference;
    verdict.key = "consistent_with_" + std::string(name_of(accusation_of(worst->kind)));
    verdict.confidence = worst->confidence;
    verdict.rung = std::max(1, verdict.rung);
    describe(verdict, *worst);
    verdict.leading = static_cast<std::size_t>(worst - findings.data());
    return verdict;
  }
  const auto has = [&](FindingKind kind) { return std::any_of(findings.begin(), findings.end(), [&](const Finding& f) { return f.kind == kind; }); };
  const Finding* trouble = nullptr;
  for (const auto& finding : findings)
    if ((finding.kind == FindingKind::rate_cap && !(finding.calls.empty() && finding.numbers.contains("over_tcp"))) || finding.kind == FindingKind::blocking || finding.kind == FindingKind::outage || finding.kind == FindingKind::freeze || finding.kind == FindingKind::selective_loss || is_slower_alone(finding)) trouble = &finding;
  const bool slower_alone = std::any_of(findings.begin(), findings.end(), is_slower_alone);
  if (trouble == nullptr && !enough) return verdict;
  const bool losing = !capture_lost && (quality.worst_loss >= impairing_loss || quality.worst_window >= impairing_window_loss);
  const bool late = !capture_lost && std::any_of(findings.begin(), findings.end(), [](const Finding& f) { return f.kind == FindingKind::loss && f.numbers.contains("over_tcp"); });
  if (trouble != nullptr || losing || late || quality.delay_p95 >= impairing_delay_ms || quality.jitter >= impairing_jitter_ms || quality.reported_loss >= impairing_loss) {
    verdict.verdict_class = VerdictClass::impaired;
    const bool only_the_call = has(FindingKind::selective_loss) || has(FindingKind::differential) || slower_alone || (trouble != nullptr && trouble->numbers.contains("far_end_silent"));
    verdict.key = control && !only_the_call ? "general_network_problem" : "unexplained_impairment";
    verdict.confidence = 0.9;
    if (trouble != nullptr) describe(verdict, *trouble), verdict.leading = static_cast<std::size_t>(trouble - findings.data());
    verdict.parameters["loss_percent"] = fmt::format("{:.2f}", 100 * std::max(quality.worst_loss, quality.reported_loss));
    verdict.parameters["delay_ms"] = fmt::format("{:.0f}", quality.delay_p95);
    return verdict;
  }
  if (std::any_of(findings.begin(), findings.end(), [&](const Finding& f) {
        const auto missed = f.numbers.find("capture_loss_ratio");
        return f.kind == FindingKind::capture_loss && std::max(quality.worst_loss, missed == f.numbers.end() ? 0 : missed->second) >= untellable_loss;
      }))
    return verdict;
  verdict.verdict_class = VerdictClass::clean;
  verdict.key = "no_impairment_found";
  verdict.confidence = quality.unread ? 0.9 : quality.media_seconds >= 60 ? 0.97 : 0.93;
  return verdict;
}

}  // namespace callwitness::metrics
