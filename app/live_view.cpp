#include "app/live_view.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace callwitness::app {
namespace {

using classify::Time;

constexpr std::uint32_t largest_step = 3000;   // RFC 3550 A.1's MAX_DROPOUT: more is a jump, not a loss
constexpr auto forget_after = std::chrono::seconds(60);
// Codecs that save silence still send something every second or two.
constexpr double silence_s = 3;
constexpr double remarkable_loss = 0.005;      // from here on one hears it
constexpr std::size_t clock_packets = 100, clock_packets_limit = 300;
constexpr double clock_tolerance = 0.05, clock_span_s = 1;
constexpr std::size_t name_width = 8;
constexpr std::size_t fixed_width = name_width + 61;   // of a line without the peer's address
constexpr std::size_t narrowest_peer = 8, widest_peer = 47;   // "[", 39 of IPv6, "]:65535"

std::string clipped(std::string text, std::size_t width) {
  if (text.size() > width) text.resize(width);
  return text;
}

std::size_t peer_width(std::size_t width) {
  return std::clamp(width > fixed_width ? width - fixed_width : 0, narrowest_peer, widest_peer);
}

std::string clock_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::max(seconds, 0.0));
  return whole < 3600 ? fmt::format("{}:{:02}", whole / 60, whole % 60)
                      : fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

}  // namespace

void LiveView::on_datagram(const classify::Flow& flow, classify::Way way, const capture::Datagram& datagram) {
  if (const auto found = flows_.find(static_cast<std::uint32_t>(flow.id)); found != flows_.end()) {
    found->second.five_tuple = flow.five_tuple;
    found->second.application = flow.label.application;
    found->second.sides[static_cast<int>(way)].bytes += datagram.ip_length;
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
  flow.is_rtp = flow.is_rtp || stream.ssrc.has_value();
  if (flow.sides[kept.way].codec.empty()) flow.sides[kept.way].codec = stream.codec;
  if (flow.five_tuple.protocol == 0) {
    flow.five_tuple = {stream.source, stream.destination, stream.over_tcp ? capture::protocol::tcp : capture::protocol::udp};
    if (stream.way == classify::Way::backward) flow.five_tuple = flow.five_tuple.reversed();
  }
  next_.on_stream(stream);
}

void LiveView::count(Stream& stream, Side& side, const classify::MediaPacket& packet) const {
  std::uint32_t advance = 1;
  if (stream.sequenced && packet.has_sequence) {
    side.counts_losses = true;
    const std::uint32_t step = (packet.sequence - stream.sequence) & stream.mask;
    if (stream.begun && step > stream.mask - largest_step) advance = 0;          // late: it was expected before
    else if (stream.begun && step < largest_step) advance = step;
    if (advance != 0 || step == 0) stream.sequence = packet.sequence;
    if (stream.begun && step == 0) return;                                       // a repetition
  }
  for (Count* to : {&side.seconds[second_], &side.all}) ++to->packets, to->expected += advance;
}

void LiveView::time(Stream& stream, Side& side, const classify::MediaPacket& packet) const {
  if (!packet.has_media_time || packet.is_padding) return;
  const metrics::TimedPacket timed{packet.time, packet.media_time, false};
  if (stream.clock_rate_hz == 0) {
    stream.waiting.push_back(timed);
    if (stream.waiting.size() % clock_packets != 0) return;
    stream.clock_rate_hz = metrics::infer_clock_rate(stream.waiting, clock_tolerance, clock_span_s);
    if (stream.clock_rate_hz != 0 || stream.waiting.size() >= clock_packets_limit) stream.waiting = {};
  } else if (stream.begun && timed.media_time != stream.latest.media_time) {
    const double media = static_cast<std::int32_t>(timed.media_time - stream.latest.media_time) / static_cast<double>(stream.clock_rate_hz);
    stream.jitter.add(capture::seconds(timed.time - stream.latest.time), media);
    side.jitter_ms = std::max(side.jitter_ms, stream.jitter.latest_ms());
    side.has_jitter = true;
  } else if (stream.begun) {
    return;   // a frame's further packets
  }
  stream.latest = timed;
}

void LiveView::on_media(const classify::MediaPacket& packet) {
  const auto id = static_cast<std::uint32_t>(packet.stream);
  if (id < streams_.size()) {
    auto& stream = streams_[id];
    auto& flow = flows_[stream.flow];
    auto& side = flow.sides[stream.way];
    if (flow.first == Time{}) flow.first = packet.time;
    if (const double since = capture::seconds(packet.time - side.last); side.last != Time{} && since >= silence_s) {
      ++side.silences;
      side.longest_silence = std::max(side.longest_silence, since);
    }
    side.last = std::max(side.last, packet.time);
    flow.last = std::max(flow.last, packet.time);
    side.payload_bytes += packet.payload_bytes;
    count(stream, side, packet);
    time(stream, side, packet);
    stream.begun = true;
  }
  next_.on_media(packet);
}

void LiveView::on_flow_closed(const classify::Flow& flow) {
  flows_.erase(static_cast<std::uint32_t>(flow.id));
  next_.on_flow_closed(flow);
}

bool LiveView::is_ours(const capture::IpAddress& address) const { return std::find(own_.begin(), own_.end(), address) != own_.end(); }

std::string LiveView::side(const Side& side) const {
  const Count& second = side.seconds[second_];
  if (second.packets == 0) return fmt::format("{:>5} {:>6} {:>6} {:>4}", side.all.packets == 0 ? "-" : "0", "-", "-", "-");
  Count recent;
  for (const Count& one : side.seconds) recent.packets += one.packets, recent.expected += one.expected;
  const auto quality = metrics::codec_quality(side.codec, static_cast<double>(side.payload_bytes) * 8);
  return fmt::format("{:>5.0f} {:>6} {:>6} {:>4}", static_cast<double>(side.bytes) * 8 / 1000,
                     side.counts_losses ? fmt::format("{:.1f}%", 100 * recent.ratio()) : "?",
                     side.has_jitter ? fmt::format("{:.{}f}ms", side.jitter_ms, side.jitter_ms < 100 ? 1 : 0) : "?",
                     quality && side.counts_losses ? fmt::format("{:.1f}", metrics::rate_call(*quality, 100 * recent.ratio(), 1, 0).mos) : "?");
}

std::string LiveView::line(const Flow& flow, bool sent_forward, std::size_t width) const {
  const auto& peer = sent_forward ? flow.five_tuple.destination : flow.five_tuple.source;
  const auto peers = peer_width(width);
  const std::string name(flow.application.empty() ? flow.is_rtp ? "rtp" : "media" : flow.application);
  return clipped(fmt::format("{:<{}} {:<{}} {:>7} |{} |{}", clipped(name, name_width), name_width, clipped(peer.text(), peers), peers,
                             clock_text(capture::seconds(flow.last - flow.first)), side(flow.sides[sent_forward ? 0 : 1]),
                             side(flow.sides[sent_forward ? 1 : 0])), width);
}

std::vector<std::string> LiveView::heading(std::size_t width) {
  constexpr std::string_view of_a_side = " kb/s   loss jitter  MOS";
  const auto peers = peer_width(width);
  const auto row = [&](std::string_view call, std::string_view with, std::string_view time, std::string_view sent, std::string_view received) {
    return clipped(fmt::format("{:<{}} {:<{}} {:>7} |{:<24} |{}", call, name_width, with, peers, time, sent, received), width);
  };
  return {row("", "", "", " sent", " received"), row("call", "with", "time", of_a_side, of_a_side)};
}

/// What a person would want to know of one side, if anything.
void LiveView::remark(const Side& side, const char* name, Time now, std::vector<std::string>& to) {
  std::string text;
  const auto add = [&](const std::string& more) { text += (text.empty() ? "" : "; ") + more; };
  if (const double silent = capture::seconds(now - side.last); side.all.packets > 0 && silent >= silence_s)
    add(fmt::format("nothing for {:.0f} s", silent));
  if (side.silences > 0) add(fmt::format("silent {} time{} so far, at most {:.0f} s", side.silences, side.silences == 1 ? "" : "s", side.longest_silence));
  if (side.counts_losses && side.all.ratio() >= remarkable_loss)
    add(fmt::format("{} of {} packets missing so far, {:.1f} %", side.all.lost(), side.all.expected, 100 * side.all.ratio()));
  if (!text.empty()) to.push_back(fmt::format("    {}: {}", name, text));
}

std::vector<std::string> LiveView::lines(Time now, std::size_t width, std::size_t most) {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> busiest;
  for (const auto& [id, flow] : flows_)
    if (flow.last != Time{} && now - flow.last <= forget_after) busiest.emplace_back(flow.sides[0].bytes + flow.sides[1].bytes, id);
  std::sort(busiest.begin(), busiest.end(), std::greater<>());
  std::vector<std::uint32_t> shown;
  for (const auto& [bytes, id] : busiest)
    if (shown.size() < most) shown.push_back(id);
  std::sort(shown.begin(), shown.end());
  std::vector<std::string> lines;
  for (const auto id : shown) {
    const Flow& flow = flows_[id];
    const bool forward = is_ours(flow.five_tuple.source.address) || !is_ours(flow.five_tuple.destination.address);
    lines.push_back(line(flow, forward, width));
    remark(flow.sides[forward ? 0 : 1], "sent", now, lines);
    remark(flow.sides[forward ? 1 : 0], "received", now, lines);
  }
  for (auto& text : lines) text = clipped(std::move(text), width);
  if (lines.size() > most) lines.resize(most);
  second_ = (second_ + 1) % window;
  for (auto& [id, flow] : flows_)
    for (Side& side : flow.sides) {
      side.bytes = side.payload_bytes = 0;
      side.jitter_ms = 0;
      side.seconds[second_] = {};
    }
  return lines;
}

}  // namespace callwitness::app
