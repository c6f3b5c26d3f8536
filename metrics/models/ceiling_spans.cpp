// Which ceilings hold, and since when and until when.
#include "metrics/models/ceiling.hpp"

#include <algorithm>
#include <complex>
#include <numbers>

namespace callwitness::metrics::models {
namespace {

constexpr double least_distinct = 4, least_distinct_of_a_part = 5;   ///< log10; parts are looked at more often
constexpr double least_linked = 0.4;             ///< sleeping radios, fair queues and Wi-Fi reach 0.34
constexpr std::uint64_t surrogates = 3;
constexpr std::size_t most_arrivals = 20'000, window_arrivals = 10'000, most_windows = 8;
constexpr double shortest_part_s = 20;
constexpr std::size_t fewest_in_part = 200;
constexpr double soon_s = 15;                    ///< from the first arrival until a bucket that was there all along is full
constexpr double for_it = 0.5, against_it = -2;  ///< weights of blocks of 1 s
constexpr double leeway = 0.25;                  ///< of the width, above the ceiling

using Arrivals = std::span<const Arrival>;

/// Indices of arrivals between two times.
Arrivals between(Arrivals arrivals, double from, double to) {
  const auto by_time = [](const Arrival& arrival, double time) { return arrival.time < time; };
  const auto first = std::lower_bound(arrivals.begin(), arrivals.end(), from, by_time);
  const auto last = std::lower_bound(first, arrivals.end(), to, by_time);
  return {first, last};
}

/// How the ceiling fared in a block of 1 s.
struct Block { double first_touch = 0, last_touch = 0; bool touched = false, passed = false; };

/// The bucket is taken to be empty after what passed above it, for before a limit began more did.
std::vector<Block> fate_of(Arrivals arrivals, const Ceiling& ceiling) {
  std::vector<Block> blocks;
  arrivals = between(arrivals, ceiling.from, arrivals.back().time + 1);
  double level = ceiling.level, last = arrivals.front().time, block_end = -1e18;
  for (const auto& arrival : arrivals) {
    if (arrival.time >= block_end) {
      blocks.emplace_back();
      block_end = arrival.time + 1;
      level = std::min(level, ceiling.depth);
    }
    auto& block = blocks.back();
    level = std::max(0.0, level - ceiling.rate * (arrival.time - last)) + arrival.bytes;
    last = arrival.time;
    if (level > ceiling.depth + leeway * ceiling.width) {
      block.passed = true;
    } else if (level > ceiling.depth - ceiling.width) {
      if (!block.touched) block.first_touch = arrival.time;
      block.touched = true;
      block.last_touch = arrival.time;
    }
  }
  return blocks;
}

bool stands_out(Arrivals window, Ceiling& ceiling, bool is_part) {
  const double least = is_part ? least_distinct_of_a_part : least_distinct;
  if (ceiling.sign < least || ceiling.linked < least_linked) return false;
  for (std::uint64_t seed = 1; seed <= surrogates; ++seed) {
    const auto other = shuffled(window, seed);
    if (const auto pile = highest_pile(other, is_part)) ceiling.shuffled = std::max(ceiling.shuffled, pile->sign);
    if (ceiling.distinct() < least) return false;
  }
  return true;
}

/// What a part shows at a level of its own, counted from the first arrival on, where it piles up there as well: then what came before the
/// part belongs to it, and its depth may be told.
void count_from_the_beginning(Arrivals arrivals, double from, double to, Ceiling& ceiling) {
  constexpr double as_well = 0.7;
  const auto upto = between(arrivals, arrivals.front().time, to);
  const auto levels = levels_at(upto, ceiling.rate, 1e18);
  std::vector<double> highest;
  double block_end = -1e18;
  for (std::size_t i = 0; i < upto.size(); ++i) {
    if (upto[i].time < from) continue;
    if (upto[i].time >= block_end) highest.push_back(0), block_end = upto[i].time + 1;
    highest.back() = std::max(highest.back(), levels[i]);
  }
  const auto pile = best_pile(highest, ceiling.width);
  if (pile.sign < as_well * ceiling.sign) return;
  ceiling.depth = pile.depth;
  ceiling.from = arrivals.front().time;
  ceiling.level = 0;
}

struct Window { double from, to; bool is_part; };

std::vector<Window> windows_of(Arrivals arrivals) {
  std::vector<Window> windows;
  const double first = arrivals.front().time, last = arrivals.back().time, whole = last - first;
  if (arrivals.size() > most_arrivals) {
    const std::size_t count = std::min(most_windows, arrivals.size() / window_arrivals), apart = (arrivals.size() - window_arrivals) / std::max<std::size_t>(1, count - 1);
    for (std::size_t i = 0; i < count; ++i) windows.push_back({arrivals[i * apart].time, arrivals[std::min(arrivals.size() - 1, i * apart + window_arrivals)].time, true});
    return windows;
  }
  windows.push_back({first, last + 1, false});
  for (const double parts : {2.0, 4.0}) {
    const double length = whole / parts;
    if (length < shortest_part_s) break;
    for (double from = first; from + length <= last + 1e-6; from += length / 2) windows.push_back({from, from + length, true});
  }
  return windows;
}

}  // namespace

void find_span(Arrivals arrivals, Ceiling& ceiling) {
  double sum = 0, best = 0, begin = 0;
  std::size_t touches = 0;
  for (const auto& block : fate_of(arrivals, ceiling)) {
    if (sum <= 0) sum = 0, touches = 0;
    if (block.touched && touches++ == 0) begin = block.first_touch;
    sum += block.passed ? against_it : block.touched ? for_it : 0;
    if (sum <= best || !block.touched) continue;
    best = sum;
    ceiling.begin = begin, ceiling.end = block.last_touch, ceiling.touches = touches;
  }
}

std::vector<Ceiling> find_ceilings(Arrivals arrivals, bool is_part) {
  std::vector<Ceiling> found;
  if (arrivals.size() < 2) return found;
  for (auto window : windows_of(arrivals)) {
    window.is_part = window.is_part || is_part;
    const bool known = std::any_of(found.begin(), found.end(), [&](const Ceiling& other) {
      return std::min(other.end, window.to) - std::max(other.begin, window.from) > 0.3 * (window.to - window.from);
    });
    const auto inside = between(arrivals, window.from, window.to);
    if (known || inside.size() < fewest_in_part / 2) continue;
    auto ceiling = highest_pile(inside, window.is_part);
    if (!ceiling || !stands_out(inside, *ceiling, window.is_part)) continue;
    if (window.is_part) count_from_the_beginning(arrivals, window.from, window.to, *ceiling);
    find_span(arrivals, *ceiling);
    const bool filled_at_once = ceiling->begin - arrivals.front().time <= soon_s && ceiling->depth <= soon_s * ceiling->rate;
    ceiling->depth_told = ceiling->fills > 1 || (ceiling->level == 0 && !is_part && filled_at_once);
    found.push_back(*ceiling);
  }
  std::sort(found.begin(), found.end(), [](const Ceiling& a, const Ceiling& b) { return a.begin < b.begin; });
  return found;
}

std::vector<Held> held_by(Arrivals arrivals, const Ceiling& ceiling) {
  std::vector<Held> held;
  arrivals = between(arrivals, ceiling.from, ceiling.end + 1e-9);
  const auto levels = levels_at(arrivals, ceiling.rate, ceiling.depth, ceiling.level);
  for (std::size_t i = 0; i < arrivals.size(); ++i) {
    const double time = arrivals[i].time;
    if (time < ceiling.begin || levels[i] <= ceiling.depth - ceiling.width) continue;
    if (held.empty() || time - held.back().end > 1) held.push_back({time, time});
    held.back().end = time;
  }
  return held;
}

/// Mean over spells of arrivals of how closely their phases on the beat lie together: 1 on it, next to 0 off it.
double on_beat(Arrivals arrivals, double beat) {
  constexpr std::size_t spell = 20;
  double sum = 0, spells = 0;
  for (std::size_t i = 0; i + spell <= arrivals.size(); i += spell, spells += 1) {
    std::complex<double> phases{};
    for (std::size_t k = i; k < i + spell; ++k) phases += std::polar(1.0, 2 * std::numbers::pi * (arrivals[k].time - arrivals[i].time) / beat);
    sum += std::abs(phases) / static_cast<double>(spell);
  }
  return spells > 0 ? sum / spells : 0;
}

Release release_of(Arrivals arrivals, const Ceiling& ceiling, double beat) {
  constexpr double around_s = 1, close = 0.2, near = 1.5;
  const auto span = between(arrivals, ceiling.from, ceiling.end + 1e-9);
  const auto levels = levels_at(span, ceiling.rate, ceiling.depth, ceiling.level);
  Release release;
  if (beat > 0) release.on_beat = on_beat(between(arrivals, ceiling.begin, ceiling.end + 1e-9), beat);
  std::size_t at_level = 0;
  for (std::size_t i = 0, first = 0, last = 0; i < span.size(); ++i) {
    if (span[i].time < ceiling.begin || levels[i] <= ceiling.depth - ceiling.width) continue;
    while (span[i].time - span[first].time > around_s) ++first;
    last = std::max(last, i);
    while (last + 1 < span.size() && span[last + 1].time - span[i].time <= around_s) ++last;
    double top = 0;
    for (std::size_t k = first; k <= last; ++k) top = std::max(top, levels[k]);
    if (top - levels[i] > near * span[i].bytes) continue;
    ++release.packets;
    at_level += top - levels[i] <= close * span[i].bytes ? 1 : 0;
  }
  release.at_level = release.packets == 0 ? 0 : static_cast<double>(at_level) / static_cast<double>(release.packets);
  return release;
}

}  // namespace callwitness::metrics::models
