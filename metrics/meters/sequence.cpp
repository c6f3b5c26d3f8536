#include "metrics/meters/sequence.hpp"

#include <algorithm>

namespace callwitness::metrics {

namespace {
// RFC 3550 A.1 accepts jumps below MAX_DROPOUT = 3000 ahead and MAX_MISORDER = 100 behind. A jump is also held against
// the time that passed, so that a forged or restarted counter is no loss while an outage stays one (docs/methods/loss.md).
constexpr std::int64_t max_misorder = 100;
constexpr std::int64_t always_plausible = 250;
constexpr double rate_margin = 4;
constexpr double least_rate = 50;           // packets per second, while the stream's own is not known yet
// A short clip played again: repeats in a row at its own pace. What a network sends twice comes at once.
constexpr std::uint16_t repeats_of_restart = 8;
constexpr double pace_of_restart = 0.5;
constexpr std::int64_t near_repeat = 16;    // a network's copy is no further behind
}  // namespace

SequenceMeter::SequenceMeter(unsigned bits)
    : mask_(bits >= 32 ? 0xffffffffU : (1U << bits) - 1), half_(mask_ / 2 + 1) {}

std::int64_t SequenceMeter::difference(std::uint32_t sequence) const {
  const std::uint32_t forward = (sequence - maximum_raw_) & mask_;
  return forward < half_ ? static_cast<std::int64_t>(forward)
                         : static_cast<std::int64_t>(forward) - static_cast<std::int64_t>(mask_) - 1;
}

bool SequenceMeter::plausible_jump(std::int64_t ahead, capture::Time time) const {
  if (ahead <= always_plausible) return true;
  const double elapsed = capture::seconds(time - last_time_);
  const double life = capture::seconds(maximum_time_ - first_time_);
  const double rate = life > 0.5 ? static_cast<double>(unique_) / life : least_rate;
  return static_cast<double>(ahead - always_plausible) <= rate_margin * std::max(rate, least_rate) * std::max(elapsed, 0.0);
}

bool SequenceMeter::test(std::int64_t number) const {
  const auto bit = static_cast<std::uint64_t>(number) & (window - 1);
  return seen_[bit / 64] >> (bit % 64) & 1U;
}

void SequenceMeter::advance(std::int64_t ahead, std::uint32_t sequence, capture::Time time, std::uint32_t ordinal,
                            std::uint32_t bytes) {
  if (ahead > 1) {
    const MissingRun run{maximum_ + 1, static_cast<std::uint32_t>(ahead - 1), ordinal, maximum_size_, bytes,
                         maximum_time_, time};
    if (runs_.size() < run_limit) runs_.push_back(run);
    else {
      runs_complete_ = false;
      longest_forgotten_ = std::max(longest_forgotten_, run.count);
    }
    if (ahead >= window) seen_.fill(0);
    else for (std::int64_t i = 1; i < ahead; ++i) set(maximum_ + i, false);
  }
  maximum_ += ahead;
  set(maximum_, true);
  maximum_raw_ = sequence;
  maximum_time_ = time;
  maximum_size_ = bytes;
  ++unique_;
}

/// Takes `number` out of the run it was missing from. False: it was not known to be missing.
bool SequenceMeter::fill(std::int64_t number) {
  const auto after = std::upper_bound(runs_.begin(), runs_.end(), number,
                                      [](std::int64_t value, const MissingRun& run) { return value < run.first; });
  if (after == runs_.begin()) return false;
  const auto found = after - 1;
  const std::int64_t offset = number - found->first;
  if (offset >= found->count) return false;
  const auto rest = static_cast<std::uint32_t>(found->count - offset - 1);
  if (offset == 0) {
    ++found->first;
    if (--found->count == 0) runs_.erase(found);
    return true;
  }
  found->count = static_cast<std::uint32_t>(offset);
  if (rest == 0) return true;
  MissingRun second = *found;
  second.first = number + 1;
  second.count = rest;
  if (runs_.size() < run_limit) runs_.insert(found + 1, second);
  else runs_complete_ = false;
  return true;
}

SequenceMeter::Verdict SequenceMeter::below_minimum(std::int64_t number, capture::Time time, std::uint32_t ordinal,
                                                    std::uint32_t bytes) {
  if (const std::int64_t missing = minimum_ - number - 1; missing > 0 && runs_.size() < run_limit) {
    for (std::int64_t i = 1; i <= missing; ++i) set(number + i, false);
    runs_.insert(runs_.begin(), MissingRun{number + 1, static_cast<std::uint32_t>(missing), ordinal, bytes, bytes, time, time});
  }
  minimum_ = number;
  if (segment_ > minimum_) segment_ = minimum_;
  set(number, true);
  ++unique_;
  ++reordered_;
  return {Seen::reordered, number};
}

/// Neither next nor plausibly late. Two such in sequence are a restarted counter (RFC 3550 A.1, bad_seq): it goes on
/// from there without a loss. One alone is a stray, or the repeat of an old packet.
SequenceMeter::Verdict SequenceMeter::out_of_line(std::uint32_t sequence, capture::Time time, std::uint32_t ordinal,
                                                  std::uint32_t bytes, bool seen) {
  const bool restart = has_stray_ && sequence == expected_stray_;
  has_stray_ = !restart;
  expected_stray_ = (sequence + 1) & mask_;
  if (!restart) {
    if (seen) ++duplicates_;
    else ++strays_;
    return {seen ? Seen::duplicate : Seen::stray, maximum_, false, 0, true};
  }
  if (strays_ > 0) --strays_;
  else if (duplicates_ > 0) --duplicates_;
  ++resynchronisations_;
  maximum_raw_ = (sequence - 1) & mask_;
  advance(1, maximum_raw_, time, ordinal, bytes);       // the first of the two, taken for a stray before
  segment_ = maximum_;
  advance(1, sequence, time, ordinal, bytes);
  return {Seen::in_order, maximum_, true, 1, false};
}

/// A number seen before. Eight of them in a row at the pace of the stream are its clip from the beginning again.
SequenceMeter::Verdict SequenceMeter::repeated(std::uint32_t sequence, std::int64_t ahead, capture::Time time, std::uint32_t ordinal, std::uint32_t bytes) {
  ++duplicates_;
  if (repeats_in_row_ == 0 || sequence != expected_repeat_) {
    repeats_in_row_ = 0;
    repeats_since_ = time;
    repeats_far_ = ahead < -near_repeat;
  }
  expected_repeat_ = (sequence + 1) & mask_;
  const bool far = repeats_far_;
  if (++repeats_in_row_ < repeats_of_restart || unique_ < 2 || repeats_since_ < maximum_time_) return {Seen::duplicate, maximum_ + ahead, false, 0, far};
  const double usual = capture::seconds(maximum_time_ - first_time_) / static_cast<double>(unique_ - 1);
  if (capture::seconds(time - repeats_since_) < pace_of_restart * usual * (repeats_in_row_ - 1)) return {Seen::duplicate, maximum_ + ahead, false, 0, far};
  const std::uint16_t row = repeats_in_row_;
  duplicates_ -= row;
  ++resynchronisations_;
  maximum_raw_ = (sequence - row) & mask_;
  for (std::uint16_t i = row; i-- > 0;) {
    advance(1, (sequence - i) & mask_, time, ordinal, bytes);
    if (i + 1 == row) segment_ = maximum_;
  }
  repeats_in_row_ = 0;
  return {Seen::in_order, maximum_, true, static_cast<std::uint16_t>(row - 1), false};
}

SequenceMeter::Verdict SequenceMeter::place(std::uint32_t sequence, capture::Time time, std::uint32_t ordinal,
                                            std::uint32_t ip_bytes) {
  if (unique_ == 0) {
    first_time_ = maximum_time_ = time;
    maximum_raw_ = sequence;
    maximum_size_ = ip_bytes;
    unique_ = 1;
    set(0, true);
    return {Seen::in_order, 0};
  }
  const std::int64_t ahead = difference(sequence);
  if (ahead > 0) {
    if (!plausible_jump(ahead, time)) return out_of_line(sequence, time, ordinal, ip_bytes, false);
    has_stray_ = false;
    repeats_in_row_ = 0;
    advance(ahead, sequence, time, ordinal, ip_bytes);
    return {Seen::in_order, maximum_};
  }
  const std::int64_t number = maximum_ + ahead;
  if (number < segment_) {
    if (ahead < -max_misorder || segment_ != minimum_) return out_of_line(sequence, time, ordinal, ip_bytes, false);
    return below_minimum(number, time, ordinal, ip_bytes);
  }
  const bool in_window = -ahead < window;
  bool seen = in_window && test(number);
  if (!seen && !fill(number)) seen = !in_window || runs_complete_;
  if (seen) {
    if (ahead < -max_misorder) return out_of_line(sequence, time, ordinal, ip_bytes, true);
    return repeated(sequence, ahead, time, ordinal, ip_bytes);
  }
  repeats_in_row_ = 0;
  if (in_window) set(number, true);
  ++unique_;
  ++reordered_;
  return {Seen::reordered, number};
}

std::uint32_t SequenceMeter::longest_run() const {
  std::uint32_t longest = longest_forgotten_;
  for (const auto& run : runs_) longest = std::max(longest, run.count);
  return longest;
}

}  // namespace callwitness::metrics
