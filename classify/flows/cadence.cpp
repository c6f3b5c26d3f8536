#include "classify/flows/cadence.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace callwitness::classify {
namespace {

// Voice codecs' packets (docs/methods/cadence.md): payloads beyond these are signalling or data.
constexpr std::uint16_t smallest_voice = 16, largest_voice = 480;
constexpr float shortest_beat_ms = 8, longest_beat_ms = 125;
constexpr double steady_share = 0.6;     // of the gaps lie within a third of the beat or of its small multiples
constexpr double voice_sized_share = 0.8;
constexpr float pause_ms = 1000;

struct Judgement { bool steady = false, voice_sized = false; };

Judgement judge(const CadenceMeter::Side& side) {
  Judgement judgement;
  const auto count = static_cast<std::size_t>(side.in_window);
  const auto fitting = std::count_if(side.sizes.begin(), side.sizes.begin() + static_cast<std::ptrdiff_t>(count),
      [](std::uint16_t size) { return size >= smallest_voice && size <= largest_voice; });
  judgement.voice_sized = static_cast<double>(fitting) >= voice_sized_share * static_cast<double>(count);
  auto gaps = side.gaps_ms;
  std::nth_element(gaps.begin(), gaps.begin() + static_cast<std::ptrdiff_t>(count / 2), gaps.begin() + static_cast<std::ptrdiff_t>(count));
  const float beat = gaps[count / 2];
  if (beat < shortest_beat_ms || beat > longest_beat_ms) return judgement;
  std::size_t on_beat = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const float beats = std::max(1.0f, std::round(side.gaps_ms[i] / beat));
    if (beats <= 4 && std::abs(side.gaps_ms[i] - beats * beat) <= beat / 3) ++on_beat;
  }
  judgement.steady = judgement.voice_sized && static_cast<double>(on_beat) >= steady_share * static_cast<double>(count);
  return judgement;
}

}  // namespace

void CadenceMeter::on_packet(Way way, const MediaPacket& packet) {
  Side& side = sides_[static_cast<std::size_t>(way)];
  if (side.backlog.size() < backlog_limit) side.backlog.push_back(packet);
  const auto gap_ms = static_cast<float>(capture::milliseconds(packet.time - side.last_time));
  const bool first = side.packets++ == 0;
  side.last_time = packet.time;
  if (first || gap_ms > pause_ms || gap_ms < 0) return;
  side.gaps_ms[side.in_window] = gap_ms;
  side.sizes[side.in_window] = packet.payload_bytes;
  if (++side.in_window < window) return;
  const Judgement judgement = judge(side);
  ++(judgement.steady ? side.steady_windows : side.other_windows);
  if (judgement.voice_sized) ++side.voice_sized_windows;
  side.in_window = 0;
}

bool CadenceMeter::accepted(Bar bar) const {
  if (bar == Bar::known) {
    return std::any_of(sides_.begin(), sides_.end(), [](const Side& side) {
      return side.steady_windows >= 1 && side.steady_windows >= side.other_windows;
    });
  }
  return std::all_of(sides_.begin(), sides_.end(), [](const Side& side) {
    return side.voice_sized_windows >= 2 && side.steady_windows + 1 >= 2 * side.other_windows;
  }) && std::any_of(sides_.begin(), sides_.end(), [](const Side& side) {
    return side.steady_windows >= 4 && side.steady_windows > 3 * side.other_windows;
  });
}

bool CadenceMeter::carries(Way way) const {
  const Side& side = sides_[static_cast<std::size_t>(way)];
  return side.voice_sized_windows >= 1;
}

bool CadenceMeter::hopeless() const {
  return std::all_of(sides_.begin(), sides_.end(), [](const Side& side) {
    return side.other_windows >= trials && side.other_windows > side.steady_windows;
  }) || std::any_of(sides_.begin(), sides_.end(), [](const Side& side) {
    return side.other_windows >= trials && side.voice_sized_windows == 0;
  });
}

std::uint32_t payload_hash(Bytes payload) {
  std::uint64_t value = 0x9e3779b97f4a7c15u ^ payload.size();
  const auto fold = [&](std::uint64_t word) {
    value = (value ^ word) * 0xff51afd7ed558ccdu;
    value ^= value >> 32;
  };
  std::size_t i = 0;
  for (; i + 8 <= payload.size(); i += 8) {
    std::uint64_t word;
    std::memcpy(&word, payload.data() + i, sizeof word);
    fold(word);
  }
  std::uint64_t rest = 0;
  if (i < payload.size()) std::memcpy(&rest, payload.data() + i, payload.size() - i);
  fold(rest);
  return static_cast<std::uint32_t>(value);
}

}  // namespace callwitness::classify
