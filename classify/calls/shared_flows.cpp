#include "classify/calls/shared_flows.hpp"

#include <algorithm>
#include <map>

namespace callwitness::classify {
namespace {

// docs/methods/calls.md
constexpr Duration as_one = std::chrono::milliseconds(500);
constexpr Duration redial = std::chrono::seconds(10);

struct Group {
  std::vector<SharingStream> streams;
  std::array<std::optional<Time>, 2> last{};
  void add(const SharingStream& stream) {
    streams.push_back(stream);
    auto& own = last[static_cast<std::size_t>(stream.way)];
    own = std::max(own.value_or(stream.last_time), stream.last_time);
  }
};

}  // namespace

bool was_hung_up(const std::array<std::optional<Time>, 2>& last, Time next) {
  const auto [forward, backward] = last;
  if (!forward || !backward) return false;
  const auto [earlier, later] = std::minmax(*forward, *backward);
  return later - earlier <= as_one && next - later >= redial;
}

std::vector<std::vector<SharingStream>> split_by_call(std::vector<SharingStream> streams) {
  std::stable_sort(streams.begin(), streams.end(), [](const SharingStream& a, const SharingStream& b) { return a.first_time < b.first_time; });
  std::vector<Group> groups;
  std::map<std::uint32_t, std::size_t> by_line;
  std::optional<std::size_t> current;
  for (const auto& stream : streams) {
    if (stream.line != 0) {
      const auto [found, fresh] = by_line.try_emplace(stream.line, groups.size());
      if (fresh) groups.emplace_back();
      groups[found->second].add(stream);
      continue;
    }
    const bool another = current && ((stream.dialog >= 0 && groups[*current].streams.front().dialog >= 0 &&
                                      stream.dialog != groups[*current].streams.front().dialog) ||
                                     was_hung_up(groups[*current].last, stream.first_time));
    if (!current || another) {
      current = groups.size();
      groups.emplace_back();
    }
    groups[*current].add(stream);
  }
  std::vector<std::vector<SharingStream>> result;
  for (auto& group : groups) result.push_back(std::move(group.streams));
  return result;
}

}  // namespace callwitness::classify
