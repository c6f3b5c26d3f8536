#include "report/evidence/packets.hpp"

#include "capture/decoder.hpp"
#include "capture/source.hpp"
#include "capture/writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

namespace callwitness::report {
namespace {

using capture::FiveTuple;
using capture::Result;

constexpr std::uint16_t dns_port = 53;

FiveTuple either_way(const FiveTuple& tuple) { return std::min(tuple, tuple.reversed()); }

/// Five-tuples, in either direction, of all flows that belong to the story.
std::set<FiveTuple> flows_that_matter(const metrics::Analysis& analysis) {
  std::set<classify::FlowId> wanted;
  const auto add = [&](const std::vector<classify::FlowId>& flows) { wanted.insert(flows.begin(), flows.end()); };
  for (const auto& call : analysis.classification.calls) add(call.flows);
  for (const auto& attempt : analysis.classification.attempts) add(attempt.flows);
  for (const auto& finding : analysis.findings) add(finding.flows);
  for (const auto& stream : analysis.classification.streams) wanted.insert(stream.flow);
  std::set<FiveTuple> tuples;
  for (const auto& flow : analysis.classification.flows) {
    if (wanted.contains(flow.id)) tuples.insert(either_way(flow.five_tuple));
  }
  return tuples;
}

std::string comment_of(const metrics::Finding& finding, std::size_t number) {
  std::string text = fmt::format("callwitness f{}: {}", number, finding.kind);
  if (!finding.mechanism.empty()) text += fmt::format(" ({})", finding.mechanism);
  if (finding.rate_bps) text += fmt::format(", {:.1f} kbit/s", *finding.rate_bps / 1000);
  if (finding.period_s) text += fmt::format(", every {:.1f} s", *finding.period_s);
  return text + fmt::format(", confidence {:.3f}", finding.confidence);
}

std::unordered_map<std::uint64_t, std::string> comments_of(const metrics::Analysis& analysis) {
  std::unordered_map<std::uint64_t, std::string> comments;
  for (std::size_t i = 0; i < analysis.findings.size(); ++i) {
    for (const auto ordinal : analysis.findings[i].packets) {
      auto& comment = comments[ordinal];
      if (!comment.empty()) comment += "\n";
      comment += comment_of(analysis.findings[i], i + 1);
    }
  }
  return comments;
}

/// Decodes each packet to learn its five-tuple, and writes those that matter.
class EvidenceSink final : public capture::PacketSink, private capture::DatagramSink {
 public:
  EvidenceSink(const metrics::Analysis& analysis, capture::PcapngWriter& writer, Redactor* redactor)
      : tuples_(flows_that_matter(analysis)), comments_(comments_of(analysis)), writer_(writer), redactor_(redactor),
        decoder_(*this, anomalies_) {}

  void on_packet(const capture::Packet& packet) override {
    matters_ = false;
    decoder_.on_packet(packet);
    const auto comment = comments_.find(packet.ordinal);
    if (failure_ || (!matters_ && comment == comments_.end())) {
      ++summary_.left_out;
      return;
    }
    write(packet, comment == comments_.end() ? std::string_view{} : std::string_view(comment->second));
  }

  Result<EvidenceSummary> close(const capture::CaptureRecords& records) {
    if (failure_) return *failure_;
    capture::InterfaceStatistics statistics;
    for (const auto& record : records) {
      if (record.dropped_by_capture) statistics.dropped_by_system = statistics.dropped_by_system.value_or(0) + *record.dropped_by_capture;
    }
    if (statistics.dropped_by_system && !interfaces_.empty()) {
      if (const auto told = writer_.statistics(0, last_time_, statistics); !told) return told.error();
    }
    if (const auto flushed = writer_.flush(true); !flushed) return flushed.error();
    return summary_;
  }

 private:
  void on_datagram(const capture::Datagram& datagram) override {
    const auto& tuple = datagram.five_tuple;
    const bool control = tuple.protocol == capture::protocol::tcp || tuple.protocol == capture::protocol::icmp ||
                         tuple.source.port == dns_port || tuple.destination.port == dns_port;
    matters_ = matters_ || control || tuples_.contains(either_way(tuple));
  }

  void write(const capture::Packet& packet, std::string_view comment) {
    capture::Packet shown = packet;
    if (redactor_ != nullptr) {
      redactor_->redact(packet, bytes_);
      shown.bytes = bytes_;
    }
    const auto written = writer_.write(shown, interface_of(packet.link_type), comment);
    if (!written) failure_ = written.error();
    last_time_ = std::max(last_time_, packet.time);
    ++summary_.packets;
    if (!comment.empty()) ++summary_.commented;
  }

  std::uint32_t interface_of(capture::LinkType link_type) {
    const auto found = interfaces_.find(link_type);
    if (found != interfaces_.end()) return found->second;
    capture::RecordedInterface interface;
    interface.link_type = link_type;
    return interfaces_.emplace(link_type, writer_.add_interface(interface)).first->second;
  }

  std::set<FiveTuple> tuples_;
  std::unordered_map<std::uint64_t, std::string> comments_;
  capture::PcapngWriter& writer_;
  Redactor* redactor_;
  capture::Anomalies anomalies_;
  capture::Decoder decoder_;
  std::map<capture::LinkType, std::uint32_t> interfaces_;
  std::vector<std::uint8_t> bytes_;
  EvidenceSummary summary_;
  capture::Time last_time_{};
  bool matters_ = false;
  std::optional<capture::Error> failure_;
};

}  // namespace

Result<EvidenceSummary> write_evidence(const std::vector<std::string>& inputs, const metrics::Analysis& analysis,
                                       const std::string& output, const std::optional<RedactionKey>& key) {
  capture::CaptureRecords records;
  auto source = capture::open_source(inputs, {}, records);
  if (!source) return source.error();
  auto writer = capture::PcapngWriter::create(
      output, {"Evidence selected by callwitness; a comment marks each packet that a finding rests on.",
               "callwitness " CALLWITNESS_VERSION});
  if (!writer) return writer.error();
  std::optional<Redactor> redactor;
  if (key) redactor.emplace(*key);
  EvidenceSink sink(analysis, writer.value(), redactor ? &*redactor : nullptr);
  if (const auto ran = source.value()->run(sink); !ran) return ran.error();
  return sink.close(records);
}

}  // namespace callwitness::report
