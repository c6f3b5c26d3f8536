#include "report/encode.hpp"
#include "report/prose.hpp"
#include "report/timestamps.hpp"
#include "report/writer.hpp"

#include <fmt/format.h>

namespace callwitness::report {
namespace {

/// A number of our own needs no quotes and can't be a formula unless negative: then it is still a number.
std::string plain(const std::optional<double>& value) { return value ? fmt::format("{:.6g}", *value) : ""; }
std::string whole(const std::optional<std::uint64_t>& value) { return value ? std::to_string(*value) : ""; }
std::string_view direction_of(const std::optional<metrics::Direction>& direction) {
  return !direction ? "" : *direction == metrics::Direction::sent ? "sent" : "received";
}

}  // namespace

void write_csv(const metrics::Analysis& analysis, std::ostream& out) {
  out << "record,id,call,application,kind,direction,source,destination,start_time,end_time,packets,expected,lost,loss_ratio,jitter_ms,rtt_ms,"
         "mean_bitrate_bps,mos,mechanism,confidence,rate_bps,rate_bps_low,rate_bps_high,period_s,count\r\n";
  for (const auto& stream : analysis.streams) {
    const auto& identity = analysis.classification.streams[static_cast<std::size_t>(stream.id)];
    const auto direction = stream.direction_known ? std::optional(stream.direction) : std::nullopt;
    out << fmt::format("stream,s{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},,,,,,,\r\n", static_cast<std::uint32_t>(stream.id) + 1,
                       stream.call ? fmt::format("c{}", static_cast<std::uint32_t>(*stream.call) + 1) : "", for_csv(identity.label.application), name_of(identity.kind),
                       direction_of(direction), for_csv(identity.source.text()), for_csv(identity.destination.text()), rfc3339(stream.start_time), rfc3339(stream.end_time),
                       stream.packets, whole(stream.expected), whole(stream.lost), plain(stream.loss_ratio), plain(stream.jitter_ms), plain(stream.rtt_ms),
                       stream.bitrate_bps ? plain(stream.bitrate_bps->mean) : "", plain(stream.mos));
  }
  for (const auto& attempt : analysis.classification.attempts)
    out << fmt::format("attempt,,,{},{},,,{},{},{},{},,,,,,,,{},,,,,,\r\n", for_csv(attempt.application), name_of(attempt.stage), for_csv(attempt.target),
                       rfc3339(attempt.first_time), rfc3339(attempt.last_time), attempt.tries, name_of(attempt.outcome));
  for (std::size_t i = 0; i < analysis.findings.size(); ++i) {
    const auto& finding = analysis.findings[i];
    out << fmt::format("finding,f{},,{},{},{},,,{},{},,,,,,,,,{},{},{},{},{},{},{}\r\n", i + 1, for_csv(finding.application), name_of(finding.kind), direction_of(finding.direction),
                       rfc3339(finding.start_time), rfc3339(finding.end_time), name_of(finding.mechanism), plain(finding.confidence), plain(finding.rate_bps),
                       plain(finding.rate_bps_low), plain(finding.rate_bps_high), plain(finding.period_s), whole(finding.count));
  }
  out << fmt::format("verdict,,,,{},,,,,,,,,,,,,,{},{},,,,,\r\n", name_of(analysis.verdict.verdict_class), analysis.verdict.key, plain(analysis.verdict.confidence));
}

}  // namespace callwitness::report
