#include "report/redact/redactor.hpp"

#include "capture/source.hpp"
#include "capture/writer.hpp"

#include <fmt/format.h>

#include <map>
#include <optional>

namespace callwitness::report {
namespace {

using capture::Result;

constexpr std::string_view what_was_done =
    "Redacted by callwitness: addresses replaced by prefix-preserving pseudonyms (Crypto-PAn, private ranges kept), MACs, "
    "host names, SNI, SIP identities and STUN addresses replaced, payloads cut; times, lengths on the wire, ports, sequence "
    "numbers and media timestamps are as captured. The key was not kept.";

class RedactingSink final : public capture::PacketSink {
 public:
  RedactingSink(Redactor& redactor, capture::PcapngWriter& writer) : redactor_(redactor), writer_(writer) {}

  void on_packet(const capture::Packet& packet) override {
    if (failure_) return;
    redactor_.redact(packet, bytes_);
    capture::Packet redacted = packet;
    redacted.bytes = bytes_;
    last_time_ = std::max(last_time_, packet.time);
    const auto written = writer_.write(redacted, interface_of(packet.link_type));
    if (!written) failure_ = written.error();
  }

  /// Drops of the original capture stay told: they are what an honest analysis looks at first.
  Result<void> close(const capture::CaptureRecords& records) {
    if (failure_) return *failure_;
    if (!interfaces_.empty()) {
      capture::InterfaceStatistics statistics;
      for (const auto& record : records) {
        if (record.dropped_by_capture) statistics.dropped_by_system = statistics.dropped_by_system.value_or(0) + *record.dropped_by_capture;
      }
      if (statistics.dropped_by_system) {
        if (auto told = writer_.statistics(0, last_time_, statistics); !told) return told;
      }
    }
    return writer_.flush(true);
  }

 private:
  std::uint32_t interface_of(capture::LinkType link_type) {
    const auto found = interfaces_.find(link_type);
    if (found != interfaces_.end()) return found->second;
    capture::RecordedInterface interface;
    interface.link_type = link_type;
    return interfaces_.emplace(link_type, writer_.add_interface(interface)).first->second;
  }

  Redactor& redactor_;
  capture::PcapngWriter& writer_;
  std::vector<std::uint8_t> bytes_;
  std::map<capture::LinkType, std::uint32_t> interfaces_;
  capture::Time last_time_{};
  std::optional<capture::Error> failure_;
};

class GatheringSink final : public capture::PacketSink {
 public:
  explicit GatheringSink(Redactor& redactor) : redactor_(redactor) {}
  void on_packet(const capture::Packet& packet) override { redactor_.gather(packet); }

 private:
  Redactor& redactor_;
};

}  // namespace

Result<Redactor::Summary> redact_capture(const std::string& input, const std::string& output, const RedactionKey& key,
                                         const metrics::Analysis* analysis) {
  capture::CaptureRecords records;
  auto source = capture::open_source({input}, {}, records);
  if (!source) return source.error();
  auto writer = capture::PcapngWriter::create(output, {std::string(what_was_done), "callwitness " CALLWITNESS_VERSION});
  if (!writer) return writer.error();
  Redactor redactor(key, analysis);
  if (analysis != nullptr) {                 // then the input can be read again
    capture::CaptureRecords read_before;
    auto first = capture::open_source({input}, {}, read_before);
    if (!first) return first.error();
    GatheringSink gathering(redactor);
    if (const auto ran = first.value()->run(gathering); !ran) return ran.error();
  }
  RedactingSink sink(redactor, writer.value());
  if (const auto ran = source.value()->run(sink); !ran) return ran.error();
  if (const auto closed = sink.close(records); !closed) return closed.error();
  return redactor.summary();
}

}  // namespace callwitness::report
