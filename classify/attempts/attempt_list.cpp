#include "classify/attempts/attempt_list.hpp"

#include <algorithm>

namespace callwitness::classify {

void AttemptList::add(Attempt attempt) {
  if (attempt.times.empty()) attempt.times.push_back(attempt.first_time);
  const Key key{attempt.application, attempt.stage, attempt.step, attempt.outcome, attempt.source, attempt.target};
  const auto found = attempts_.find(key);
  if (found == attempts_.end()) {
    if (attempts_.size() < limit) attempts_.emplace(key, std::move(attempt));
    return;
  }
  Attempt& known = found->second;
  known.tries += attempt.tries;
  known.asked += attempt.asked;
  known.superseded += attempt.superseded;
  known.unreachable += attempt.unreachable;
  known.by_target += attempt.by_target;
  known.by_stranger += attempt.by_stranger;
  known.by_access += attempt.by_access;
  known.first_time = std::min(known.first_time, attempt.first_time);
  known.last_time = std::max(known.last_time, attempt.last_time);
  known.by_service = known.by_service && attempt.by_service;
  known.is_media = known.is_media || attempt.is_media;
  known.look_up.as_filters_do += attempt.look_up.as_filters_do;
  known.look_up.by_own_resolver += attempt.look_up.by_own_resolver;
  known.from_nearby += attempt.from_nearby;
  known.look_up.contradicted += attempt.look_up.contradicted;
  known.look_up.resolver_silent += attempt.look_up.resolver_silent;
  known.look_up.two_senders += attempt.look_up.two_senders;
  known.look_up.odd_lifetime += attempt.look_up.odd_lifetime;
  for (const auto ordinal : attempt.ordinals) if (known.ordinals.size() < ordinal_limit) known.ordinals.push_back(ordinal);
  for (const auto time : attempt.times) if (known.times.size() < ordinal_limit) known.times.push_back(time);
  for (const auto flow : attempt.flows) if (known.flows.size() < ordinal_limit) known.flows.push_back(flow);
}

std::vector<Attempt> AttemptList::take() {
  std::vector<Attempt> result;
  for (auto& [key, attempt] : attempts_) {
    std::sort(attempt.ordinals.begin(), attempt.ordinals.end());
    std::sort(attempt.times.begin(), attempt.times.end());
    result.push_back(std::move(attempt));
  }
  attempts_.clear();
  std::stable_sort(result.begin(), result.end(), [](const Attempt& a, const Attempt& b) { return a.first_time < b.first_time; });
  return result;
}

}  // namespace callwitness::classify
