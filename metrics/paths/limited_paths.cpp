#include "metrics/paths/limited_paths.hpp"

#include "metrics/finding_support.hpp"
#include "metrics/parallel.hpp"
#include "metrics/paths/path_of.hpp"

#include <algorithm>
#include <map>

namespace callwitness::metrics {
namespace {

constexpr std::uint64_t least_losses = 15;
constexpr double least_loss = 0.003;               ///< of the whole path: a limit that holds for a part of a call takes more
constexpr double whole_first = 1.05;               ///< a part must tell that much more than the whole, to speak in its place
constexpr double told_enough = 0.6;                ///< share of the deviance: what is left holds no other medium's limit, nor others' share in it
constexpr double joint_gain = 1.1;                 ///< of several paths over the sum of their own
constexpr std::size_t most_joined = 12;            ///< paths

/// The arms of one flow and direction, and what holds them best.
struct Group {
  std::span<const Arm> arms;                       ///< the whole first
  models::Path path;                               ///< the whole's
  const Arm* best = nullptr;
  std::vector<models::Limit> limits;
  double gain = 0, share = 0;
};

double gain_of(std::span<const models::Limit> limits) {
  double gain = 0;
  for (const auto& limit : limits) gain += limit.kind == models::LimitKind::quota ? std::max(limit.nats, -limit.cause.innocent / 2) : limit.cause.gain;
  return gain;
}

bool numbered_here(const Observation& observation, const Arm& arm) { return arm.source == LossSource::sequence && can_show_losses(observation, arm); }

std::vector<Group> groups_of(const Observation& observation, std::span<const Arm> arms) {
  std::vector<Group> groups;
  for (std::size_t a = 0; a < arms.size();) {
    std::size_t end = a;
    while (end < arms.size() && arms[end].flow == arms[a].flow && arms[end].direction == arms[a].direction) ++end;
    if (numbered_here(observation, arms[a])) groups.push_back({arms.subspan(a, end - a), {}, nullptr, {}, 0, 0});
    a = end;
  }
  return groups;
}

void fit(const Observation& observation, Group& group) {
  const auto& whole = group.arms.front();
  const auto loses = [](const Arm& arm) { return arm.lost >= least_losses && static_cast<double>(arm.lost) >= least_loss * static_cast<double>(arm.packets.size()); };
  if (std::none_of(group.arms.begin(), group.arms.end(), loses)) return;
  for (const auto& arm : group.arms) {
    const bool is_whole = &arm == &whole;
    constexpr double nearly_all = 0.95;
    if (!is_whole && (group.share >= told_enough || !loses(arm) || arm.source != LossSource::sequence ||
                      static_cast<double>(arm.packets.size()) >= nearly_all * static_cast<double>(whole.packets.size())))
      continue;
    auto path = path_of(observation, arm);
    auto limits = models::find_limits(path);
    if (is_whole) group.path = std::move(path);
    const double gain = gain_of(limits) * (is_whole ? whole_first : 1);
    if (limits.empty() || gain <= group.gain) continue;
    group.best = &arm, group.gain = gain, group.share = limits.front().cause.share;
    group.limits = std::move(limits);
  }
}

bool overlap(const Arm& a, const Arm& b) {
  return a.packets.front().time < b.packets.back().time && b.packets.front().time < a.packets.back().time;
}

/// Groups that may share a bucket: all of the host's, those that lose, those of each call and application.
std::vector<std::vector<Group*>> pools_of(std::vector<Group>& groups, Direction direction) {
  std::vector<Group*> all, losing;
  std::map<CallId, std::vector<Group*>> by_call;
  std::map<std::string_view, std::vector<Group*>> by_application;
  for (auto& group : groups) {
    const auto& arm = group.arms.front();
    if (arm.direction != direction || arm.packets.empty() || !arm.call) continue;
    all.push_back(&group);
    if (arm.lost >= least_losses) losing.push_back(&group);
    if (arm.call) by_call[*arm.call].push_back(&group);
    by_application[arm.application].push_back(&group);
  }
  std::vector<std::vector<Group*>> pools;
  const auto add = [&](std::vector<Group*> pool) {
    const auto beside = [&](const Group* group) {
      return std::any_of(pool.begin(), pool.end(), [&](const Group* other) { return other != group && overlap(other->arms.front(), group->arms.front()); });
    };
    std::erase_if(pool, [&](const Group* group) { return !beside(group); });
    const bool unexplained = std::any_of(pool.begin(), pool.end(), [](const Group* g) { return g->arms.front().lost >= least_losses && g->share < told_enough; });
    if (pool.size() < 2 || pool.size() > most_joined || !unexplained) return;
    if (std::find(pools.begin(), pools.end(), pool) == pools.end()) pools.push_back(std::move(pool));
  };
  add(all), add(losing);
  for (auto& [call, pool] : by_call) add(pool);
  for (auto& [application, pool] : by_application) add(pool);
  return pools;
}

/// Tells a limit that several share in place of what each of them seems to have.
void join(const Observation& observation, std::vector<Group>& groups, Direction direction, std::vector<LimitedPath>& joint) {
  std::vector<Group*> best;
  std::vector<models::Limit> limits;
  double best_gain = 0;
  for (const auto& pool : pools_of(groups, direction)) {
    double alone = 0;
    std::vector<const models::Path*> paths;
    for (auto* group : pool) {
      if (group->path.packets.empty()) group->path = path_of(observation, group->arms.front());
      paths.push_back(&group->path);
      alone += group->gain;
    }
    auto found = models::find_limits(joined(paths));
    if (const double gain = gain_of(found) - joint_gain * alone; !found.empty() && gain > best_gain) best = pool, best_gain = gain, limits = std::move(found);
  }
  if (best.empty()) return;
  std::vector<const Arm*> arms;
  for (auto* group : best) arms.push_back(&group->arms.front()), group->limits.clear();
  for (auto& limit : limits) joint.push_back({arms, std::move(limit)});
}

}  // namespace

std::vector<LimitedPath> limited_paths(const Observation& observation, std::span<const Arm> arms) {
  auto groups = groups_of(observation, arms);
  for_each_index(groups.size(), [&](std::size_t i) { fit(observation, groups[i]); });
  std::vector<LimitedPath> told, joint;
  join(observation, groups, Direction::received, joint);
  join(observation, groups, Direction::sent, joint);
  for (auto& group : groups)
    for (auto& limit : group.limits) told.push_back({{group.best}, std::move(limit)});
  std::move(joint.begin(), joint.end(), std::back_inserter(told));
  std::erase_if(told, [](const LimitedPath& path) { return path.limit.kind == models::LimitKind::unsteady; });
  return told;
}

}  // namespace callwitness::metrics
