#include "metrics/fits/unnumbered.hpp"

#include "metrics/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

namespace callwitness::metrics {
namespace {

constexpr std::size_t minimum_arrivals = 50;      ///< in whole spells
constexpr double least_coherence = 0.5;           ///< of arrivals with the packet time: jitter up to a fifth of it
constexpr double clearly_more = 0.2;              ///< coherence by which a finer grid must beat a longer one
constexpr double least_single = 0.2;              ///< share of the gaps that are one packet time,
constexpr double least_single_if_double = 0.02, nearly_all = 0.9;   ///< or fewer, where nearly every second packet is lost
constexpr long most_missing = 5;                  ///< a longer hole is a pause
constexpr double hardly_larger = 1.15;
constexpr double larger = 1.3;                    ///< than packets after one step: packets after two hold two frames
constexpr std::size_t telling_packets = 20, neighbours = 6;
constexpr std::size_t steady_stretch = 30;        ///< gaps of two steps on end: a packet time of its own, no bucket's work

/// How well arrivals keep their phase on a grid, spell by spell (clocks stray over longer times). Losses keep it, jitter
/// blurs it (a longer grid less), arrivals at random have none; on twice the true time odd numbers of losses break it.
struct Phase {
  double coherence = 0;           ///< 0 … 1
  double single = 0, twice = 0;   ///< shares of the gaps that are one step, and two
};

Phase phase_on(const std::vector<double>& gaps, double packet_time) {
  constexpr std::size_t spell = 40;
  Phase phase;
  std::size_t spells = 0, single = 0, twice = 0, counted = 0, inside = 0;
  std::complex<double> sum{};
  double time = 0;
  for (const double gap : gaps) {
    if (gap > 6.5 * packet_time) {
      sum = {}, inside = 0;
      continue;
    }
    time += gap;
    sum += std::polar(1.0, 2 * std::numbers::pi * time / packet_time);
    ++counted;
    const auto steps = std::lround(gap / packet_time);
    single += steps == 1 ? 1 : 0;
    twice += steps == 2 ? 1 : 0;
    if (++inside < spell) continue;
    phase.coherence += std::abs(sum) / static_cast<double>(spell);
    ++spells;
    sum = {}, inside = 0;
  }
  if (spells * spell < minimum_arrivals) return {};
  phase.coherence /= static_cast<double>(spells);
  phase.single = static_cast<double>(single) / static_cast<double>(counted);
  phase.twice = static_cast<double>(twice) / static_cast<double>(counted);
  return phase;
}

/// The longest packet time on whose grid arrivals keep their phase, unless a finer one keeps it clearly better; 0: none.
double packet_time_of(const std::vector<double>& gaps) {
  double best = 0, best_coherence = least_coherence;
  for (const double candidate : {0.120, 0.100, 0.080, 0.060, 0.040, 0.030, 0.020, 0.010}) {
    const auto phase = phase_on(gaps, candidate);
    const bool stepwise = phase.single >= least_single || (phase.single >= least_single_if_double && phase.single + phase.twice >= nearly_all);
    if (phase.coherence < best_coherence || !stepwise) continue;
    best = candidate;
    best_coherence = phase.coherence + clearly_more;
  }
  return best;
}

/// Steps of the sender's clock, which is followed slowly, before each packet: a late packet moves its own number, not the
/// others'. 0: the count begins anew; -1: one packet more than there are steps.
std::vector<long> steps_of(std::span<const ArmPacket> media, double packet_time) {
  constexpr double follow = 0.05;
  std::vector<long> steps(media.size(), 0);
  double expected = media.front().time;           // when the packet should come
  for (std::size_t i = 1; i < media.size(); ++i) {
    const long ahead = std::lround((media[i].time - expected) / packet_time);
    if (ahead > most_missing + 1 || media[i].time - media[i - 1].time > silence_seconds) {
      expected = media[i].time;                   // a pause, or an outage
      continue;
    }
    if (ahead >= 1) {
      steps[i] = ahead;
      expected += static_cast<double>(ahead) * packet_time;
    } else {
      steps[i] = -1;
    }
    expected += follow * (media[i].time - expected);
  }
  return steps;
}

/// Codecs that put more frames into a packet, as the sender likes, have longer gaps and larger packets together. What a
/// bucket lets through knows nothing of what it dropped: packets after three steps are no larger than after two. But a loud
/// spell has larger packets and loses more of them, so that only neighbours are compared.
bool packs_frames(std::span<const ArmPacket> media, const std::vector<long>& steps) {
  std::vector<double> before_two, after_two;   // over the single-step packets around
  std::vector<double> two, three;              // bytes
  for (std::size_t i = 1; i < media.size(); ++i) {
    if (steps[i] == 2) two.push_back(media[i].bytes);
    if (steps[i] == 3) three.push_back(media[i].bytes);
    if (steps[i] != 2) continue;
    double bytes = 0;
    std::size_t singles = 0;
    for (std::size_t k = i > neighbours ? i - neighbours : 1; k < std::min(media.size(), i + neighbours); ++k)
      if (steps[k] == 1 && k + 1 != i) bytes += media[k].bytes, ++singles;
    if (singles < 2) continue;
    const double usual = bytes / static_cast<double>(singles);
    after_two.push_back(media[i].bytes / usual);
    before_two.push_back(media[i - 1].bytes / usual);
  }
  if (after_two.size() < telling_packets) return false;
  if (three.size() >= telling_packets && median(std::move(three)) < hardly_larger * median(std::move(two))) return false;
  return median(std::move(after_two)) >= larger || median(std::move(before_two)) >= larger;
}

/// A sender that halves its packets for a while: all gaps are two steps, none is one. In `steps` they become single.
void allow_slower_stretches(std::vector<long>& steps) {
  for (std::size_t i = 1; i + 1 < steps.size(); ++i)   // a packet that strays: a step more, then one less
    if (steps[i] + steps[i + 1] == 4 && steps[i] != 2 && steps[i] > 0 && steps[i + 1] > 0) steps[i] = steps[i + 1] = 2;
  for (std::size_t from = 0; from < steps.size();) {
    std::size_t to = from;
    while (to < steps.size() && steps[to] == 2) ++to;
    if (to - from >= steady_stretch) std::fill(steps.begin() + static_cast<std::ptrdiff_t>(from), steps.begin() + static_cast<std::ptrdiff_t>(to), 1L);
    from = to + 1;
  }
}

/// A packet too many is one that comes late: its own place, a little earlier, was empty and isn't lost.
void fill_places(std::span<const ArmPacket> media, const std::vector<long>& steps, Cadence& cadence) {
  for (std::size_t i = 1; i < media.size(); ++i) {
    if (steps[i] >= 0) continue;
    for (std::size_t before = i; before > 0 && media[i].time - media[before].time <= (most_missing + 1) * cadence.packet_time; --before) {
      if (cadence.missing[before] == 0) continue;
      --cadence.missing[before];
      break;
    }
  }
}

}  // namespace

Cadence read_cadence(std::span<const ArmPacket> media) {
  std::vector<double> gaps;
  for (std::size_t i = 1; i < media.size(); ++i) gaps.push_back(media[i].time - media[i - 1].time);
  Cadence cadence;
  cadence.packet_time = packet_time_of(gaps);
  if (cadence.packet_time <= 0) return cadence;
  auto steps = steps_of(media, cadence.packet_time);
  if (packs_frames(media, steps)) return cadence;
  allow_slower_stretches(steps);
  for (const long ahead : steps) cadence.missing.push_back(ahead > 1 ? static_cast<std::uint32_t>(ahead - 1) : 0);
  fill_places(media, steps, cadence);
  return cadence;
}

}  // namespace callwitness::metrics
