// Sequence numbers extended, and what is missing, repeated or late among them (RFC 3550 A.1).
#pragma once

#include "capture/time.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace callwitness::metrics {

/// Consecutive numbers not seen, between the packets captured around them.
struct MissingRun {
  std::int64_t first = 0;                   ///< extended number
  std::uint32_t count = 0;
  std::uint32_t ordinal_after = 0;
  std::uint32_t size_before = 0, size_after = 0;
  capture::Time before, after;
};

class SequenceMeter {
 public:
  enum class Seen : std::uint8_t { in_order, reordered, duplicate, stray };
  struct Verdict {
    Seen seen{};
    std::int64_t extended = 0;              ///< the stream's first number is 0; meaningless for a stray
    bool restarted = false;                 ///< the counter began anew with this packet: so does the media clock
    std::uint16_t repeats_undone = 0;       ///< of the packets straight before: no repeats, but numbered up to this one
    bool far = false;                       ///< nowhere near the newest number: its timestamp says nothing of lateness
  };
  static constexpr std::size_t run_limit = 65'536;      ///< runs beyond are counted, not described
  static constexpr std::int64_t window = 4'096;         ///< how far back repeats are told from late packets

  explicit SequenceMeter(unsigned bits = 16);
  Verdict add(std::uint32_t sequence, capture::Time time, std::uint32_t ordinal, std::uint32_t ip_bytes) {
    sequence &= mask_;
    const bool next = unique_ != 0 && ((sequence - maximum_raw_) & mask_) == 1;
    if (next) [[likely]] follow(sequence, time, ip_bytes);
    const Verdict verdict = next ? Verdict{Seen::in_order, maximum_} : place(sequence, time, ordinal, ip_bytes);
    last_time_ = time;
    return verdict;
  }

  /// What the next packet will touch besides the beginning of this.
  const void* next_seen() const { return &seen_[static_cast<std::uint64_t>(maximum_ + 1) % window / 64]; }

  std::uint64_t expected() const { return unique_ == 0 ? 0 : static_cast<std::uint64_t>(maximum_ - minimum_ + 1); }
  std::uint64_t unique() const { return unique_; }
  std::int64_t oldest() const { return minimum_; }                ///< extended; 0 or less
  std::int64_t newest() const { return maximum_; }                ///< extended
  /// The number that is 0 in extended ones, as long as the counter never began anew.
  std::uint32_t first_raw() const { return static_cast<std::uint32_t>(static_cast<std::int64_t>(maximum_raw_) - maximum_) & mask_; }
  std::uint64_t lost() const { return expected() - unique_; }
  std::uint64_t duplicates() const { return duplicates_; }
  std::uint64_t reordered() const { return reordered_; }
  std::uint64_t strays() const { return strays_; }
  std::uint64_t resynchronisations() const { return resynchronisations_; }
  const std::vector<MissingRun>& runs() const { return runs_; }   ///< by extended number, none empty
  bool runs_complete() const { return runs_complete_; }
  std::uint32_t longest_run() const;

 private:
  std::int64_t difference(std::uint32_t sequence) const;
  bool plausible_jump(std::int64_t ahead, capture::Time time) const;
  bool test(std::int64_t number) const;
  void set(std::int64_t number, bool value) {
    const auto bit = static_cast<std::uint64_t>(number) & (window - 1);
    if (value) seen_[bit / 64] |= std::uint64_t{1} << (bit % 64);
    else seen_[bit / 64] &= ~(std::uint64_t{1} << (bit % 64));
  }
  /// The number after the greatest.
  void follow(std::uint32_t sequence, capture::Time time, std::uint32_t bytes) {
    has_stray_ = false;
    repeats_in_row_ = 0;
    set(++maximum_, true);
    maximum_raw_ = sequence;
    maximum_time_ = time;
    maximum_size_ = bytes;
    ++unique_;
  }
  Verdict place(std::uint32_t sequence, capture::Time time, std::uint32_t ordinal, std::uint32_t bytes);
  void advance(std::int64_t ahead, std::uint32_t sequence, capture::Time time, std::uint32_t ordinal, std::uint32_t bytes);
  bool fill(std::int64_t number);
  Verdict repeated(std::uint32_t sequence, std::int64_t ahead, capture::Time time, std::uint32_t ordinal, std::uint32_t bytes);
  Verdict below_minimum(std::int64_t number, capture::Time time, std::uint32_t ordinal, std::uint32_t bytes);
  Verdict out_of_line(std::uint32_t sequence, capture::Time time, std::uint32_t ordinal, std::uint32_t bytes, bool seen);

  std::int64_t maximum_ = 0;                // first what every packet touches: one line of the processor's cache
  capture::Time maximum_time_, last_time_;  ///< last_time_: of any packet, strays too
  std::uint64_t unique_ = 0;
  std::uint32_t maximum_raw_ = 0, maximum_size_ = 0;
  std::uint32_t mask_;
  bool has_stray_ = false, runs_complete_ = true;
  std::uint16_t repeats_in_row_ = 0;        ///< packets seen before, each the next of the one before
  std::uint32_t half_;
  std::int64_t minimum_ = 0, segment_ = 0;  ///< segment_: first number since the last resynchronisation
  capture::Time first_time_;
  std::uint64_t duplicates_ = 0, reordered_ = 0, strays_ = 0, resynchronisations_ = 0;
  std::uint32_t expected_stray_ = 0;        ///< what would follow the last packet out of line
  std::uint32_t expected_repeat_ = 0;       ///< what would follow the last repeat
  capture::Time repeats_since_;
  bool repeats_far_ = false;                ///< the first of them was
  std::uint32_t longest_forgotten_ = 0;
  std::array<std::uint64_t, window / 64> seen_{};
  std::vector<MissingRun> runs_;
};

}  // namespace callwitness::metrics
