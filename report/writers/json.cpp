// The machine-readable document (docs/report-schema.json). Keys come sorted, numbers rounded to a fixed precision, so the
// same analysis gives the same bytes. null: could not be measured.
#include "report/encode.hpp"
#include "report/json_layout.hpp"
#include "report/prose.hpp"
#include "report/timestamps.hpp"
#include "report/writer.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <fmt/format.h>

namespace callwitness::report {
namespace {

using nlohmann::json;
using report::name_of;
using metrics::Analysis;

constexpr int precision = 6;   // decimals; finer than any clock or estimate here

json number(double value) {
  if (!std::isfinite(value)) return nullptr;
  const double scale = std::pow(10.0, precision);
  return std::round(value * scale) / scale;
}
json number(const std::optional<double>& value) { return value ? number(*value) : json(nullptr); }
template <class Integer>
json whole(const std::optional<Integer>& value) {
  return value ? json(*value) : json(nullptr);
}
json rate(const std::optional<double>& value) { return value ? json(std::llround(*value)) : json(nullptr); }
json text_or_null(std::string_view text) { return text.empty() ? json(nullptr) : json(text); }
json time_or_null(const std::optional<capture::Time>& time) { return time ? json(rfc3339(*time)) : json(nullptr); }
json numbers(const std::map<std::string, double>& values) {
  json object = json::object();
  for (const auto& [key, value] : values) object[key] = number(value);
  return object;
}

std::string_view name_of(metrics::Direction direction) {
  return direction == metrics::Direction::sent ? "sent" : "received";
}
std::string_view name_of(classify::Signalling signalling) {
  static constexpr std::string_view names[] = {"", "sip", "rtsp", "h323", "mgcp", "skinny", "stun", "application"};
  return names[static_cast<std::size_t>(signalling)];
}

template <class Id>
std::string identifier(char prefix, Id id) {
  return fmt::format("{}{}", prefix, static_cast<std::uint32_t>(id) + 1);
}
template <class Id>
json identifiers(char prefix, const std::vector<Id>& ids) {
  json list = json::array();
  for (const Id id : ids) list.push_back(identifier(prefix, id));
  return list;
}

json capture_record(const capture::CaptureRecord& capture) {
  json comments = json::array();
  for (const auto& comment : capture.comments) comments.push_back(std::string(comment.raw()));
  const bool spans = capture.first_time && capture.last_time;
  return {{"file", std::string(capture.file.raw())},
          {"sha256", text_or_null(capture.sha256)},
          {"format", capture.format},
          {"link_types", capture.link_types},
          {"packets", capture.packets},
          {"bytes", capture.bytes},
          {"first_time", time_or_null(capture.first_time)},
          {"last_time", time_or_null(capture.last_time)},
          {"duration_s", spans ? number(capture::seconds(*capture.last_time - *capture.first_time)) : json(nullptr)},
          {"dropped_by_capture", whole(capture.dropped_by_capture)},
          {"truncated_packets", capture.truncated_packets},
          {"size_bytes", capture.size_bytes},
          {"damaged", capture.damaged},
          {"anomalies", capture.anomalies.counts()},
          {"problems", capture.problems},
          {"comments", comments}};
}

json part_record(const classify::CallPart& part) {
  return {{"start_time", rfc3339(part.first_time)}, {"end_time", rfc3339(part.last_time)}, {"ended_by", name_of(part.ended_by)}};
}

json call_verdict(const Analysis& analysis, const classify::Call& call) {
  const auto index = static_cast<std::size_t>(call.id);
  if (index >= analysis.call_verdicts.size()) return nullptr;
  const auto& verdict = analysis.call_verdicts[index];
  json findings = json::array();
  for (const auto finding : verdict.findings) findings.push_back(fmt::format("f{}", finding + 1));
  return {{"class", name_of(verdict.verdict_class)}, {"key", verdict.key}, {"leading", verdict.leading ? json(fmt::format("f{}", *verdict.leading + 1)) : json(nullptr)},
          {"lack", text_or_null(name_of(verdict.lack))}, {"findings", findings}};
}

/// After how much a call died or fell silent, and which way.
json outcome_record(const metrics::CallOutcome& outcome) {
  const auto value = [](const std::optional<double>& of) { return of ? number(*of) : json(nullptr); };
  const auto sent = static_cast<std::size_t>(metrics::Direction::sent), received = static_cast<std::size_t>(metrics::Direction::received);
  const bool counted = outcome.packets[sent] + outcome.packets[received] > 0;
  const auto count = [&](std::uint64_t of) { return counted ? json(of) : json(nullptr); };
  return {{"after_s", value(outcome.after_s)},
          {"packets_sent", count(outcome.packets[sent])}, {"packets_received", count(outcome.packets[received])},
          {"bytes_sent", count(outcome.bytes[sent])}, {"bytes_received", count(outcome.bytes[received])},
          {"missing", outcome.missing ? json(*outcome.missing == metrics::Direction::sent ? "sent" : "received") : json(nullptr)},
          {"silent_s", number(outcome.silent_s)}, {"hung_up_after_s", value(outcome.hung_up_after_s)},
          {"interruptions", outcome.interruptions}};
}

json call_record(const Analysis& analysis, const classify::Call& call) {
  json parts = json::array();
  for (const auto& part : call.parts) parts.push_back(part_record(part));
  std::set<std::string_view> media;
  for (const auto id : call.streams) {
    const auto kind = analysis.classification.streams[static_cast<std::size_t>(id)].kind;
    if (kind != classify::MediaKind::unknown) media.insert(name_of(kind));
  }
  json opinions = json::array();
  for (const auto& opinion : call.ndpi) opinions.push_back({{"label", opinion.label}, {"certainty", opinion.certainty}});
  const auto index = static_cast<std::size_t>(call.id);
  const metrics::CallOutcome* const outcome = index < analysis.outcomes.size() ? &analysis.outcomes[index] : nullptr;
  return {{"id", identifier('c', call.id)},
          {"ndpi", opinions},
          {"application", text_or_null(call.label.application)},
          {"application_confidence", number(call.label.confidence)},
          {"program", call.owner.empty() ? json(nullptr) : json(std::string(call.owner.raw()))},
          {"media", media},
          {"start_time", rfc3339(call.start_time)},
          {"end_time", rfc3339(call.end_time)},
          {"duration_s", number(capture::seconds(call.end_time - call.start_time))},
          {"local", call.local ? json(call.local_endpoint.text()) : json(nullptr)},
          {"remote", call.local ? json(call.remote_endpoint.text()) : json(nullptr)},
          {"endpoints", {call.local_endpoint.text(), call.remote_endpoint.text()}},
          {"parts", parts},
          {"streams", identifiers('s', call.streams)},
          {"reconnects", call.parts.empty() ? 0 : call.parts.size() - 1},
          {"ended_by", name_of(call.ended_by)},
          {"outcome", outcome == nullptr ? json(nullptr) : json(std::string(name_of(outcome->kind)))},
          {"outcome_detail", outcome == nullptr ? json(nullptr) : outcome_record(*outcome)},
          {"signalling", text_or_null(name_of(call.signalling))},
          {"verdict", call_verdict(analysis, call)}};
}

/// What happened second by second, so that a page can be drawn without the packets. A bin may be unknown.
json series_record(const metrics::Series& series, double decimals) {
  json values = json::array();
  for (const auto& value : series.values)
    values.push_back(value && std::isfinite(*value) ? json(std::round(*value * decimals) / decimals) : json(nullptr));
  return {{"start_time", rfc3339(series.start)}, {"step_s", number(capture::seconds(series.step))}, {"values", values}};
}

json stream_record(const Analysis& analysis, const metrics::StreamMeasures& measures) {
  const auto& stream = analysis.classification.streams[static_cast<std::size_t>(measures.id)];
  json bitrate = nullptr;
  if (const auto& b = measures.bitrate_bps) {
    bitrate = {{"mean", rate(b->mean)}, {"p5", rate(b->p5)}, {"p50", rate(b->p50)}, {"p95", rate(b->p95)}, {"max", rate(b->max)}};
  }
  return {{"id", identifier('s', stream.id)},
          {"call", measures.call ? json(identifier('c', *measures.call)) : json(nullptr)},
          {"application", text_or_null(stream.label.application)},
          {"transport", stream.over_tcp ? "tcp" : "udp"},
          {"src", stream.source.text()},
          {"dst", stream.destination.text()},
          {"direction", measures.direction_known ? json(name_of(measures.direction)) : json(nullptr)},
          {"media", name_of(stream.kind)},
          {"ssrc", stream.ssrc ? json(fmt::format("0x{:08x}", *stream.ssrc)) : json(nullptr)},
          {"payload_type", stream.payload_type < 0 ? json(nullptr) : json(stream.payload_type)},
          {"codec", text_or_null(measures.codec.empty() ? stream.codec : measures.codec)},
          {"clock_rate_hz", measures.clock_rate_hz == 0 ? json(nullptr) : json(measures.clock_rate_hz)},
          {"start_time", rfc3339(measures.start_time)},
          {"end_time", rfc3339(measures.end_time)},
          {"packets", measures.packets},
          {"bytes", measures.bytes},
          {"expected", whole(measures.expected)},
          {"lost", whole(measures.lost)},
          {"loss_ratio", number(measures.loss_ratio)},
          {"loss_basis", text_or_null(measures.loss_basis)},
          {"duplicates", measures.duplicates},
          {"reordered", measures.reordered},
          {"max_loss_run", whole(measures.max_loss_run)},
          {"burst_density", number(measures.burst_density)},
          {"gap_density", number(measures.gap_density)},
          {"burst_ratio", number(measures.burst_ratio)},
          {"jitter_ms", number(measures.jitter_ms)},
          {"jitter_max_ms", number(measures.jitter_max_ms)},
          {"delay_trend_ms", number(measures.delay_trend_ms)},
          {"rtt_ms", number(measures.rtt_ms)},
          {"bitrate_bps", bitrate},
          {"mos", number(measures.mos)},
          {"mos_grounded", measures.mos_grounded},
          {"r_factor", number(measures.r_factor)},
          {"series", {{"bitrate_bps", series_record(measures.bitrate, 1)},
                      {"loss_ratio", series_record(measures.loss, 1e6)},
                      {"delay_ms", series_record(measures.delay, 1e6)}}}};
}

json attempt_record(const classify::Attempt& attempt) {
  return {{"application", text_or_null(attempt.application)},
          {"stage", name_of(attempt.stage)},
          {"step", name_of(attempt.step)},
          {"host", attempt.source.version == 0 ? json(nullptr) : json(attempt.source.text())},
          {"asked", attempt.asked},
          {"superseded", attempt.superseded},
          {"target", std::string(attempt.target.raw())},
          {"first_time", rfc3339(attempt.first_time)},
          {"last_time", rfc3339(attempt.last_time)},
          {"tries", attempt.tries},
          {"outcome", name_of(attempt.outcome)}};
}

/// The flows of a finding by what they are: numbers of flows mean nothing outside a run.
json flows_of(const Analysis& analysis, const metrics::Finding& finding) {
  json list = json::array();
  const auto& all = analysis.classification.flows;
  for (const auto id : finding.flows) {
    const auto flow = std::find_if(all.begin(), all.end(), [&](const classify::Flow& f) { return f.id == id; });
    if (flow == all.end()) continue;
    const auto& tuple = flow->five_tuple;
    list.push_back({{"protocol", tuple.protocol}, {"src", tuple.source.text()}, {"dst", tuple.destination.text()}});
  }
  return list;
}

json strength_record(const std::optional<metrics::Strength>& strength) {
  if (!strength) return nullptr;
  return {{"log10_likelihood_ratio", number(strength->log10_likelihood_ratio)}, {"against", text_or_null(strength->against)}, {"words", metrics::words_of(*strength)}};
}

json finding_record(const Analysis& analysis, const metrics::Finding& finding, std::size_t index) {
  const Prose prose("en");
  json alternatives = json::array();
  for (const auto& alternative : finding.alternatives) {
    alternatives.push_back({{"key", alternative.key},
                            {"status", name_of(alternative.status)},
                            {"reason", prose.reason(alternative)},
                            {"reason_key", alternative.reason},
                            {"numbers", numbers(alternative.numbers)}});
  }
  return {{"id", fmt::format("f{}", index + 1)},
          {"kind", name_of(finding.kind)},
          {"mechanism", text_or_null(name_of(finding.mechanism))},
          {"direction", finding.direction ? json(name_of(*finding.direction)) : json(nullptr)},
          {"application", text_or_null(finding.application)},
          {"calls", identifiers('c', finding.calls)},
          {"streams", identifiers('s', finding.streams)},
          {"start_time", rfc3339(finding.start_time)},
          {"end_time", rfc3339(finding.end_time)},
          {"confidence", number(finding.confidence)},
          {"rate_bps", rate(finding.rate_bps)},
          {"rate_bps_low", rate(finding.rate_bps_low)},
          {"rate_bps_high", rate(finding.rate_bps_high)},
          {"burst_bytes", rate(finding.burst_bytes)},
          {"period_s", number(finding.period_s)},
          {"period_s_low", number(finding.period_s_low)},
          {"period_s_high", number(finding.period_s_high)},
          {"limit", number(finding.limit)},
          {"limit_low", number(finding.limit_low)},
          {"limit_high", number(finding.limit_high)},
          {"unit", text_or_null(finding.unit)},
          {"way", text_or_null(finding.way)},
          {"count", whole(finding.count)},
          {"scope", {{"class", name_of(finding.scope.scope_class)}, {"reason", finding.scope.reason.empty() ? json(nullptr) : json(prose.catalogue().text("reason." + std::string(finding.scope.reason)))},
                     {"reason_key", text_or_null(finding.scope.reason)}}},
          {"strength", strength_record(finding.strength)},
          {"evidence", {{"packets", finding.packets}, {"numbers", numbers(finding.numbers)}}},
          {"flows", flows_of(analysis, finding)},
          {"display_filter", text_or_null(display_filter(analysis, finding))},
          {"alternatives", alternatives}};
}

json control_record(const metrics::ControlMeasure& measure) {
  return {{"call", identifier('c', measure.call)},
          {"direction", name_of(measure.direction)},
          {"metric", measure.metric},
          {"call_value", number(measure.call_value)},
          {"control_value", number(measure.control_value)},
          {"effect", number(measure.effect)},
          {"effect_low", number(measure.effect_low)},
          {"effect_high", number(measure.effect_high)},
          {"n_call", measure.n_call},
          {"n_control", measure.n_control}};
}

json verdict_record(const Analysis& analysis) {
  const auto& verdict = analysis.verdict;
  json calls = {{"total", std::accumulate(verdict.calls.begin(), verdict.calls.end(), std::size_t{0})}};
  for (std::size_t i = 0; i < verdict.calls.size(); ++i) calls[std::string(name_of(static_cast<metrics::VerdictClass>(i)))] = verdict.calls[i];
  return {{"calls", calls},
          {"class", name_of(verdict.verdict_class)},
          {"key", verdict.key},
          {"leading", verdict.leading ? json(fmt::format("f{}", *verdict.leading + 1)) : json(nullptr)},
          {"rung", fmt::format("E{}", verdict.rung)},
          {"confidence", number(verdict.confidence)},
          {"summary", Prose("en").summary(analysis)},
          {"parameters", verdict.parameters},
          {"smallest_detectable", numbers(verdict.smallest_detectable)},
          {"would_help", verdict.would_help}};
}

json tool_record(const metrics::Provenance& provenance) {
  return {{"name", "callwitness"}, {"version", provenance.version}, {"ndpi_version", text_or_null(provenance.ndpi_version)},
          {"options", provenance.options}};
}

json vantage_record(const classify::Vantage& vantage) {
  json local = json::array();
  for (const auto& address : vantage.local) local.push_back(address.text());
  return {{"local", local}, {"confidence", number(vantage.confidence)}};
}

/// The lists of the document, by key.
std::map<std::string, std::vector<json>> records(const Analysis& analysis) {
  std::map<std::string, std::vector<json>> lists = {{"captures", {}}, {"calls", {}}, {"streams", {}}, {"attempts", {}}, {"controls", {}}, {"findings", {}}};
  for (const auto& capture : analysis.captures) lists["captures"].push_back(capture_record(capture));
  for (const auto& call : analysis.classification.calls) lists["calls"].push_back(call_record(analysis, call));
  for (const auto& stream : analysis.streams) lists["streams"].push_back(stream_record(analysis, stream));
  for (const auto& attempt : analysis.classification.attempts) lists["attempts"].push_back(attempt_record(attempt));
  for (const auto& measure : analysis.controls) lists["controls"].push_back(control_record(measure));
  for (std::size_t i = 0; i < analysis.findings.size(); ++i) lists["findings"].push_back(finding_record(analysis, analysis.findings[i], i));
  return lists;
}

/// What of the evidence beside the document can be said: packets by their numbers there, and what they were taken from.
void add_bundle(json& document, const Analysis& analysis, const BundleFacts& bundle) {
  for (std::size_t i = 0; i < analysis.findings.size(); ++i) {
    json frames = json::array();
    for (const auto ordinal : analysis.findings[i].packets)
      if (const auto frame = bundle.frames.find(ordinal); frame != bundle.frames.end()) frames.push_back(frame->second);
    document["findings"][i]["evidence"]["frames"] = frames;
  }
  json sources = json::array();
  for (const auto& source : bundle.derived_from)
    sources.push_back({{"sha256", text_or_null(source.sha256)}, {"size_bytes", source.size_bytes}, {"packets", source.packets}});
  document["bundle"] = {{"anonymised", bundle.anonymised}, {"packets", bundle.packets}, {"control_packets", bundle.control},
                        {"left_out_packets", bundle.left_out}, {"derived_from", sources}, {"changed", bundle.changed}};
}

/// Bytes that aren't UTF-8 become U+FFFD; control characters are escaped by the library.
std::string dump(const json& value, int indent) { return for_json(value.dump(indent, ' ', false, json::error_handler_t::replace)); }

constexpr const char* schema_version = "2.0.0";

}  // namespace

void write_json(const Analysis& analysis, std::ostream& out, const BundleFacts* bundle) {
  json document = {{"schema_version", schema_version}, {"tool", tool_record(analysis.provenance)}, {"verdict", verdict_record(analysis)},
                   {"vantage", vantage_record(analysis.classification.vantage)}};
  for (const auto& [key, list] : records(analysis)) document[key] = list;
  if (bundle != nullptr) add_bundle(document, analysis, *bundle);
  out << lists_on_one_line(dump(document, 1)) << '\n';
}

void write_ndjson(const Analysis& analysis, std::ostream& out) {
  static const std::map<std::string, std::string> singular = {
      {"captures", "capture"}, {"calls", "call"}, {"streams", "stream"}, {"attempts", "attempt"}, {"controls", "control"}, {"findings", "finding"}};
  out << dump({{"record", "tool"}, {"schema_version", schema_version}, {"tool", tool_record(analysis.provenance)}}, -1) << '\n';
  for (auto& [key, list] : records(analysis)) {
    for (json record : list) {
      record["record"] = singular.at(key);
      out << dump(record, -1) << '\n';
    }
  }
  json verdict = verdict_record(analysis);
  verdict["record"] = "verdict";
  out << dump(verdict, -1) << '\n';
}

}  // namespace callwitness::report
