#include "metrics/stream_meter.hpp"

#include <algorithm>
#include <cmath>

namespace callwitness::metrics {

namespace {
// While packets come the rate is taken only on good evidence; at the end on what there is (docs/methods/jitter.md).
constexpr double early_tolerance = 0.02, early_span_s = 6, final_tolerance = 0.05, final_span_s = 0.2;
// A type without a description: so many packets, at a pace so near that of the clock before, share it.
constexpr std::size_t same_clock_packets = 8;
constexpr double same_clock_tolerance = 0.25;
constexpr double base_step_s = 0.5;
constexpr double least_jump_s = 0.08, kept_of_jump = 0.8;
constexpr std::uint16_t packets_of_jump = 5;
constexpr capture::Duration repeat_window = std::chrono::milliseconds(500);
}  // namespace

StreamMeter::StreamMeter(const classify::Stream& stream, capture::Time origin)
    : origin_(origin), sequence_(stream.sequence_bits), told_rate_(stream.clock_rate_hz) {}

StreamMeter::TypeMeter& StreamMeter::type_of(const classify::MediaPacket& packet) {
  const std::int16_t key = packet.type_has_clock ? packet.payload_type : std::int16_t{-1};
  if (type_at_ < types_.size() && types_[type_at_].payload_type == key) return types_[type_at_];
  auto found = std::find_if(types_.begin(), types_.end(), [&](const TypeMeter& type) { return type.payload_type == key; });
  if (found == types_.end() && types_.size() < type_limit) {
    types_.emplace_back().payload_type = key;
    found = types_.end() - 1;
    if (!packet.type_has_clock && told_rate_ != 0) set_clock(*found, told_rate_);
  }
  if (found == types_.end()) found = types_.end() - 1;   // random types are no codecs: counted under the last
  type_at_ = static_cast<std::uint32_t>(found - types_.begin());
  return *found;
}

void StreamMeter::set_clock(TypeMeter& type, std::uint32_t rate) {
  type.rate = rate;
  type.seconds_per_tick = 1.0 / rate;
  // Beside another type's packets, timed already, these would come out of order.
  const bool in_order = !timing_started_ || type.waiting.empty() || type.waiting.front().time >= previous_time_;
  if (in_order)
    for (const auto& packet : type.waiting) timing(type, packet);
  std::vector<TimedPacket>().swap(type.waiting);
}

void StreamMeter::await_clock(TypeMeter& type, const TimedPacket& packet) {
  type.waiting.push_back(packet);
  // A type that nobody described most often shares the clock of the one before (RED, a codec's other mode).
  if (type.waiting.size() == same_clock_packets && timed_rate_ != 0) {
    const double pace = pace_of_clock(type.waiting);
    if (pace > 0 && std::abs(pace / timed_rate_ - 1) <= same_clock_tolerance) return set_clock(type, timed_rate_);
  }
  if (type.waiting.size() < type.try_at) return;
  if (const auto rate = infer_clock_rate(type.waiting, early_tolerance, early_span_s); rate != 0) {
    set_clock(type, rate);
    return;
  }
  type.try_at = type.waiting.size() * 3 / 2;
  if (type.waiting.size() < waiting_limit) return;
  type.ever_failed = true;
  if (const auto rate = infer_clock_rate(type.waiting, final_tolerance, final_span_s); rate != 0) set_clock(type, rate);
  else type.waiting.clear();
  type.try_at = 32;
}

/// False where the two clocks part at a packet that follows its neighbour by number: a new base of the timestamps, which count
/// back or on by themselves. No packet comes earlier than the fastest by more than clocks drift.
bool StreamMeter::keeps_time(double arrival_s, double media_s, const TimedPacket& packet) const {
  if (!packet.follows) return true;
  if (media_s < -base_step_s) return false;
  return transit_s_ + arrival_s - media_s >= least_transit_s_ - base_step_s;
}

void StreamMeter::timing(const TypeMeter& type, const TimedPacket& packet) {
  // Another clock, or one that began anew, has nothing to do with the timestamp before: only the transit time goes on.
  if (!timing_started_ || packet.restarted || timed_rate_ != type.rate) {
    timing_started_ = true;
    timed_rate_ = type.rate;
  } else {
    const double arrival = capture::seconds(packet.time - previous_time_);
    const double media = static_cast<std::int32_t>(packet.media_time - previous_media_) * type.seconds_per_tick;
    if (packet.follows && arrival - media >= least_jump_s && arrival - media <= JitterMeter::discontinuity_s) {
      jump_open_ = true;
      jump_ = {false, 0, 0, 0, previous_time_, packet.time, arrival - media, transit_s_, jitter_, buffers_, transits_.size()};
    }
    if (keeps_time(arrival, media, packet) && jitter_.add(arrival, media)) {
      transit_s_ += arrival - media;
      least_transit_s_ = std::min(least_transit_s_, transit_s_);
    }
  }
  previous_time_ = packet.time;
  previous_media_ = packet.media_time;
  if (packet.repeated) return;
  const double now = capture::seconds(packet.time - origin_);
  const auto outcome = buffers_.add(now, transit_s_);
  StreamSecond& second = seconds_.at(second_index(origin_, packet.time));
  if (jump_open_) {
    jump_.late += outcome.late_adaptive;
    jump_.second = second.second;
    watch_jump();
  }
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

/// A queue that let go catches up; a clock that was set doesn't.
void StreamMeter::watch_jump() {
  if (transit_s_ < jump_.transit_s + kept_of_jump * jump_.seconds || jump_.packets == UINT16_MAX) jump_open_ = false;
  else ++jump_.packets;
}

std::optional<TransitJump> StreamMeter::look_at_jump() {
  if (jump_.told || jump_.packets < packets_of_jump) return std::nullopt;
  jump_.told = true;
  TransitJump told;
  told.before = jump_.before;
  told.after = jump_.after;
  told.seconds = jump_.seconds;
  return told;
}

void StreamMeter::undo_jump() {
  if (!jump_.told) return;
  jitter_ = jump_.jitter;
  buffers_ = jump_.buffers;
  transit_s_ -= jump_.seconds;
  StreamSecond& second = seconds_.at(jump_.second);
  second.late_adaptive -= std::min(second.late_adaptive, jump_.late);
  for (std::size_t i = jump_.samples; i < transits_.size(); ++i) transits_[i].transit_s -= jump_.seconds;
  jump_ = {};
  jump_open_ = false;
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

void StreamMeter::time(const classify::MediaPacket& packet, bool repeated, bool follows) {
  TypeMeter& type = type_of(packet);
  ++type.packets;
  type.payload_bytes += packet.payload_bytes;
  if (follows && newest_is_timed_ && !restarted_) {
    const std::uint32_t step = packet.media_time - newest_media_;
    if (step == type.step) ++type.step_votes;
    else if (type.step_votes > 0) --type.step_votes;
    else type.step = step, type.step_votes = 1;
  }
  const TimedPacket timed{packet.time, packet.media_time, repeated, restarted_, follows};
  restarted_ = false;
  if (type.rate == 0 && packet.clock_rate_hz != 0) set_clock(type, packet.clock_rate_hz);
  if (type.rate != 0) timing(type, timed);
  else await_clock(type, timed);
  seconds_.at(second_index(origin_, packet.time)).type = type_at_;
}

StreamMeter::Kept StreamMeter::add(const classify::MediaPacket& packet, std::size_t& unsequenced_budget) {
  if (packets_ == 0) first_time_ = last_time_ = packet.time;
  first_time_ = std::min(first_time_, packet.time);
  last_time_ = std::max(last_time_, packet.time);
  ++packets_;
  bytes_ += packet.ip_bytes;
  payload_bytes_ += packet.payload_bytes;
  Kept kept;
  bool counts = true, timed = packet.has_media_time && !packet.is_padding && !packet.is_auxiliary, in_order = true, follows = false;
  if (packet.has_sequence) {
    has_sequence_ = true;
    const std::int64_t newest = sequence_.newest();
    const auto verdict = sequence_.add(packet.sequence, packet.time, static_cast<std::uint32_t>(packet.ordinal), packet.ip_bytes);
    kept.duplicate = verdict.seen == SequenceMeter::Seen::duplicate;
    counts = !kept.duplicate && verdict.seen != SequenceMeter::Seen::stray;
    timed = timed && !verdict.far;
    restarted_ = restarted_ || verdict.restarted;
    kept.repeats_undone = verdict.repeats_undone;
    in_order = verdict.seen == SequenceMeter::Seen::in_order;
    follows = in_order && verdict.extended == newest + 1;
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
  if (timed) time(packet, kept.duplicate, follows);
  if (in_order) {
    newest_media_ = packet.media_time;
    newest_is_timed_ = timed;
  }
  return kept;
}

std::optional<CadenceEstimate> StreamMeter::unsequenced_estimate(const classify::Stream& stream) const {
  if (has_sequence_ || stream.over_tcp || !unsequenced_complete_ || unsequenced_.empty()) return std::nullopt;
  const bool timed = std::all_of(unsequenced_.begin(), unsequenced_.end(), [](const auto& packet) { return packet.has_media_time; });
  if (!timed) return count_by_cadence(unsequenced_);
  return count_by_media_time(unsequenced_, !types_.empty() && types_.front().rate != 0 ? types_.front().rate : 1'000);
}

}  // namespace callwitness::metrics
