#include "classify/flows/rtp_trial.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace callwitness::classify {
namespace {

constexpr double fastest_clock_hz = 200'000;   // no media clock runs faster; with it goes half a second of bursts
constexpr double slowest_clock_hz = 500;       // half of the slowest in use (1 kHz, text over RTP): silences go by too
constexpr double bursts_s = 0.5;
constexpr double least_packets_a_second = 1;   // comfort noise is rarer, but a flow doesn't begin with it alone
constexpr double usual_clocks[] = {8'000, 16'000, 44'100, 48'000, 90'000}, exact = 0.02;
constexpr std::size_t telling_lengths = 2;     // steps between packets of different lengths, before these say anything

struct Numbered {
  std::int32_t number = 0;                     ///< relative to the first one's
  std::int32_t ticks = 0;
};

std::int32_t step(std::uint32_t from, std::uint32_t to) { return static_cast<std::int16_t>(static_cast<std::uint16_t>(to - from)); }

/// A field that grows and shrinks with the datagram, byte for byte, is its length.
bool counts_bytes(std::span<const MediaPacket> trial) {
  std::size_t telling = 0, number = 0, high = 0, low = 0;
  for (std::size_t i = 1; i < trial.size(); ++i) {
    const auto &before = trial[i - 1], &now = trial[i];
    const auto longer = static_cast<std::uint16_t>(now.ip_bytes - before.ip_bytes);
    if (longer <= 1) continue;                 // 1: as any number grows
    ++telling;
    number += static_cast<std::uint16_t>(now.sequence - before.sequence) == longer;
    high += static_cast<std::uint16_t>((now.media_time >> 16) - (before.media_time >> 16)) == longer;
    low += static_cast<std::uint16_t>(now.media_time - before.media_time) == longer;
  }
  return telling >= telling_lengths && std::max({number, high, low}) * 2 > telling;
}

bool advances_by_one(std::span<const MediaPacket> trial) {
  std::vector<Numbered> numbers;
  std::size_t backward = 0;
  for (std::size_t i = 0; i < trial.size(); ++i) {
    numbers.push_back({step(trial.front().sequence, trial[i].sequence), static_cast<std::int32_t>(trial[i].media_time - trial.front().media_time)});
    backward += i > 0 && step(trial[i - 1].sequence, trial[i].sequence) < 0;
  }
  if (backward * 2 > trial.size()) return false;
  std::sort(numbers.begin(), numbers.end(), [](const Numbered& a, const Numbered& b) { return a.number < b.number; });
  std::size_t ones = 0, different = 0, conflicts = 0, proportional = 0;
  double pace = 0;                             // ticks a number: a voice codec's is the same from packet to packet, lost ones or not
  for (std::size_t i = 1; i < numbers.size(); ++i) {
    const auto further = numbers[i].number - numbers[i - 1].number;
    const auto ticks = static_cast<double>(numbers[i].ticks) - numbers[i - 1].ticks;
    if (further == 0) {
      conflicts += ticks != 0;
      continue;
    }
    ++different;
    ones += further == 1;
    if (pace == 0) pace = ticks / further;
    proportional += pace > 0 && ticks == pace * further;
  }
  return conflicts * 4 <= trial.size() && (ones * 2 >= different || proportional * 5 >= different * 4);
}

bool clock_fits(std::span<const MediaPacket> trial) {
  Time first = trial.front().time, last = first;
  std::int32_t least = 0, most = 0;
  for (const auto& packet : trial) {
    first = std::min(first, packet.time);
    last = std::max(last, packet.time);
    const auto ticks = static_cast<std::int32_t>(packet.media_time - trial.front().media_time);
    least = std::min(least, ticks);
    most = std::max(most, ticks);
  }
  const double elapsed = capture::seconds(last - first), ticks = static_cast<double>(most) - least;
  if (ticks > fastest_clock_hz * (elapsed + bursts_s)) return false;
  return elapsed < bursts_s || ticks >= slowest_clock_hz * elapsed;
}

/// What comes more seldom must keep a usual clock's time to the second.
bool comes_like_media(std::span<const MediaPacket> trial) {
  const auto [first, last] = std::minmax_element(trial.begin(), trial.end(), [](const MediaPacket& a, const MediaPacket& b) { return a.time < b.time; });
  const double elapsed = capture::seconds(last->time - first->time);
  if (static_cast<double>(trial.size()) >= least_packets_a_second * elapsed) return true;
  const double rate = static_cast<std::int32_t>(last->media_time - first->media_time) / elapsed;
  return std::any_of(std::begin(usual_clocks), std::end(usual_clocks), [&](double usual) { return std::abs(rate / usual - 1) <= exact; });
}

}  // namespace

bool behaves_like_rtp(std::span<const MediaPacket> trial) {
  if (trial.empty()) return false;
  return !counts_bytes(trial) && advances_by_one(trial) && clock_fits(trial) && comes_like_media(trial);
}

bool looks_like_event(int payload_type, int main_type, Bytes payload, std::uint32_t payload_length, bool begins_or_stands) {
  constexpr int first_dynamic = 96;
  constexpr std::uint32_t event_bytes = 4, short_tag = 4, tag = 10;
  constexpr std::uint8_t reserved = 0x40;
  if (payload_type < first_dynamic || payload_type == main_type) return false;
  if (payload_length == event_bytes) return payload.size() < event_bytes || (payload[1] & reserved) == 0;
  return begins_or_stands && (payload_length == event_bytes + short_tag || payload_length == event_bytes + tag);
}

}  // namespace callwitness::classify
