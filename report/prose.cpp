#include "report/prose.hpp"

#include "classify/application.hpp"
#include "metrics/verdict_thresholds.hpp"
#include "report/encode.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace callwitness::report {
namespace {

std::optional<double> number_of(const metrics::Finding& finding, const char* name) {
  const auto found = finding.numbers.find(name);
  return found == finding.numbers.end() ? std::nullopt : std::optional(found->second);
}

/// Calls themselves went well: what failed was reaching a service.
bool only_attempts_suffered(const metrics::Analysis& analysis) {
  const auto kind = analysis.verdict.parameters.find("kind");
  return kind != analysis.verdict.parameters.end() && kind->second == "blocking" &&
         std::all_of(analysis.findings.begin(), analysis.findings.end(), [](const auto& f) { return f.kind == metrics::FindingKind::blocking || f.kind == metrics::FindingKind::capture_loss || f.kind == metrics::FindingKind::benign_timer; });
}

/// What of its kind a finding is, where that asks for words of its own.
std::string manner_of(const metrics::Finding& finding) {
  const auto is_told = [&](const char* name) { return number_of(finding, name).value_or(0) > 0; };
  if (is_told("far_end_silent")) return "far_end_silent";          // nothing tells whether it, or the path to it, died
  if (finding.kind == metrics::FindingKind::one_way && finding.direction) return *finding.direction == metrics::Direction::sent ? "sent" : "received";
  if (finding.kind == metrics::FindingKind::loss && is_told("over_tcp")) return "over_tcp";
  if (finding.kind == metrics::FindingKind::loss && is_told("by_reports")) return "by_reports";
  if (is_told("by_uptime")) return "by_uptime";                    // a beat of the calls' own ages, not of the clock
  if (finding.kind != metrics::FindingKind::blocking) return std::string(name_of(finding.mechanism));
  const auto number = [&](const char* name) { return number_of(finding, name).value_or(0); };
  const double tries = number("tries"), by_looks = number("as_filters_do"), by_own = number("by_own_resolver");
  // First what explains it without the application.
  if (is_told("address_family_unanswered")) return "address_family";
  if (is_told("source_unanswered")) return "source_address";
  if (is_told("went_on_over_tcp")) return "fallback";
  const bool of_the_host = finding.mechanism == metrics::Mechanism::no_reply || finding.mechanism == metrics::Mechanism::refused;
  const bool one_host = of_the_host && number("targets") == 1 && !is_told("host_answers_otherwise");
  if (one_host && finding.mechanism == metrics::Mechanism::refused) return "one_host";
  if (is_told("closed_network") && number("closed_network") + 2 >= tries) return "closed_network";
  if (is_told("nothing_else_answered")) return "alone";
  if (is_told("from_nearby") && number("from_nearby") >= tries) return "router";
  if (number("tries_dtls_hello") * 2 > tries) return "dtls";
  if ((number("tries_stun_request") + number("tries_stun_check") + number("tries_allocation")) * 2 > tries && finding.mechanism == metrics::Mechanism::no_reply && !is_told("sign_ins_answered")) return "stun";
  if (is_told("sign_ins_answered") && is_told("media_only")) return "media";
  if (one_host) return "one_host";
  if (by_looks > 0 && by_looks >= tries) return "filter";
  return by_own > 0 && by_looks + by_own >= tries ? "resolver" : std::string(name_of(finding.mechanism));
}

}  // namespace

std::string rate_text(double rate) { return rate >= 1e6 ? fmt::format("{:.2f} Mbit/s", rate / 1e6) : fmt::format("{:.1f} kbit/s", rate / 1e3); }

std::string span_text(double seconds) {
  if (seconds < 120) return fmt::format("{:.1f} s", seconds);
  const auto whole = std::llround(seconds);
  return whole < 7200 ? fmt::format("{} min {} s", whole / 60, whole % 60) : fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

std::string clock_text(long long seconds) {
  return seconds < 3600 ? fmt::format("{}:{:02}", seconds / 60, seconds % 60) : fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

std::string percent_text(double ratio) { return ratio != 0 && ratio < 0.001 ? fmt::format("{:.4f} %", 100 * ratio) : fmt::format("{:.2f} %", 100 * ratio); }

std::string sentence_case(std::string text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  else if (text.size() > 1 && byte(0) == 0xc3 && byte(1) >= 0xa0 && byte(1) <= 0xbe) text[1] = static_cast<char>(byte(1) - 0x20);   // à … þ
  return text;
}

std::string number_text(double number) {
  constexpr double decimals = 1e6;
  const double rounded = std::abs(number) < 1e9 ? std::round(number * decimals) / decimals : number;
  const auto text = fmt::format("{:.6g}", rounded);
  if (text.find('e') == std::string::npos || std::abs(rounded) >= 1e15) return text;
  return std::abs(rounded) >= 1 ? fmt::format("{:.0f}", rounded) : fmt::format("{:.6f}", rounded);   // a reader isn't asked for powers of ten
}

std::string Prose::value(std::string_view text) const {
  constexpr std::size_t longest_unbroken = 30;   // fits a phone; longer ones (names, IPv6) may break
  if (form_ == Form::plain) return visible(text);
  return (text.size() > longest_unbroken ? "<bdi class=\"w\" dir=\"ltr\">" : "<bdi dir=\"ltr\">") + for_html(text) + "</bdi>";
}

std::string Prose::application(std::string_view key) const {
  if (key.empty()) return catalogue_.text("calls_word");
  const auto* known = classify::find_application(key);
  return value(known != nullptr ? known->name : key);
}

std::string Prose::direction(const std::optional<metrics::Direction>& direction) const {
  if (!direction) return catalogue_.text("direction.unknown");
  return catalogue_.text(*direction == metrics::Direction::sent ? "direction.sent" : "direction.received");
}

const metrics::Finding* leading_finding(const metrics::Analysis& analysis) {
  const auto leading = analysis.verdict.leading;
  return leading && *leading < analysis.findings.size() ? &analysis.findings[*leading] : nullptr;
}

std::string Prose::headline(const metrics::Analysis& analysis) const {
  const bool failed = analysis.verdict.verdict_class == metrics::VerdictClass::impaired && only_attempts_suffered(analysis);
  return headline(analysis.verdict, failed ? "failed_connections" : analysis.verdict.key);
}

std::string Prose::headline(const metrics::Verdict& verdict, const std::string& kind) const {
  const auto named = verdict.parameters.find("application");
  const std::string key = "key." + kind, unnamed = key + ".unnamed", name = named == verdict.parameters.end() ? "" : named->second;
  return catalogue_.text(name.empty() && catalogue_.has(unnamed) ? unnamed : key, {{"application", application(name)}});   // "des appels", not "de les appels"
}

std::string Prose::lacking(const metrics::Analysis& analysis) const {
  if (analysis.verdict.verdict_class != metrics::VerdictClass::insufficient) return {};
  if (analysis.classification.calls.empty()) return catalogue_.text("lack.no_call", {{"watch", value("callwitness watch -w call.pcapng")}, {"apps", value("callwitness apps")}});
  double seconds = 0;
  std::uint64_t packets = 0;
  for (const auto& stream : analysis.streams) {
    if (!stream.call) continue;
    seconds = std::max(seconds, capture::seconds(stream.end_time - stream.start_time));
    packets += stream.packets;
  }
  if (const auto lack = analysis.verdict.parameters.find("lack"); lack != analysis.verdict.parameters.end() && lack->second == name_of(metrics::Lack::start_unanswered))
    return catalogue_.text("lack.start_unanswered");
  const auto& calls = analysis.call_verdicts;
  if (std::any_of(calls.begin(), calls.end(), [](const auto& call) { return call.lack == metrics::Lack::unread; })) return catalogue_.text("lack.unread");
  if (seconds >= metrics::shortest_call && packets >= metrics::fewest_packets) return catalogue_.text("lack.capture_lost");
  return catalogue_.text("lack.too_short", {{"span", value(span_text(seconds))},
                                            {"packets", value(std::to_string(packets))},
                                            {"least_span", value(fmt::format("{:.0f} s", metrics::shortest_call))},
                                            {"least_packets", value(std::to_string(metrics::fewest_packets))}});
}

std::string Prose::standing(const metrics::Verdict& verdict) const {
  const bool sure = verdict.verdict_class != metrics::VerdictClass::insufficient;   // of what can't be told there is no confidence
  return catalogue_.text(sure ? "verdict.standing" : "verdict.standing_untold", {{"rung", value(fmt::format("E{}", verdict.rung))},
                                              {"meaning", catalogue_.text(fmt::format("rung.{}", verdict.rung))},
                                              {"confidence", value(fmt::format("{:.3f}", verdict.confidence))}});
}

std::string Prose::alternatives(const metrics::Finding& finding, metrics::AlternativeStatus status) const {
  std::vector<std::string> names;
  for (const auto& alternative : finding.alternatives) {
    if (alternative.status != status) continue;
    const auto name = catalogue_.text("alternative." + std::string(alternative.key));
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  std::string list;
  for (const auto& name : names) list += (list.empty() ? "" : comma()) + name;
  return list;
}

std::string Prose::smallest(const metrics::Verdict& verdict, bool always) const {
  if (verdict.smallest_detectable.empty() || (!always && verdict.verdict_class != metrics::VerdictClass::clean)) return {};
  std::string list;
  for (const auto& [quantity, smallest] : verdict.smallest_detectable) {
    const auto shown = quantity == "period_count" ? fmt::format("{:.0f}", smallest) : quantity == "rate_ratio" ? fmt::format("{:.0f} %", 100 * smallest) : percent_text(smallest);
    list += (list.empty() ? " " : semicolon()) + catalogue_.text("smallest." + quantity, {{"value", value(shown)}, {"limit", value(fmt::format("{:.0f} %", 100 * metrics::impairing_loss))}});
  }
  const auto untold = verdict.parameters.find("cap_untold");
  const bool rate_told = verdict.smallest_detectable.contains("rate_ratio");
  std::string_view why = "smallest.video";
  for (const std::string_view known : {"smallest.tcp", "smallest.unread"})   // an earlier analysis may hold a stranger's word
    if (untold != verdict.parameters.end() && known.substr(known.find('.') + 1) == untold->second) why = known;
  return catalogue_.text("smallest") + list + "." + (rate_told ? "" : " " + catalogue_.text(why));
}

std::string Prose::summary(const metrics::Analysis& analysis) const {
  std::string text = headline(analysis) + ".";
  if (const auto missing = lacking(analysis); !missing.empty()) text += " " + missing;
  if (const auto* leading = leading_finding(analysis)) {
    text += " " + finding(*leading);
    std::string open = alternatives(*leading, metrics::AlternativeStatus::not_ruled_out);
    if (const auto untestable = alternatives(*leading, metrics::AlternativeStatus::untestable); !untestable.empty()) open += (open.empty() ? "" : comma()) + untestable;
    if (!open.empty()) text += " " + catalogue_.text("verdict.remaining", {{"list", open}});
  }
  if (const auto list = smallest(analysis.verdict); !list.empty()) text += " " + list;
  return text;
}

std::string Prose::finding(const metrics::Finding& finding) const {
  const std::string unknown = catalogue_.text("unknown");
  const auto rate = [&](const std::optional<double>& bits) { return bits ? value(rate_text(*bits)) : unknown; };
  const auto span = [&](const std::optional<double>& seconds) { return seconds ? value(span_text(*seconds)) : unknown; };
  const auto milliseconds = [&](const char* name) {
    const auto found = number_of(finding, name);
    return found ? value(fmt::format("{:.0f} ms", *found)) : unknown;
  };
  const auto loss = number_of(finding, "loss_ratio"), tries = number_of(finding, "tries"), longest = finding.kind == metrics::FindingKind::one_way ? number_of(finding, "silent_s") : number_of(finding, "longest_s"),
             offset = number_of(finding, "offset_bytes"), others = number_of(finding, "control_loss_ratio");
  const auto amount = [&](std::string_view unit, const std::optional<double>& of) {
    if (!of) return unknown;
    if (unit == "seconds") return span(of);
    return catalogue_.text(unit == "bytes" ? "amount.bytes" : "amount.packets", {{"amount", value(unit == "bytes" ? fmt::format("{:.1f}", *of / 1000) : fmt::format("{:.0f}", *of))}});
  };
  auto limit = amount(finding.unit, finding.limit);
  for (const char* unit : {"packets", "bytes", "seconds"})   // what can't be told from it
    if (const auto other = number_of(finding, ("or_" + std::string(unit)).c_str())) limit = catalogue_.text("amount.or", {{"one", limit}, {"other", amount(unit, other)}});
  const std::string kind(name_of(finding.kind)), mechanism(name_of(finding.mechanism));
  const Parameters parameters = {
      {"application", application(finding.application)}, {"direction", direction(finding.direction)},
      {"mechanism", catalogue_.has("mechanism." + mechanism) ? catalogue_.text("mechanism." + mechanism) : value(mechanism)}, {"rate", rate(finding.rate_bps)}, {"low", rate(finding.rate_bps_low)}, {"high", rate(finding.rate_bps_high)},
      {"period", span(finding.period_s)}, {"period_low", span(finding.period_s_low)}, {"period_high", span(finding.period_s_high)},
      {"count", finding.count ? value(std::to_string(*finding.count)) : unknown},
      {"asked", value(fmt::format("{:.0f}", number_of(finding, "asked").value_or(0)))},
      {"tries", tries ? value(fmt::format("{:.0f}", *tries)) : finding.count ? value(std::to_string(*finding.count)) : unknown},
      {"loss", loss ? value(percent_text(*loss)) : unknown}, {"others", others ? value(percent_text(*others)) : unknown}, {"jitter", milliseconds("jitter_ms")}, {"step", milliseconds("step_ms")},
      {"offset", offset ? value(fmt::format("{:.1f} kB", *offset / 1000)) : unknown}, {"quota_period", span(number_of(finding, "quota_period_s"))},
      {"limit", limit}, {"stalled", span(number_of(finding, "stalled_s"))}, {"duration", span(longest ? *longest : capture::seconds(finding.end_time - finding.start_time))}};
  const std::string exact = "finding." + kind + "." + manner_of(finding);
  return sentence_case(catalogue_.text(catalogue_.has(exact) ? exact : "finding." + kind, parameters));
}

std::string Prose::step(const classify::Attempt& attempt) const {
  const std::string exact = "step." + std::string(name_of(attempt.step));
  return catalogue_.text(catalogue_.has(exact) ? exact : "stage." + std::string(name_of(attempt.stage)));
}

std::string Prose::reason(const metrics::Alternative& alternative) const { return catalogue_.text("reason." + std::string(alternative.reason)); }

std::string_view name_of(metrics::VerdictClass verdict) {
  static constexpr std::string_view names[] = {"interference", "suspected", "impaired", "clean", "insufficient"};
  return names[static_cast<std::size_t>(verdict)];
}
std::string_view name_of(metrics::AlternativeStatus status) {
  static constexpr std::string_view names[] = {"ruled_out", "not_ruled_out", "untestable"};
  return names[static_cast<std::size_t>(status)];
}
std::string_view name_of(classify::MediaKind kind) {
  static constexpr std::string_view names[] = {"unknown", "audio", "video", "screen", "fec", "retransmission", "data"};
  return names[static_cast<std::size_t>(kind)];
}
std::string_view name_of(classify::Ending ending) {
  static constexpr std::string_view names[] = {"unknown", "bye", "fin", "rst", "close_notify", "rtcp_bye", "silence", "capture_end"};
  return names[static_cast<std::size_t>(ending)];
}
std::string_view name_of(classify::Attempt::Stage stage) {
  static constexpr std::string_view names[] = {"dns", "tcp", "tls", "udp", "signalling"};
  return names[static_cast<std::size_t>(stage)];
}
std::string_view name_of(classify::Attempt::Step step) {
  static constexpr std::string_view names[] = {"look_up", "connection", "client_hello", "message", "stun_request", "allocation", "stun_check", "dtls_hello", "datagrams", "request"};
  return names[static_cast<std::size_t>(step)];
}
std::string_view name_of(classify::Attempt::Outcome outcome) {
  static constexpr std::string_view names[] = {"answered", "no_reply", "reset", "refused", "prohibited", "nxdomain", "forged"};
  return names[static_cast<std::size_t>(outcome)];
}

std::string display_filter(const metrics::Analysis& analysis, const metrics::Finding& finding) {
  constexpr std::size_t most_flows = 8;
  std::vector<std::string> flows;                  // several flows may share a five-tuple: each is named once
  const auto& all = analysis.classification.flows;
  const auto add = [&](const capture::FiveTuple& tuple) {
    const char* ip = tuple.source.address.version == 6 ? "ipv6.addr" : "ip.addr";
    const char* port = tuple.protocol == capture::protocol::tcp ? "tcp.port" : "udp.port";
    auto filter = fmt::format("({} == {} && {} == {} && {} == {} && {} == {})", ip, tuple.source.address.text(), ip, tuple.destination.address.text(), port,
                              tuple.source.port, port, tuple.destination.port);
    if (flows.size() < most_flows && std::find(flows.begin(), flows.end(), filter) == flows.end()) flows.push_back(std::move(filter));
  };
  for (const auto id : finding.flows)
    if (const auto flow = std::find_if(all.begin(), all.end(), [&](const classify::Flow& f) { return f.id == id; }); flow != all.end()) add(flow->five_tuple);
  for (const auto id : finding.streams) {           // jitter names streams only
    if (!finding.flows.empty() || static_cast<std::size_t>(id) >= analysis.classification.streams.size()) break;
    const auto& stream = analysis.classification.streams[static_cast<std::size_t>(id)];
    add({stream.source, stream.destination, stream.over_tcp ? capture::protocol::tcp : capture::protocol::udp});
  }
  if (!flows.empty()) {
    const auto any = fmt::format("{}", fmt::join(flows, " || "));
    return finding.mechanism == metrics::Mechanism::tcp_rst || finding.kind == metrics::FindingKind::injected_reset ? "(" + any + ") && tcp.flags.reset == 1" : any;
  }
  std::string frames;
  for (std::size_t i = 0; i < finding.packets.size() && i < 40; ++i) frames += fmt::format("{}{}", i == 0 ? "" : ", ", finding.packets[i]);
  return frames.empty() ? "" : "frame.number in {" + frames + "}";
}

}  // namespace callwitness::report
