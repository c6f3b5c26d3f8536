#include "tests/support/sample_analysis.hpp"

namespace callwitness::test {
namespace {

const capture::Time start = capture::Time(std::chrono::sys_days(std::chrono::year(2026) / 6 / 1)) + std::chrono::hours(7);
capture::Endpoint endpoint(std::uint32_t address, std::uint16_t port) { return {capture::IpAddress::v4(address), port}; }

metrics::StreamMeasures measures(std::uint32_t id, metrics::Direction direction, double kilobits, double loss) {
  metrics::StreamMeasures m;
  m.id = metrics::StreamId{id};
  m.call = metrics::CallId{0};
  m.direction = direction;
  m.direction_known = true;
  m.start_time = start;
  m.end_time = start + std::chrono::seconds(60);
  m.packets = 3000;
  m.bytes = 600000;
  m.expected = 3000;
  m.lost = static_cast<std::uint64_t>(3000 * loss);
  m.loss_ratio = loss;
  m.loss_basis = "sequence";
  m.jitter_ms = 1.25;
  m.bitrate_bps = metrics::BitrateSummary{kilobits * 1e3, kilobits * 1e3, kilobits * 1e3, kilobits * 1e3, kilobits * 1e3};
  m.bitrate.start = m.loss.start = m.delay.start = start;
  for (int i = 0; i < 60; ++i) {
    m.bitrate.values.push_back(i == 30 ? std::nullopt : std::optional(kilobits * 1e3));
    m.loss.values.push_back(i < 20 ? 0 : loss);
    m.delay.values.push_back(5.0 + i % 3);
  }
  return m;
}

}  // namespace

metrics::Analysis sample_analysis(const std::string& hostile) {
  metrics::Analysis a;
  a.provenance.version = "test";
  a.captures.emplace_back();
  auto& capture = a.captures.back();
  capture.file = capture::Untrusted("a.pcap" + hostile);
  capture.sha256 = std::string(64, 'a');
  capture.format = "pcap";
  capture.packets = 6000;
  capture.first_time = start;
  capture.last_time = start + std::chrono::seconds(60);
  capture.comments.emplace_back(hostile);
  capture.problems.push_back("cut in record 6001");
  const auto ours = endpoint(0xc0a80105, 40000), theirs = endpoint(0xcb007109, 17204);
  classify::Flow flow;
  flow.five_tuple = {ours, theirs, capture::protocol::udp};
  a.classification.flows.push_back(flow);
  for (std::uint32_t id = 0; id < 2; ++id) {
    classify::Stream stream;
    stream.id = classify::StreamId{id};
    stream.source = id == 0 ? ours : theirs;
    stream.destination = id == 0 ? theirs : ours;
    stream.kind = classify::MediaKind::audio;
    stream.codec = "pcma" + hostile;
    stream.ssrc = 0xabcd;
    stream.call = classify::CallId{0};
    a.classification.streams.push_back(stream);
  }
  classify::Call call;
  call.streams = {classify::StreamId{0}, classify::StreamId{1}};
  call.parts.resize(1);
  call.start_time = start;
  call.end_time = start + std::chrono::seconds(60);
  call.local = ours.address;
  call.local_endpoint = ours;
  call.remote_endpoint = theirs;
  call.ended_by = classify::Ending::bye;
  call.ndpi.push_back({"stun.whatsappcall", "content"});
  a.classification.calls.push_back(call);
  classify::Attempt attempt;
  attempt.outcome = classify::Attempt::Outcome::no_reply;
  attempt.target = capture::Untrusted(hostile);
  attempt.first_time = attempt.last_time = start;
  a.classification.attempts.push_back(attempt);
  a.streams = {measures(0, metrics::Direction::sent, 80, 0), measures(1, metrics::Direction::received, 48, 0.4)};
  a.controls.push_back({metrics::CallId{0}, metrics::Direction::received, "loss_ratio", 0.4, 0.001, 3000, 900, 0.399, 0.37, 0.43});
  metrics::Finding finding;
  finding.kind = metrics::FindingKind::rate_cap;
  finding.mechanism = metrics::Mechanism::policer;
  finding.direction = metrics::Direction::received;
  finding.calls = {metrics::CallId{0}};
  finding.flows = {metrics::FlowId{0}};
  finding.start_time = start + std::chrono::seconds(20);
  finding.end_time = call.end_time;
  finding.confidence = 0.995;
  finding.rate_bps = 48000;
  finding.rate_bps_low = 47800;
  finding.rate_bps_high = 48200;
  finding.packets = {10, 20};
  finding.numbers = {{"loss_ratio", 0.4}, {"losses", 1200}};
  finding.alternatives.push_back({"wifi", metrics::AlternativeStatus::ruled_out, "losses_follow_a_fixed_rate", {}});
  finding.alternatives.push_back({"remote_end", metrics::AlternativeStatus::not_ruled_out, "one_end_captured", {}});
  finding.scope = {metrics::ScopeClass::call, "control_exceeded_the_cap"};
  finding.strength = metrics::Strength{3, "wifi"};
  a.findings.push_back(finding);
  a.verdict.verdict_class = metrics::VerdictClass::interference;
  a.verdict.key = "consistent_with_throttling";
  a.verdict.leading = 0;
  a.verdict.calls = {1, 0, 0, 0, 0};
  a.call_verdicts.push_back({metrics::CallId{0}, metrics::VerdictClass::interference, a.verdict.key, metrics::Lack::none, {0}, 0});
  a.verdict.rung = 2;
  a.verdict.confidence = 0.995;
  a.verdict.would_help = {"second_network"};
  return a;
}

}  // namespace callwitness::test
