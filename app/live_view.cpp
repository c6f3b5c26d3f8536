#include "app/live_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace callwitness::app {
namespace {

constexpr std::size_t most_lines = 20;       // a screenful
constexpr std::uint32_t largest_step = 3000;  // RFC 3550 A.1's MAX_DROPOUT: more is a jump, not a loss

std::string side(double seconds, std::uint64_t bytes, std::uint64_t packets, std::uint64_t expected, bool counts, double jitter) {
  if (packets == 0) return fmt::format("{:>10} {:>7} {:>9}", "-", "-", "-");
  const std::string loss = counts && expected > 0
      ? fmt::format("{:.1f}%", 100.0 * static_cast<double>(expected - std::min(packets, expected)) / static_cast<double>(expected))
      : "?";
  const std::string jitter_text = jitter > 0 ? fmt::format("{:.1f} ms", jitter) : "?";
  return fmt::format("{:>5.0f} kb/s {:>7} {:>9}", static_cast<double>(bytes) * 8 / 1000 / seconds, loss, jitter_text);
}

}  // namespace

void LiveView::on_datagram(const classify::Flow& flow, classify::Way way, const capture::Datagram& datagram) {
  if (const auto found = flows_.find(static_cast<std::uint32_t>(flow.id)); found != flows_.end()) {
    found->second.five_tuple = flow.five_tuple;
    found->second.application = flow.label.application;
    found->second.ways[static_cast<int>(way)].bytes += datagram.ip_length;
  }
  next_.on_datagram(flow, way, datagram);
}

void LiveView::on_stream(const classify::Stream& stream) {
  const auto id = static_cast<std::uint32_t>(stream.id);
  if (id >= streams_.size()) streams_.resize(id + std::size_t{1});
  auto& kept = streams_[id];
  kept.flow = static_cast<std::uint32_t>(stream.flow);
  kept.way = static_cast<std::uint8_t>(stream.way);
  kept.clock_rate_hz = stream.clock_rate_hz;
  kept.sequenced = stream.sequence_basis != classify::SequenceBasis::none && !stream.sequence_shared;
  kept.mask = stream.sequence_bits >= 32 ? UINT32_MAX : (std::uint32_t{1} << stream.sequence_bits) - 1;
  auto& flow = flows_[kept.flow];
  if (flow.application.empty()) flow.application = stream.label.application;
  if (flow.five_tuple.protocol == 0)
    flow.five_tuple = stream.way == classify::Way::forward
        ? classify::FiveTuple{stream.source, stream.destination, stream.over_tcp ? capture::protocol::tcp : capture::protocol::udp}
        : classify::FiveTuple{stream.destination, stream.source, stream.over_tcp ? capture::protocol::tcp : capture::protocol::udp};
  next_.on_stream(stream);
}

void LiveView::on_media(const classify::MediaPacket& packet) {
  const auto id = static_cast<std::uint32_t>(packet.stream);
  if (id < streams_.size()) {
    auto& stream = streams_[id];
    auto& second = flows_[stream.flow].ways[stream.way];
    ++second.packets;
    if (stream.sequenced && packet.has_sequence) {
      const std::uint32_t step = stream.begun ? (packet.sequence - stream.sequence) & stream.mask : 1;
      if (step >= 1 && step < largest_step) second.expected += step, stream.sequence = packet.sequence;
      else if (!stream.begun || step < stream.mask - largest_step) ++second.expected, stream.sequence = packet.sequence;
      second.counts_losses = true;
    } else {
      ++second.expected;
    }
    if (stream.clock_rate_hz != 0 && packet.has_media_time && stream.begun && packet.media_time != stream.media_time) {
      const double media = static_cast<std::int32_t>(packet.media_time - stream.media_time) / static_cast<double>(stream.clock_rate_hz);
      const double difference = std::abs(capture::seconds(packet.time - stream.time) - media);
      if (difference < 1) stream.jitter += (difference - stream.jitter) / 16;  // RFC 3550 A.8; a second is a pause
      second.jitter_ms = std::max(second.jitter_ms, stream.jitter * 1000);
    }
    if (!stream.begun || packet.media_time != stream.media_time) stream.time = packet.time;
    stream.media_time = packet.media_time;
    stream.begun = true;
  }
  next_.on_media(packet);
}

void LiveView::on_flow_closed(const classify::Flow& flow) {
  flows_.erase(static_cast<std::uint32_t>(flow.id));
  next_.on_flow_closed(flow);
}

std::vector<std::string> LiveView::lines(double seconds) {
  std::vector<std::pair<std::uint64_t, std::string>> found;
  for (auto& [id, flow] : flows_) {
    const auto& [forward, backward] = flow.ways;
    if (forward.packets + backward.packets != 0)
      found.emplace_back(forward.bytes + backward.bytes,
                         fmt::format("{:<14} {:>22} > {:<22} {} | < {}", flow.application.empty() ? "?" : flow.application,
                                     flow.five_tuple.source.text(), flow.five_tuple.destination.text(),
                                     side(seconds, forward.bytes, forward.packets, forward.expected, forward.counts_losses, forward.jitter_ms),
                                     side(seconds, backward.bytes, backward.packets, backward.expected, backward.counts_losses, backward.jitter_ms)));
    flow.ways[0] = flow.ways[1] = {};
  }
  std::sort(found.begin(), found.end(), std::greater<>());
  if (found.size() > most_lines) found.resize(most_lines);
  std::vector<std::string> lines;
  for (auto& [bytes, line] : found) lines.push_back(std::move(line));
  return lines;
}

}  // namespace callwitness::app
