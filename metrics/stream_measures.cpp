// From a stream's meters to its measures, once its packets are over.
#include "metrics/meters/emodel.hpp"
#include "metrics/meters/loss_pattern.hpp"
#include "metrics/stream_meter.hpp"

#include <algorithm>
#include <cmath>

namespace callwitness::metrics {

namespace {
constexpr double final_tolerance = 0.05, final_span_s = 0.2;    // as in stream_meter.cpp
constexpr std::uint32_t longest_series_s = 200'000;             // two days; beyond, no series
constexpr std::uint32_t rating_seconds = 10;
constexpr double longest_packet_ms = 120;
constexpr std::uint32_t least_rated_packets = 50;               // of a 10 s interval, for a score of its own
constexpr std::size_t gap_limit = 65'536;

double percentile(const std::vector<double>& sorted, double share) {
  return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1) + 0.5)];
}

double median(std::vector<float> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return static_cast<double>(*middle);
}

/// Lost packets a second: a run counts where it was noticed, spread evenly when it lasts longer than a second.
template <class Add>
void spread(std::span<const MissingRun> runs, Time origin, Add add) {
  for (const auto& run : runs) {
    const auto first = second_index(origin, run.before), last = second_index(origin, run.after);
    const std::uint32_t seconds = last - first + 1;
    if (last < first || seconds <= 2 || seconds > longest_series_s) {
      add(last, static_cast<double>(run.count));
      continue;
    }
    for (std::uint32_t second = first; second <= last; ++second) add(second, static_cast<double>(run.count) / seconds);
  }
}
}  // namespace

std::vector<float> StreamMeter::measure_delay(StreamMeasures& measures, StreamObservation& observation) const {
  if (transits_.empty()) return {};
  std::vector<Transit> points;
  points.reserve(transits_.size());
  for (const auto& sample : transits_) points.push_back({capture::seconds(sample.time - origin_), sample.transit_s});
  const auto delays = delays_ms(points, clock_skew(points));
  observation.delay.reserve(delays.size());
  for (std::size_t i = 0; i < delays.size(); ++i) observation.delay.push_back({transits_[i].time, delays[i]});
  if (const auto tenth = static_cast<std::ptrdiff_t>(delays.size() / 10); tenth >= 5)
    measures.delay_trend_ms = median({delays.end() - tenth, delays.end()}) - median({delays.begin(), delays.begin() + tenth});
  return delays;
}

void StreamMeter::fill_series(StreamMeasures& measures, std::span<const MissingRun> runs, std::span<const float> delays) {
  const auto& records = seconds_.records();
  if (records.empty()) return;
  const std::uint32_t first = records.front().second, last = records.back().second;
  if (last - first >= longest_series_s) return;
  const std::size_t count = last - first + 1;
  const Time start = origin_ + std::chrono::seconds(first);
  for (Series* series : {&measures.bitrate, &measures.loss, &measures.delay}) {
    series->start = start;
    series->step = std::chrono::seconds(1);
  }
  measures.bitrate.values.assign(count, 0.0);
  for (const auto& record : records) measures.bitrate.values[record.second - first] = 8.0 * record.bytes;
  if (count >= 3) {                                       // whole seconds only
    std::vector<double> rates;
    for (std::size_t i = 1; i + 1 < count; ++i) rates.push_back(*measures.bitrate.values[i]);
    std::sort(rates.begin(), rates.end());
    measures.bitrate_bps->p5 = percentile(rates, 0.05);
    measures.bitrate_bps->p50 = percentile(rates, 0.5);
    measures.bitrate_bps->p95 = percentile(rates, 0.95);
    measures.bitrate_bps->max = rates.back();
  }
  measures.loss.values.assign(count, std::nullopt);
  if (measures.lost) {
    std::vector<double> lost(count, 0.0), unique(count, 0.0);
    spread(runs, origin_, [&](std::uint32_t second, double packets) {
      if (second >= first && second <= last) lost[second - first] += packets;
    });
    for (const auto& record : records) unique[record.second - first] = record.unique;
    for (std::size_t i = 0; i < count; ++i)
      if (lost[i] + unique[i] > 0) measures.loss.values[i] = lost[i] / (lost[i] + unique[i]);
  }
  measures.delay.values.assign(count, std::nullopt);
  for (std::size_t i = 0; i < delays.size();) {
    const auto second = second_index(origin_, transits_[i].time);
    std::size_t end = i;
    while (end < delays.size() && second_index(origin_, transits_[end].time) == second) ++end;
    if (second >= first && second <= last)
      measures.delay.values[second - first] = median({delays.begin() + static_cast<std::ptrdiff_t>(i),
                                                      delays.begin() + static_cast<std::ptrdiff_t>(end)});
    i = end;
  }
}

struct StreamMeter::Speech {
  std::optional<CodecQuality> codec;
  double packet_time_ms = 0;
};

/// By place in types_: codec, rate and packet time belong to the payload type (RFC 3550 5.1).
std::vector<StreamMeter::Speech> StreamMeter::speech_of(const classify::Stream& stream) const {
  const double duration = capture::seconds(last_time_ - first_time_);
  const double mean_ms = 1e3 * duration / static_cast<double>(std::max<std::uint64_t>(packets_, 2) - 1);
  std::uint64_t timed = 0;
  for (const auto& type : types_) timed += type.packets;
  std::vector<Speech> speech;
  for (const auto& type : types_) {
    const auto format = std::find_if(stream.formats.begin(), stream.formats.end(), [&](const auto& each) { return each.payload_type == type.payload_type; });
    const bool other = type.payload_type >= 0 && type.payload_type != stream.payload_type && format != stream.formats.end() && !format->codec.empty();
    const double share = timed > 0 ? static_cast<double>(type.packets) / static_cast<double>(timed) : 0;
    const double bytes = static_cast<double>(types_.size() == 1 ? payload_bytes_ : type.payload_bytes);
    auto& each = speech.emplace_back();
    if (share > 0) each.codec = codec_quality(other ? format->codec : stream.codec, 8.0 * bytes / (duration * share));
    const double step_ms = type.step_votes > 0 && type.rate != 0 ? 1e3 * type.step / type.rate : 0;
    each.packet_time_ms = std::min(step_ms >= 1 && step_ms <= longest_packet_ms ? step_ms : mean_ms, longest_packet_ms);
  }
  if (speech.empty()) speech.push_back({codec_quality(stream.codec, 8.0 * static_cast<double>(payload_bytes_) / duration), std::min(mean_ms, longest_packet_ms)});
  return speech;
}

/// Ten seconds at a time, and their mean weighted by packets for the whole stream (docs/methods/mos.md).
void StreamMeter::rate_quality(const classify::Stream& stream, std::span<const MissingRun> runs, double reported_loss, StreamMeasures& measures) {
  if (stream.kind != classify::MediaKind::audio || !measures.lost || packets_ < least_rated_packets || last_time_ <= first_time_) return;
  const auto& records = seconds_.records();
  const std::uint32_t first = records.front().second, last = records.back().second;
  const auto speech = speech_of(stream);
  const auto* const main = main_type(stream);
  const auto& usual = speech[main != nullptr ? static_cast<std::size_t>(main - types_.data()) : 0];
  if (!usual.codec || last - first >= longest_series_s) return;
  struct Interval { double lost = 0, unique = 0, late = 0, buffer_ms = 0, timed = 0, runs = 0; std::array<std::uint32_t, type_limit> of_type{}; };
  std::vector<Interval> intervals((last - first) / rating_seconds + 1);
  for (const auto& record : records) {
    auto& interval = intervals[(record.second - first) / rating_seconds];
    interval.unique += record.unique;
    interval.late += record.late_adaptive;
    interval.buffer_ms += static_cast<double>(record.buffer_ms);
    interval.timed += record.timed;
    interval.of_type[record.type] += record.timed;
  }
  spread(runs, origin_, [&](std::uint32_t second, double packets) {
    if (second >= first && second <= last) intervals[(second - first) / rating_seconds].lost += packets;
  });
  for (const auto& run : runs)
    if (const auto second = second_index(origin_, run.after); second >= first && second <= last)
      intervals[(second - first) / rating_seconds].runs += 1;
  measures.mos_series.start = origin_ + std::chrono::seconds(first);
  measures.mos_series.step = std::chrono::seconds(rating_seconds);
  double sum = 0, weight = 0;
  for (const auto& interval : intervals) {
    const double expected = interval.lost + interval.unique;
    if (expected <= 0) {
      measures.mos_series.values.push_back(std::nullopt);
      continue;
    }
    const auto most = static_cast<std::size_t>(std::max_element(interval.of_type.begin(), interval.of_type.end()) - interval.of_type.begin());
    const auto& spoken = interval.of_type[most] > 0 && most < speech.size() && speech[most].codec ? speech[most] : usual;
    const double bad = std::clamp(interval.lost + interval.late, reported_loss * expected, expected), good = expected - bad;
    double burst_ratio = 1;
    if (interval.lost > 0 && interval.runs > 0 && good > 0)
      burst_ratio = 1 / (interval.runs / std::max(expected - interval.lost, 1.0) + interval.runs / interval.lost);
    const double buffer = interval.timed > 0 ? interval.buffer_ms / interval.timed : 0;
    const double delay = measures.rtt_ms.value_or(0) / 2 + buffer + spoken.packet_time_ms;
    const auto rating = rate_call(*spoken.codec, 100 * bad / expected, burst_ratio, delay);
    const bool enough = expected >= least_rated_packets;
    measures.mos_series.values.push_back(enough ? std::optional(rating.mos) : std::nullopt);
    sum += (spoken.codec->wide_band ? rating.r_factor / 1.29 : rating.r_factor) * expected;   // on the scale that they share
    weight += expected;
  }
  if (weight <= 0) return;
  measures.r_factor = sum / weight * (usual.codec->wide_band ? 1.29 : 1);
  measures.mos = mos_of(sum / weight);
  measures.mos_grounded = usual.codec->grounded;
}

void StreamMeter::describe_losses(std::span<const MissingRun> runs, std::int64_t first, double packet_time_ms,
                                  StreamMeasures& measures, StreamObservation& observation) const {
  if (!observation.counter_of) {                    // else its numbers count others' packets, too: no runs of its own
    const auto pattern = loss_pattern(runs, first, *measures.expected);
    measures.burst_density = pattern.burst_density;
    measures.gap_density = pattern.gap_density;
    measures.burst_ratio = pattern.burst_ratio;
    if (pattern.mean_burst_packets) measures.mean_burst_ms = *pattern.mean_burst_packets * packet_time_ms;
    if (pattern.mean_gap_packets) measures.mean_gap_ms = *pattern.mean_gap_packets * packet_time_ms;
  }
  observation.gaps.reserve(std::min(runs.size(), gap_limit));
  for (const auto& run : runs) {
    if (observation.gaps.size() == gap_limit) break;
    observation.gaps.push_back({observation.id, run.before, run.after, run.count, run.size_before, run.size_after, run.ordinal_after});
  }
}

const StreamMeter::TypeMeter* StreamMeter::main_type(const classify::Stream& stream) const {
  const TypeMeter* most = nullptr;
  for (const auto& type : types_) {
    if (type.payload_type >= 0 && type.payload_type == stream.payload_type) return &type;
    if (most == nullptr || type.packets > most->packets) most = &type;
  }
  return most;
}

/// What is still untimed gets the clock that the whole capture told of its type, or the one that its timestamps show.
void StreamMeter::tell_clocks(const classify::Stream& stream) {
  for (auto& type : types_) {
    if (type.rate != 0 || type.waiting.empty() || type.ever_failed) continue;
    const auto format = std::find_if(stream.formats.begin(), stream.formats.end(), [&](const auto& each) { return each.payload_type == type.payload_type; });
    std::uint32_t rate = format != stream.formats.end() ? format->clock_rate_hz : 0;
    if (rate == 0 && (type.payload_type < 0 || type.payload_type == stream.payload_type)) rate = stream.clock_rate_hz;
    if (rate == 0) rate = infer_clock_rate(type.waiting, final_tolerance, final_span_s);
    if (rate == 0 && types_.size() > 1) rate = timed_rate_;
    if (rate != 0) set_clock(type, rate);
  }
}

NumberedStream StreamMeter::numbered(const classify::Stream& stream) const {
  NumberedStream told;
  told.id = stream.id;
  told.flow = stream.flow;
  told.way = stream.way;
  told.ssrc = stream.ssrc;
  told.usable = has_sequence_ && stream.sequence_basis == classify::SequenceBasis::rtp && stream.sequence_bits == 16 && !stream.sequence_shared &&
                sequence_.resynchronisations() == 0 && sequence_.runs_complete();
  told.first_raw = static_cast<std::uint16_t>(sequence_.first_raw());
  told.minimum = sequence_.oldest();
  told.maximum = sequence_.newest();
  told.runs = sequence_.runs();
  told.first_time = first_time_;
  told.last_time = last_time_;
  return told;
}

void StreamMeter::measure(const classify::Stream& stream, const std::optional<double>& round_trip_ms, double reported_loss, const StreamRelation& relation,
                          StreamMeasures& measures, StreamObservation& observation) {
  tell_clocks(stream);
  const TypeMeter* const main = main_type(stream);
  const std::uint32_t clock_rate = main != nullptr ? main->rate : 0;
  measures.start_time = first_time_;
  measures.end_time = last_time_;
  measures.packets = observation.packets = packets_;
  measures.bytes = bytes_;
  measures.codec = stream.codec;
  measures.rtt_ms = round_trip_ms;
  measures.clock_rate_hz = observation.clock_rate_hz = stream.clock_rate_hz != 0 ? stream.clock_rate_hz : clock_rate;
  measures.duplicates = has_sequence_ ? sequence_.duplicates() : repeats_;
  measures.reordered = has_sequence_ ? sequence_.reordered() : 0;
  observation.duplicates = measures.duplicates;
  observation.reordered = measures.reordered;
  const double duration = capture::seconds(last_time_ - first_time_);
  if (duration > 0) {
    const double mean = 8.0 * static_cast<double>(bytes_) / duration;
    measures.bitrate_bps = BitrateSummary{mean, mean, mean, mean, mean};
  }
  std::vector<MissingRun> runs;
  std::int64_t first = 0;
  observation.counter_of = relation.counter_of;
  observation.counter_offset = relation.counter_offset;
  observation.twin = relation.twin;
  observation.passed_on = relation.missing_in_both;
  if (relation.counter_of) {
    runs = relation.holes;
    std::uint64_t lost = 0, longest = 0;
    for (const auto& run : runs) {
      lost += run.count;
      longest = std::max<std::uint64_t>(longest, run.count);
    }
    measures.expected = sequence_.unique() + lost;
    measures.lost = lost;
    measures.max_loss_run = longest;
    measures.loss_basis = "sequence";
  } else if (has_sequence_ && !stream.sequence_shared) {
    measures.expected = sequence_.expected();
    measures.lost = sequence_.lost();
    measures.max_loss_run = sequence_.longest_run();
    measures.loss_basis = stream.sequence_basis == classify::SequenceBasis::counter ? "counter" : "sequence";
    runs = sequence_.runs();
    if (!runs.empty()) first = std::min<std::int64_t>(0, runs.front().first);
  } else if (auto estimate = unsequenced_estimate(stream)) {
    measures.expected = estimate->expected;
    measures.lost = estimate->lost;
    measures.loss_basis = "cadence";
    runs = std::move(estimate->runs);
    std::uint32_t longest = 0;
    for (const auto& run : runs) longest = std::max(longest, run.count);
    measures.max_loss_run = longest;
  }
  observation.expected = measures.expected;
  observation.lost = measures.lost;
  if (measures.expected) {
    if (*measures.expected > 0)
      measures.loss_ratio = static_cast<double>(*measures.lost) / static_cast<double>(*measures.expected);
    const double frames = static_cast<double>(std::max<std::uint64_t>(*measures.expected, 2) - 1);
    describe_losses(runs, first, 1e3 * duration / frames, measures, observation);
  }
  std::vector<float> delays;
  if (clock_rate != 0 && (stream.clock_rate_hz == 0 || stream.clock_rate_hz == clock_rate)) {
    measures.jitter_ms = jitter_.mean_ms();
    measures.jitter_max_ms = jitter_.maximum_ms();
    StreamObservation video_delay;            // a video's times include its sender's pacer: no queue can be read from them
    delays = measure_delay(measures, stream.kind == classify::MediaKind::audio ? observation : video_delay);
  }
  if (measures.bitrate_bps) fill_series(measures, runs, delays);
  rate_quality(stream, runs, reported_loss, measures);
}

}  // namespace callwitness::metrics
