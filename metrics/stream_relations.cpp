#include "metrics/stream_relations.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace callwitness::metrics {
namespace {

constexpr std::int64_t numbers = 1 << 16;
constexpr std::size_t looked_at = 2'000;           // numbers of a pair: more says no more
constexpr std::size_t least_inside = 20;           // that fall where the other has its holes: chance does that once in a million, where half are holes
constexpr double most_collisions = 0.02;           // a sender that starts a counter anew for a moment
constexpr std::uint64_t least_missing = 10;        // without holes there is nothing to explain
constexpr std::uint64_t most_missing = 2'000'000;  // walked through one by one
constexpr double same_numbers = 0.95;              // of one side of a relay, those that the other side has
constexpr std::uint32_t drawn_ssrc = 0x10000;      // smaller ones are chosen, not drawn: they say little

/// What to add to b's extended numbers so that they are a's. The counters wrap: the times tell which round.
std::int64_t offset_of(const NumberedStream& a, const NumberedStream& b) {
  const auto near = static_cast<std::int64_t>(static_cast<std::int16_t>(static_cast<std::uint16_t>(b.first_raw - a.first_raw)));
  const double life = capture::seconds(a.last_time - a.first_time);
  const double into = life > 0 ? capture::seconds(b.first_time - a.first_time) / life : 0;
  const double expected = static_cast<double>(a.minimum) + into * static_cast<double>(a.maximum - a.minimum);
  if (std::abs(expected) > 1e12) return near;
  return near + numbers * static_cast<std::int64_t>(std::llround((expected - static_cast<double>(near)) / static_cast<double>(numbers)));
}

bool overlap(const NumberedStream& a, const NumberedStream& b) { return a.first_time < b.last_time && b.first_time < a.last_time; }

struct Shares { std::size_t inside = 0, both = 0; };

/// Of b's numbers, evenly drawn, how many lie in a's range and how many of these a has as well.
Shares shares_of(const NumberedStream& a, const NumberedStream& b, std::int64_t offset) {
  Shares shares;
  const std::int64_t span = b.maximum - b.minimum + 1, step = std::max<std::int64_t>(1, span / static_cast<std::int64_t>(looked_at));
  for (std::int64_t number = b.minimum; number <= b.maximum; number += step) {
    if (!b.has(number) || number + offset < a.minimum || number + offset > a.maximum) continue;
    ++shares.inside;
    shares.both += a.has(number + offset);
    if (shares.inside == 2 * least_inside && shares.both * 4 > shares.inside && shares.both * 4 < shares.inside * 3) break;   // neither
  }
  return shares;
}

bool share_counter(const NumberedStream& a, const NumberedStream& b, std::int64_t offset) {
  const auto shares = shares_of(a, b, offset);
  return shares.inside >= least_inside && static_cast<double>(shares.both) <= most_collisions * static_cast<double>(shares.inside);
}

/// The number before the hole that `number` lies in, as the stream itself has it; none: outside of what it has.
std::optional<std::int64_t> before_hole(const NumberedStream& stream, std::int64_t number) {
  if (number <= stream.minimum) return std::nullopt;
  if (number > stream.maximum) return stream.maximum;
  const auto after = std::upper_bound(stream.runs.begin(), stream.runs.end(), number, [](std::int64_t value, const MissingRun& run) { return value < run.first; });
  return after == stream.runs.begin() ? std::nullopt : std::optional((after - 1)->first - 1);
}

/// The holes of stream `own` that no other of its group fills, and whose sender had the counter last.
std::vector<MissingRun> holes_of(std::span<const NumberedStream> streams, std::span<const StreamRelation> relations, const std::vector<std::size_t>& group, std::size_t own) {
  std::vector<MissingRun> holes;
  const std::int64_t offset = relations[own].counter_offset;
  for (const auto& run : streams[own].runs) {
    std::int64_t last = -1;
    for (std::int64_t number = run.first; number < run.first + run.count; ++number) {
      bool filled = false, mine = true;
      for (const auto other : group) {
        if (other == own) continue;
        const std::int64_t there = number + offset - relations[other].counter_offset;
        if (streams[other].has(there)) filled = true;
        const auto before = before_hole(streams[other], there);
        if (before && *before + relations[other].counter_offset > run.first - 1 + offset) mine = false;
      }
      if (filled || !mine) continue;
      if (!holes.empty() && last == number - 1 && holes.back().first + holes.back().count == number) {
        ++holes.back().count;
      } else {
        auto& hole = holes.emplace_back(run);
        hole.first = number;
        hole.count = 1;
      }
      last = number;
    }
  }
  return holes;
}

void relate_counters(std::span<const NumberedStream> streams, const std::vector<std::size_t>& of_flow, std::vector<StreamRelation>& relations) {
  std::vector<std::vector<std::size_t>> groups;
  for (const auto one : of_flow) {
    const auto& stream = streams[one];
    bool placed = false;
    for (auto& group : groups) {
      const auto& leader = streams[group.front()];
      if (stream.ssrc == leader.ssrc || !overlap(leader, stream) || leader.missing() + stream.missing() < least_missing) continue;
      const auto offset = offset_of(leader, stream);
      if (!share_counter(leader, stream, offset) || !share_counter(stream, leader, -offset)) continue;
      relations[one].counter_offset = offset;
      group.push_back(one);
      placed = true;
      break;
    }
    if (!placed) groups.push_back({one});
  }
  for (const auto& group : groups) {
    if (group.size() < 2) continue;
    for (const auto member : group) relations[member].counter_of = streams[group.front()].id;
    for (const auto member : group) relations[member].holes = holes_of(streams, relations, group, member);
  }
}

void relate_twins(std::span<const NumberedStream> streams, const std::vector<std::size_t>& of_ssrc, std::vector<StreamRelation>& relations) {
  for (const auto own : of_ssrc) {
    for (const auto other : of_ssrc) {
      const auto &a = streams[own], &b = streams[other];
      if (a.flow == b.flow || !overlap(a, b)) continue;
      const auto offset = offset_of(a, b);
      const auto shares = shares_of(a, b, offset);
      if (shares.inside < least_inside || static_cast<double>(shares.both) < same_numbers * static_cast<double>(shares.inside)) continue;
      std::uint64_t common = 0;
      for (const auto& run : a.runs)
        for (std::int64_t number = run.first; number < run.first + run.count; ++number) {
          const std::int64_t there = number - offset;
          common += there > b.minimum && there < b.maximum && !b.has(there);
        }
      if (relations[own].twin && common <= relations[own].missing_in_both) continue;
      relations[own].twin = b.id;
      relations[own].missing_in_both = common;
    }
  }
}

}  // namespace

std::uint64_t NumberedStream::missing() const {
  std::uint64_t sum = 0;
  for (const auto& run : runs) sum += run.count;
  return sum;
}

bool NumberedStream::has(std::int64_t number) const {
  if (number < minimum || number > maximum) return false;
  const auto after = std::upper_bound(runs.begin(), runs.end(), number, [](std::int64_t value, const MissingRun& run) { return value < run.first; });
  return after == runs.begin() || number >= (after - 1)->first + (after - 1)->count;
}

std::vector<StreamRelation> relate(std::span<const NumberedStream> streams) {
  std::vector<StreamRelation> relations(streams.size());
  std::map<std::pair<classify::FlowId, classify::Way>, std::vector<std::size_t>> by_flow;
  std::map<std::uint32_t, std::vector<std::size_t>> by_ssrc;
  for (std::size_t i = 0; i < streams.size(); ++i) {
    if (!streams[i].usable || streams[i].missing() > most_missing) continue;
    by_flow[{streams[i].flow, streams[i].way}].push_back(i);
    if (streams[i].ssrc && *streams[i].ssrc >= drawn_ssrc) by_ssrc[*streams[i].ssrc].push_back(i);
  }
  constexpr std::size_t crowd = 64;          // pairs are looked at: more of one place are somebody's random bytes
  for (const auto& [place, members] : by_flow)
    if (members.size() >= 2 && members.size() <= crowd) relate_counters(streams, members, relations);
  for (const auto& [ssrc, members] : by_ssrc)
    if (members.size() >= 2 && members.size() <= crowd) relate_twins(streams, members, relations);
  return relations;
}

}  // namespace callwitness::metrics
