#include "metrics/stream_meter.hpp"

#include <algorithm>
#include <cmath>

namespace callwitness::metrics {

namespace {
// While packets come the rate is taken only on good evidence; at the end on what there is (docs/methods/jitter.md).
constexpr double early_tolerance = 0.02, early_span_s = 6, final_tolerance = 0.05, final_span_s = 0.2;
constexpr capture::Duration repeat_window = std::chrono::milliseconds(500);
}  // namespace

StreamMeter::StreamMeter(const classify::Stream& stream, capture::Time origin)
    : origin_(origin), sequence_(stream.sequence_bits) {
  if (stream.clock_rate_hz != 0) set_clock(stream.clock_rate_hz);
}

void StreamMeter::set_clock(std::uint32_t rate) {
  clock_rate_ = rate;
  seconds_per_tick_ = 1.0 / rate;
  for (const auto& packet : waiting_) timing(packet);
  std::vector<TimedPacket>().swap(waiting_);
}

void StreamMeter::await_clock(const TimedPacket& packet) {
  waiting_.push_back(packet);
  if (waiting_.size() < try_at_) return;
  if (const auto rate = infer_clock_rate(waiting_, early_tolerance, early_span_s); rate != 0) {
    set_clock(rate);
    return;
  }
  try_at_ = waiting_.size() * 3 / 2;
  if (waiting_.size() < waiting_limit) return;
  clock_ever_failed_ = true;
  if (const auto rate = infer_clock_rate(waiting_, final_tolerance, final_span_s); rate != 0) set_clock(rate);
  else waiting_.clear();
  try_at_ = 32;
}

void StreamMeter::timing(const TimedPacket& packet) {
  if (!timing_started_) {
    timing_started_ = true;
  } else {
    const double arrival = capture::seconds(packet.time - previous_time_);
    const double media = static_cast<std::int32_t>(packet.media_time - previous_media_) * seconds_per_tick_;
    if (jitter_.add(arrival, media)) transit_s_ += arrival - media;
  }
  previous_time_ = packet.time;
  previous_media_ = packet.media_time;
  if (packet.repeated) return;
  const double now = capture::seconds(packet.time - origin_);
  const auto outcome = buffers_.add(now, transit_s_);
  StreamSecond& second = seconds_.at(second_index(origin_, packet.time));
  second.late_50 += outcome.late_50;
  second.late_200 += outcome.late_200;
  second.late_adaptive += outcome.late_adaptive;
  second.buffer_ms += outcome.adaptive_ms;
  ++second.timed;
  const std::int64_t since = (packet.time - origin_).count();
  if (since < next_sample_ || since < 0) return;
  next_sample_ = (since / sample_step_ns_ + 1) * sample_step_ns_;
  if (transits_.size() == sample_limit) {                 // half as many from here on, and of those so far
    for (std::size_t i = 0; i < sample_limit / 2; ++i) transits_[i] = transits_[2 * i];
    transits_.resize(sample_limit / 2);
    if (sample_step_ns_ < std::int64_t{1} << 50) sample_step_ns_ *= 2;
  }
  transits_.push_back({packet.time, transit_s_});
}

bool StreamMeter::repeated_payload(const classify::MediaPacket& packet) {
  if (packet.payload_hash == 0) return false;
  for (const auto& recent : recent_)
    if (recent.hash == packet.payload_hash && packet.time - recent.time < repeat_window) return true;
  recent_[next_recent_] = {packet.payload_hash, packet.time};
  next_recent_ = static_cast<std::uint8_t>((next_recent_ + 1) % recent_.size());
  return false;
}

void StreamMeter::remember_unsequenced(const classify::MediaPacket& packet, std::size_t& budget) {
  if (!unsequenced_complete_) return;
  if (budget == 0 || unsequenced_.size() == unsequenced_limit) {
    budget += unsequenced_.size();
    std::vector<UnsequencedPacket>().swap(unsequenced_);
    unsequenced_complete_ = false;
    return;
  }
  --budget;
  unsequenced_.push_back({packet.time, packet.media_time, static_cast<std::uint32_t>(packet.ordinal), packet.ip_bytes,
                          packet.has_media_time});
}

StreamMeter::Kept StreamMeter::add(const classify::MediaPacket& packet, std::size_t& unsequenced_budget) {
  if (packets_ == 0) first_time_ = last_time_ = packet.time;
  first_time_ = std::min(first_time_, packet.time);
  last_time_ = std::max(last_time_, packet.time);
  ++packets_;
  bytes_ += packet.ip_bytes;
  payload_bytes_ += packet.payload_bytes;
  Kept kept;
  bool counts = true;
  if (packet.has_sequence) {
    has_sequence_ = true;
    const auto verdict = sequence_.add(packet.sequence, packet.time, static_cast<std::uint32_t>(packet.ordinal), packet.ip_bytes);
    kept.duplicate = verdict.seen == SequenceMeter::Seen::duplicate;
    counts = !kept.duplicate && verdict.seen != SequenceMeter::Seen::stray;
    if (verdict.seen != SequenceMeter::Seen::stray && std::abs(verdict.extended) < INT32_MAX)
      kept.extended_sequence = static_cast<std::int32_t>(verdict.extended);
  } else if (repeated_payload(packet)) {
    ++repeats_;
    kept.duplicate = true;
    counts = false;
  } else {
    remember_unsequenced(packet, unsequenced_budget);
  }
  StreamSecond& second = seconds_.at(second_index(origin_, packet.time));
  second.bytes += packet.ip_bytes;
  second.unique += counts;
  if (packet.has_media_time && !packet.is_padding) {
    const TimedPacket timed{packet.time, packet.media_time, kept.duplicate};
    if (clock_rate_ != 0) timing(timed);
    else await_clock(timed);
  }
  return kept;
}

std::optional<CadenceEstimate> StreamMeter::unsequenced_estimate(const classify::Stream& stream) const {
  if (has_sequence_ || stream.over_tcp || !unsequenced_complete_ || unsequenced_.empty()) return std::nullopt;
  const bool timed = std::all_of(unsequenced_.begin(), unsequenced_.end(), [](const auto& packet) { return packet.has_media_time; });
  if (!timed) return count_by_cadence(unsequenced_);
  return count_by_media_time(unsequenced_, clock_rate_ != 0 ? clock_rate_ : 1'000);
}

}  // namespace callwitness::metrics
