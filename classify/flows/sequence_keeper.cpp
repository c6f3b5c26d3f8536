#include "classify/flows/sequence_keeper.hpp"

namespace callwitness::classify {
namespace {

/// Where numbers made from timestamps begin, so that a packet that overtook the first one stays above zero.
constexpr std::int64_t first_number = 1000;

std::int64_t signed_difference(std::uint32_t now, std::uint32_t before, unsigned bits) {
  const std::int64_t modulus = std::int64_t{1} << bits;
  std::int64_t difference = (static_cast<std::int64_t>(now) - static_cast<std::int64_t>(before)) & (modulus - 1);
  if (difference >= modulus / 2) difference -= modulus;
  return difference;
}

std::uint32_t mask(unsigned bits) { return bits >= 32 ? 0xffffffffu : (1u << bits) - 1; }

}  // namespace

SequenceKeeper::Numbers SequenceKeeper::next(const MediaHeader& header) {
  Numbers numbers;
  if (header.media_time) {
    const unsigned bits = header.media_time_bits;
    if (!has_time_) {
      has_time_ = true;
      first_time_ = last_time_ = *header.media_time;
    }
    const auto last_low = static_cast<std::uint32_t>(last_time_) & mask(bits);
    const std::int64_t time = last_time_ + signed_difference(*header.media_time & mask(bits), last_low, bits);
    if (time > last_time_) last_time_ = time;
    numbers.media_time = static_cast<std::uint32_t>(time);
    if (header.time_step > 0 && !header.sequence) {
      const std::int64_t elapsed = time - first_time_;
      const std::int64_t half = header.time_step / 2;
      const std::int64_t steps = (elapsed >= 0 ? elapsed + half : elapsed - half) / header.time_step;
      numbers.sequence = static_cast<std::uint32_t>(first_number + steps) & mask(header.sequence_bits);
    }
  }
  if (header.sequence) {
    const unsigned bits = header.sequence_bits;
    if (header.number_only) {
      // Whether it really took a number shows when the next media packet's number is known.
      if (pending_count_ < pending_.size()) pending_[pending_count_++] = *header.sequence;
      numbers.is_media = false;
      return numbers;
    }
    const std::int64_t ahead = last_raw_ ? signed_difference(*header.sequence, *last_raw_, bits) : 1;
    if (ahead > 0) {
      for (std::size_t i = 0; last_raw_ && i < pending_count_; ++i) {
        const std::int64_t between = signed_difference(pending_[i], *last_raw_, bits);
        if (between > 0 && between < ahead) ++skipped_;
      }
      pending_count_ = 0;
      last_raw_ = *header.sequence;
    }
    numbers.sequence = (*header.sequence - skipped_) & mask(bits);
  }
  numbers.is_media = !header.number_only;
  return numbers;
}

}  // namespace callwitness::classify
