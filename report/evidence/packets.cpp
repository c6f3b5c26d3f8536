#include "report/evidence/packets.hpp"

#include "capture/decoder.hpp"
#include "capture/source.hpp"
#include "capture/writer.hpp"
#include "report/evidence/selection.hpp"
#include "report/prose.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>

namespace callwitness::report {
namespace {

using capture::Result;

std::string comment_of(const metrics::Finding& finding, std::size_t number) {
  std::string text = fmt::format("callwitness f{}: {}", number, name_of(finding.kind));
  if (finding.mechanism != metrics::Mechanism::none) text += fmt::format(" ({})", name_of(finding.mechanism));
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

/// Where calls begin and end, so that whoever opens the file finds them: by time, for calls keep no packet numbers.
std::multimap<capture::Time, std::pair<capture::FiveTuple, std::string>> call_marks(const metrics::Analysis& analysis) {
  std::multimap<capture::Time, std::pair<capture::FiveTuple, std::string>> marks;
  for (const auto& call : analysis.classification.calls) {
    const auto name = fmt::format("callwitness c{}: {}", static_cast<std::uint32_t>(call.id) + 1, call.label.application.empty() ? "a call" : call.label.application);
    for (const auto& flow : analysis.classification.flows) {
      if (std::find(call.flows.begin(), call.flows.end(), flow.id) == call.flows.end()) continue;
      marks.emplace(call.start_time, std::pair(either_way(flow.five_tuple), name + " begins"));
      marks.emplace(call.end_time, std::pair(either_way(flow.five_tuple), fmt::format("{} ends ({})", name, name_of(call.ended_by))));
    }
  }
  return marks;
}

/// Decodes each packet to learn what it belongs to, and writes what is wanted of it.
class EvidenceSink final : public capture::PacketSink, private capture::DatagramSink {
 public:
  EvidenceSink(const metrics::Analysis& analysis, capture::PcapngWriter& writer, ControlKept control, Redactor* redactor)
      : selection_(analysis, control), comments_(comments_of(analysis)), marks_(call_marks(analysis)), writer_(writer), redactor_(redactor),
        decoder_(*this, anomalies_) {
    summary_.kept = control;
  }

  void on_packet(const capture::Packet& packet) override {
    if (failure_) return;
    packet_ = &packet;
    choice_ = {};
    mark_.clear();
    decoder_.on_packet(packet);
    const auto comment = comments_.find(packet.ordinal);
    if (comment != comments_.end()) {
      choice_ = {Selection::Part::story, packet.bytes.size()};
      summary_.frames[packet.ordinal] = summary_.packets + 1;
      mark_ = comment->second + (mark_.empty() ? "" : "\n" + mark_);
    }
    if (choice_.part == Selection::Part::none) ++summary_.left_out;
    else write(packet);
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
    if (redactor_ != nullptr) summary_.redaction = redactor_->summary();
    return summary_;
  }

 private:
  void on_datagram(const capture::Datagram& datagram) override {
    const auto choice = selection_.choose(*packet_, datagram);
    if (choice.part == Selection::Part::story || choice.bytes > choice_.bytes) choice_ = choice;
    const auto [first, last] = marks_.equal_range(packet_->time);
    for (auto mark = first; mark != last;) {
      if (mark->second.first != either_way(datagram.five_tuple)) {
        ++mark;
        continue;
      }
      mark_ += (mark_.empty() ? "" : "\n") + mark->second.second;
      mark = marks_.erase(mark);
    }
  }

  void write(const capture::Packet& packet) {
    capture::Packet shown = packet;
    shown.bytes = packet.bytes.first(std::min(choice_.bytes, packet.bytes.size()));
    if (redactor_ != nullptr) {
      redactor_->redact(shown, bytes_);
      shown.bytes = bytes_;
    }
    const auto written = writer_.write(shown, interface_of(packet.link_type), mark_);
    if (!written) failure_ = written.error();
    last_time_ = std::max(last_time_, packet.time);
    ++summary_.packets;
    if (!mark_.empty()) ++summary_.commented;
    if (choice_.part == Selection::Part::control) ++summary_.control;
  }

  std::uint32_t interface_of(capture::LinkType link_type) {
    const auto found = interfaces_.find(link_type);
    if (found != interfaces_.end()) return found->second;
    capture::RecordedInterface interface;
    interface.link_type = link_type;
    return interfaces_.emplace(link_type, writer_.add_interface(interface)).first->second;
  }

  Selection selection_;
  std::unordered_map<std::uint64_t, std::string> comments_;
  std::multimap<capture::Time, std::pair<capture::FiveTuple, std::string>> marks_;
  capture::PcapngWriter& writer_;
  Redactor* redactor_;
  capture::Anomalies anomalies_;
  capture::Decoder decoder_;
  std::map<capture::LinkType, std::uint32_t> interfaces_;
  std::vector<std::uint8_t> bytes_;
  EvidenceSummary summary_;
  capture::Time last_time_{};
  const capture::Packet* packet_ = nullptr;
  Selection::Choice choice_;
  std::string mark_;
  std::optional<capture::Error> failure_;
};

}  // namespace

Result<EvidenceSummary> write_evidence(const std::vector<std::string>& inputs, const metrics::Analysis& analysis,
                                       const std::string& output, const EvidenceOptions& options) {
  capture::CaptureRecords records;
  auto source = capture::open_source(inputs, options.source, records);
  if (!source) return source.error();
  auto writer = capture::PcapngWriter::create(
      output, {"Evidence selected by callwitness; a comment marks each packet that a finding rests on.",
               "callwitness " CALLWITNESS_VERSION});
  if (!writer) return writer.error();
  std::optional<Redactor> redactor;
  if (options.key) redactor.emplace(*options.key, &analysis);
  EvidenceSink sink(analysis, writer.value(), options.control, redactor ? &*redactor : nullptr);
  if (const auto ran = source.value()->run(sink); !ran) return ran.error();
  return sink.close(records);
}

}  // namespace callwitness::report
