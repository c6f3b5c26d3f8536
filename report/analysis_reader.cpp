#include "report/analysis_reader.hpp"

#include "report/json_layout.hpp"
#include "report/prose.hpp"
#include "report/timestamps.hpp"

#include <nlohmann/json.hpp>

#include <charconv>
#include <cmath>
#include <limits>

namespace callwitness::report {
namespace {

using nlohmann::json;

std::string text_of(const json& from, const char* key) {
  const auto found = from.find(key);
  return found != from.end() && found->is_string() ? found->get<std::string>() : std::string();
}
const json& list_of(const json& from, const char* key) {
  static const json none = json::array();
  const auto found = from.find(key);
  return found != from.end() && found->is_array() ? *found : none;
}
/// No capture of ours gave more than some dozen; a page of more could not be read.
constexpr std::size_t most_findings = 10'000;

const json& object_of(const json& from, const char* key) {
  static const json none = json::object();
  const auto found = from.find(key);
  return found != from.end() && found->is_object() ? *found : none;
}
std::optional<double> number_of(const json& value) {
  if (!value.is_number()) return std::nullopt;
  const double number = value.get<double>();
  return std::isfinite(number) ? std::optional(number) : std::nullopt;
}
std::optional<double> number_of(const json& from, const char* key) {
  const auto found = from.find(key);
  return found == from.end() ? std::nullopt : number_of(*found);
}
std::optional<std::uint64_t> count_of(const json& from, const char* key) {
  const auto found = from.find(key);
  return found != from.end() && found->is_number_unsigned() ? std::optional(found->get<std::uint64_t>()) : std::nullopt;
}
bool flag_of(const json& from, const char* key) {
  const auto found = from.find(key);
  return found != from.end() && found->is_boolean() && found->get<bool>();
}
std::optional<capture::Time> time_of(const json& from, const char* key) { return parse_rfc3339(text_of(from, key)); }
std::vector<std::string> texts_of(const json& from, const char* key) {
  std::vector<std::string> texts;
  for (const auto& text : list_of(from, key))
    if (text.is_string()) texts.push_back(text.get<std::string>());
  return texts;
}
std::map<std::string, double> numbers_of(const json& from, const char* key) {
  std::map<std::string, double> numbers;
  for (const auto& [name, value] : object_of(from, key).items())
    if (const auto number = number_of(value)) numbers[name] = *number;
  return numbers;
}

/// "s12" → 11, if there are that many.
std::optional<std::uint32_t> index_of(std::string_view identifier, char prefix, std::size_t size) {
  std::uint32_t number = 0;
  if (identifier.size() < 2 || identifier[0] != prefix) return std::nullopt;
  const auto end = identifier.data() + identifier.size();
  const auto read = std::from_chars(identifier.data() + 1, end, number);
  return read.ec == std::errc{} && read.ptr == end && number >= 1 && number <= size ? std::optional(number - 1) : std::nullopt;
}
template <class Id>
std::vector<Id> indices_of(const json& from, const char* key, char prefix, std::size_t size) {
  std::vector<Id> ids;
  for (const auto& text : texts_of(from, key))
    if (const auto index = index_of(text, prefix, size)) ids.push_back(Id{*index});
  return ids;
}

capture::Endpoint endpoint_of(std::string_view text) {
  capture::Endpoint endpoint;
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return endpoint;
  auto address = text.substr(0, colon);
  if (address.size() > 2 && address.front() == '[' && address.back() == ']') address = address.substr(1, address.size() - 2);
  endpoint.address = capture::IpAddress::parse(address).value_or(capture::IpAddress{});
  std::from_chars(text.data() + colon + 1, text.data() + text.size(), endpoint.port);
  return endpoint;
}

/// The enumerator that name_of calls `name`; `otherwise` where none is called so.
template <class Enumeration>
Enumeration named(std::string_view name, int count, Enumeration otherwise) {
  for (int i = 0; i < count; ++i)
    if (name_of(static_cast<Enumeration>(i)) == name) return static_cast<Enumeration>(i);
  return otherwise;
}

class Reader {
 public:
  explicit Reader(StoredAnalysis& stored) : words_(*stored.words), analysis_(stored.analysis) {}

  void read(const json& document) {
    const auto& tool = object_of(document, "tool");
    analysis_.provenance = {text_of(tool, "version"), text_of(tool, "ndpi_version"), texts_of(tool, "options")};
    for (const auto& text : texts_of(object_of(document, "vantage"), "local"))
      if (const auto address = capture::IpAddress::parse(text)) analysis_.classification.vantage.local.push_back(*address);
    for (const auto& record : list_of(document, "captures")) capture(record);
    const auto &calls = list_of(document, "calls"), &streams = list_of(document, "streams");
    call_count_ = calls.size();
    stream_count_ = streams.size();
    for (const auto& record : streams) stream(record);
    for (const auto& record : calls) call(record);
    for (const auto& record : list_of(document, "attempts")) attempt(record);
    for (const auto& record : list_of(document, "controls")) control(record);
    for (const auto& record : list_of(document, "findings")) finding(record);
    verdict(object_of(document, "verdict"));
  }

 private:
  std::string_view keep(std::string text) { return words_.emplace_back(std::move(text)); }

  void capture(const json& record) {
    auto& into = analysis_.captures.emplace_back();
    into.file = capture::Untrusted(text_of(record, "file"));
    into.sha256 = text_of(record, "sha256");
    into.format = text_of(record, "format");
    into.size_bytes = count_of(record, "size_bytes").value_or(0);
    into.packets = count_of(record, "packets").value_or(0);
    into.bytes = count_of(record, "bytes").value_or(0);
    into.truncated_packets = count_of(record, "truncated_packets").value_or(0);
    into.first_time = time_of(record, "first_time");
    into.last_time = time_of(record, "last_time");
    into.dropped_by_capture = count_of(record, "dropped_by_capture");
    into.damaged = flag_of(record, "damaged");
    into.problems = texts_of(record, "problems");
    for (auto& text : texts_of(record, "comments")) into.comments.emplace_back(std::move(text));
    for (const auto& [name, count] : object_of(record, "anomalies").items())
      if (count.is_number_unsigned()) into.anomalies.count(name, count.get<std::uint64_t>());
  }

  metrics::Series series(const json& from, const char* key) {
    metrics::Series series;
    const auto& record = object_of(from, key);
    series.start = time_of(record, "start_time").value_or(capture::Time{});
    series.step = capture::from_seconds(std::clamp(number_of(record, "step_s").value_or(1), 1e-3, 1e6));
    for (const auto& value : list_of(record, "values")) series.values.push_back(number_of(value));
    return series;
  }

  void stream(const json& record) {
    auto& identity = analysis_.classification.streams.emplace_back();
    auto& into = analysis_.streams.emplace_back();
    identity.id = into.id = classify::StreamId{static_cast<std::uint32_t>(analysis_.streams.size() - 1)};
    if (const auto of = index_of(text_of(record, "call"), 'c', call_count_)) identity.call = into.call = classify::CallId{*of};
    identity.label.application = keep(text_of(record, "application"));
    identity.over_tcp = text_of(record, "transport") == "tcp";
    identity.source = endpoint_of(text_of(record, "src"));
    identity.destination = endpoint_of(text_of(record, "dst"));
    identity.kind = named(text_of(record, "media"), 7, classify::MediaKind::unknown);
    into.codec = text_of(record, "codec");
    const auto direction = text_of(record, "direction");
    into.direction_known = direction == "sent" || direction == "received";
    into.direction = direction == "received" ? metrics::Direction::received : metrics::Direction::sent;
    into.start_time = time_of(record, "start_time").value_or(capture::Time{});
    into.end_time = time_of(record, "end_time").value_or(into.start_time);
    into.packets = count_of(record, "packets").value_or(0);
    into.bytes = count_of(record, "bytes").value_or(0);
    into.expected = count_of(record, "expected");
    into.lost = count_of(record, "lost");
    into.loss_ratio = number_of(record, "loss_ratio");
    into.loss_basis = keep(text_of(record, "loss_basis"));
    into.jitter_ms = number_of(record, "jitter_ms");
    into.jitter_max_ms = number_of(record, "jitter_max_ms");
    into.rtt_ms = number_of(record, "rtt_ms");
    into.mos = number_of(record, "mos");
    into.mos_grounded = flag_of(record, "mos_grounded");
    const auto& rate = object_of(record, "bitrate_bps");
    if (const auto mean = number_of(rate, "mean"))
      into.bitrate_bps = metrics::BitrateSummary{*mean, number_of(rate, "p5").value_or(*mean), number_of(rate, "p50").value_or(*mean),
                                                 number_of(rate, "p95").value_or(*mean), number_of(rate, "max").value_or(*mean)};
    const auto& all = object_of(record, "series");
    into.bitrate = series(all, "bitrate_bps");
    into.loss = series(all, "loss_ratio");
    into.delay = series(all, "delay_ms");
  }

  static metrics::CallOutcome outcome_of(const json& record, classify::CallId call) {
    using Kind = metrics::CallOutcome::Kind;
    metrics::CallOutcome outcome;
    outcome.call = call;
    const auto kind = text_of(record, "outcome");
    for (const auto each : {Kind::completed, Kind::one_way, Kind::died, Kind::never_answered, Kind::declined, Kind::moved, Kind::open})
      if (name_of(each) == kind) outcome.kind = each;
    const auto& detail = object_of(record, "outcome_detail");
    const auto sent = static_cast<std::size_t>(metrics::Direction::sent), received = static_cast<std::size_t>(metrics::Direction::received);
    outcome.after_s = number_of(detail, "after_s");
    outcome.packets[sent] = count_of(detail, "packets_sent").value_or(0);
    outcome.packets[received] = count_of(detail, "packets_received").value_or(0);
    outcome.bytes[sent] = count_of(detail, "bytes_sent").value_or(0);
    outcome.bytes[received] = count_of(detail, "bytes_received").value_or(0);
    const auto missing = text_of(detail, "missing");
    if (!missing.empty()) outcome.missing = missing == "sent" ? metrics::Direction::sent : metrics::Direction::received;
    outcome.silent_s = number_of(detail, "silent_s").value_or(0);
    outcome.hung_up_after_s = number_of(detail, "hung_up_after_s");
    outcome.interruptions = count_of(detail, "interruptions").value_or(0);
    return outcome;
  }

  void call(const json& record) {
    auto& into = analysis_.classification.calls.emplace_back();
    into.id = classify::CallId{static_cast<std::uint32_t>(analysis_.classification.calls.size() - 1)};
    into.label.application = keep(text_of(record, "application"));
    into.label.confidence = number_of(record, "application_confidence").value_or(0);
    into.owner = capture::Untrusted(text_of(record, "program"));
    into.streams = indices_of<classify::StreamId>(record, "streams", 's', stream_count_);
    into.start_time = time_of(record, "start_time").value_or(capture::Time{});
    into.end_time = time_of(record, "end_time").value_or(into.start_time);
    const auto ends = texts_of(record, "endpoints");
    into.local_endpoint = endpoint_of(ends.size() == 2 ? ends[0] : text_of(record, "local"));
    into.remote_endpoint = endpoint_of(ends.size() == 2 ? ends[1] : text_of(record, "remote"));
    if (!text_of(record, "local").empty()) into.local = into.local_endpoint.address;
    into.ended_by = named(text_of(record, "ended_by"), 8, classify::Ending::none);
    analysis_.outcomes.push_back(outcome_of(record, into.id));
    for (const auto& opinion : list_of(record, "ndpi")) into.ndpi.push_back({text_of(opinion, "label"), keep(text_of(opinion, "certainty"))});
    for (const auto& part : list_of(record, "parts")) {
      auto& kept = into.parts.emplace_back();
      kept.first_time = time_of(part, "start_time").value_or(into.start_time);
      kept.last_time = time_of(part, "end_time").value_or(kept.first_time);
      kept.ended_by = named(text_of(part, "ended_by"), 8, classify::Ending::none);
    }
    const auto& verdict = object_of(record, "verdict");
    if (verdict.empty()) return;           // of a version that judged captures only
    auto& judged = analysis_.call_verdicts.emplace_back();
    judged.call = into.id;
    judged.verdict_class = named(text_of(verdict, "class"), 5, metrics::VerdictClass::insufficient);
    judged.key = text_of(verdict, "key");
    judged.lack = named(text_of(verdict, "lack"), 5, metrics::Lack::none);
    for (const auto& name : texts_of(verdict, "findings"))
      if (const auto index = index_of(name, 'f', most_findings)) judged.findings.push_back(*index);
    if (const auto leading = index_of(text_of(verdict, "leading"), 'f', most_findings)) judged.leading = *leading;
  }

  void attempt(const json& record) {
    auto& into = analysis_.classification.attempts.emplace_back();
    into.application = keep(text_of(record, "application"));
    into.stage = named(text_of(record, "stage"), 5, classify::Attempt::Stage::dns);
    into.step = named(text_of(record, "step"), 10, classify::Attempt::Step::look_up);
    into.source = capture::IpAddress::parse(text_of(record, "host")).value_or(capture::IpAddress{});
    const auto number = [&](const char* key) { return static_cast<std::uint32_t>(std::min<std::uint64_t>(count_of(record, key).value_or(0), std::numeric_limits<std::uint32_t>::max())); };
    into.asked = number("asked");
    into.superseded = number("superseded");
    into.outcome = named(text_of(record, "outcome"), 7, classify::Attempt::Outcome::no_reply);
    into.target = capture::Untrusted(text_of(record, "target"));
    into.first_time = time_of(record, "first_time").value_or(capture::Time{});
    into.last_time = time_of(record, "last_time").value_or(into.first_time);
    into.tries = static_cast<std::uint32_t>(std::min<std::uint64_t>(count_of(record, "tries").value_or(1), std::numeric_limits<std::uint32_t>::max()));
  }

  classify::FlowId flow(const json& record) {
    auto& into = analysis_.classification.flows.emplace_back();
    into.id = classify::FlowId{static_cast<std::uint32_t>(analysis_.classification.flows.size() - 1)};
    into.five_tuple = {endpoint_of(text_of(record, "src")), endpoint_of(text_of(record, "dst")),
                       static_cast<std::uint8_t>(std::min<std::uint64_t>(count_of(record, "protocol").value_or(0), 255))};
    return into.id;
  }

  void finding(const json& record) {
    const auto kind = metrics::finding_kind_named(text_of(record, "kind"));
    if (!kind) return;                     // of another version: nothing here could tell of it
    auto& into = analysis_.findings.emplace_back();
    into.kind = *kind;
    into.mechanism = metrics::mechanism_named(text_of(record, "mechanism"));
    const auto direction = text_of(record, "direction");
    if (direction == "sent" || direction == "received") into.direction = direction == "sent" ? metrics::Direction::sent : metrics::Direction::received;
    into.application = keep(text_of(record, "application"));
    into.calls = indices_of<classify::CallId>(record, "calls", 'c', call_count_);
    into.streams = indices_of<classify::StreamId>(record, "streams", 's', stream_count_);
    for (const auto& described : list_of(record, "flows")) into.flows.push_back(flow(described));
    into.start_time = time_of(record, "start_time").value_or(capture::Time{});
    into.end_time = time_of(record, "end_time").value_or(into.start_time);
    into.confidence = number_of(record, "confidence").value_or(0);
    into.rate_bps = number_of(record, "rate_bps");
    into.rate_bps_low = number_of(record, "rate_bps_low");
    into.rate_bps_high = number_of(record, "rate_bps_high");
    into.burst_bytes = number_of(record, "burst_bytes");
    into.period_s = number_of(record, "period_s");
    into.period_s_low = number_of(record, "period_s_low");
    into.period_s_high = number_of(record, "period_s_high");
    into.limit = number_of(record, "limit");
    into.limit_low = number_of(record, "limit_low");
    into.limit_high = number_of(record, "limit_high");
    into.unit = keep(text_of(record, "unit"));
    into.way = keep(text_of(record, "way"));
    into.count = count_of(record, "count");
    const auto& scope = object_of(record, "scope");
    into.scope = {named(text_of(scope, "class"), 6, metrics::ScopeClass::unknown), keep(text_of(scope, "reason_key"))};
    const auto& strength = object_of(record, "strength");
    if (const auto ratio = number_of(strength, "log10_likelihood_ratio")) into.strength = metrics::Strength{*ratio, keep(text_of(strength, "against"))};
    const auto& evidence = object_of(record, "evidence");
    for (const auto& ordinal : list_of(evidence, "packets"))
      if (ordinal.is_number_unsigned()) into.packets.push_back(ordinal.get<std::uint64_t>());
    into.numbers = numbers_of(evidence, "numbers");
    for (const auto& other : list_of(record, "alternatives"))
      into.alternatives.push_back({keep(text_of(other, "key")), named(text_of(other, "status"), 3, metrics::AlternativeStatus::untestable),
                                   keep(text_of(other, "reason_key")), numbers_of(other, "numbers")});
  }

  void control(const json& record) {
    const auto call = index_of(text_of(record, "call"), 'c', call_count_);
    if (!call) return;
    auto& into = analysis_.controls.emplace_back();
    into.call = classify::CallId{*call};
    into.direction = text_of(record, "direction") == "sent" ? metrics::Direction::sent : metrics::Direction::received;
    into.metric = keep(text_of(record, "metric"));
    into.call_value = number_of(record, "call_value");
    into.control_value = number_of(record, "control_value");
    into.n_call = count_of(record, "n_call").value_or(0);
    into.n_control = count_of(record, "n_control").value_or(0);
    into.effect = number_of(record, "effect");
    into.effect_low = number_of(record, "effect_low");
    into.effect_high = number_of(record, "effect_high");
  }

  void verdict(const json& record) {
    auto& into = analysis_.verdict;
    into.verdict_class = named(text_of(record, "class"), 5, metrics::VerdictClass::insufficient);
    into.key = text_of(record, "key");
    if (const auto leading = index_of(text_of(record, "leading"), 'f', analysis_.findings.size())) into.leading = *leading;
    const auto rung = text_of(record, "rung");
    if (rung.size() == 2 && rung[0] == 'E' && rung[1] >= '0' && rung[1] <= '4') into.rung = rung[1] - '0';
    into.confidence = number_of(record, "confidence").value_or(0);
    for (const auto& [name, value] : object_of(record, "parameters").items())
      if (value.is_string()) into.parameters[name] = value.get<std::string>();
    const auto& calls = object_of(record, "calls");
    for (std::size_t i = 0; i < into.calls.size(); ++i)
      into.calls[i] = static_cast<std::size_t>(count_of(calls, std::string(name_of(static_cast<metrics::VerdictClass>(i))).c_str()).value_or(0));
    into.smallest_detectable = numbers_of(record, "smallest_detectable");
    into.would_help = texts_of(record, "would_help");
  }

  std::deque<std::string>& words_;
  metrics::Analysis& analysis_;
  std::size_t call_count_ = 0, stream_count_ = 0;
};

}  // namespace

bool looks_like_analysis(std::string_view beginning) {
  const auto first = beginning.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && beginning[first] == '{';
}

capture::Result<StoredAnalysis> read_analysis(std::string_view text, const std::string& name) {
  const auto unreadable = [&](const char* reason) {
    return capture::Error{capture::Error::Kind::unreadable, "read the analysis " + name, reason, "make one with: callwitness analyze --format json -o FILE CAPTURE"};
  };
  if (!is_shallow(text)) return unreadable("it is nested deeper than any analysis");
  const auto document = json::parse(text, nullptr, false);
  if (!document.is_object() || !text_of(document, "schema_version").starts_with("2.") || object_of(document, "verdict").empty())
    return unreadable("it is no analysis of schema version 2");
  if (list_of(document, "findings").size() > most_findings) return unreadable("it lists more findings than any analysis");
  StoredAnalysis stored{std::make_unique<std::deque<std::string>>(), {}};
  Reader(stored).read(document);
  return stored;
}

}  // namespace callwitness::report
