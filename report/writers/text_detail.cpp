#include "report/writers/text_detail.hpp"

#include <fmt/format.h>

namespace callwitness::report {
namespace {

class Pairs {
 public:
  template <typename Value>
  void add(std::string_view name, const Value& value) {
    text_ += fmt::format("{}{} {}", text_.empty() ? "" : ", ", name, value);
  }
  template <typename Number>
  void add(std::string_view name, const std::optional<Number>& value) {
    if (value) add(name, *value);
  }
  void add(std::string_view name, double value) { add(name, fmt::format("{:.4g}", value)); }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace

std::string stream_detail(const metrics::StreamMeasures& measures, const classify::Stream& stream) {
  Pairs pairs;
  if (stream.ssrc) pairs.add("ssrc", fmt::format("0x{:08x}", *stream.ssrc));
  if (measures.clock_rate_hz != 0) pairs.add("clock_rate_hz", measures.clock_rate_hz);
  if (!measures.loss_basis.empty()) pairs.add("loss_basis", measures.loss_basis);
  pairs.add("expected", measures.expected);
  pairs.add("duplicates", measures.duplicates);
  pairs.add("reordered", measures.reordered);
  pairs.add("max_loss_run", measures.max_loss_run);
  pairs.add("burst_density", measures.burst_density);
  pairs.add("gap_density", measures.gap_density);
  pairs.add("burst_ratio", measures.burst_ratio);
  pairs.add("jitter_max_ms", measures.jitter_max_ms);
  pairs.add("delay_trend_ms", measures.delay_trend_ms);
  if (measures.bitrate_bps) {
    pairs.add("bitrate_bps.p5", measures.bitrate_bps->p5);
    pairs.add("p50", measures.bitrate_bps->p50);
    pairs.add("p95", measures.bitrate_bps->p95);
    pairs.add("max", measures.bitrate_bps->max);
  }
  pairs.add("r_factor", measures.r_factor);
  return fmt::format("s{}: {}", static_cast<std::uint32_t>(stream.id) + 1, pairs.take());
}

std::string finding_detail(const metrics::Finding& finding) {
  Pairs pairs;
  pairs.add("count", finding.count);
  pairs.add("burst_bytes", finding.burst_bytes);
  for (const auto& [name, value] : finding.numbers) pairs.add(name, value);
  if (!finding.packets.empty()) pairs.add("first packet", finding.packets.front());
  return pairs.take();
}

}  // namespace callwitness::report
