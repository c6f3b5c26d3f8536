#include "metrics/success_times.hpp"

#include <algorithm>

namespace callwitness::metrics {

void SuccessTimes::sort() {
  std::sort(points_.begin(), points_.end());
  std::sort(spans_.begin(), spans_.end());
  for (std::size_t i = 1; i < spans_.size(); ++i) spans_[i].second = std::max(spans_[i].second, spans_[i - 1].second);
}

bool SuccessTimes::any_between(Time from, Time to) const {
  const auto at = std::lower_bound(points_.begin(), points_.end(), from);
  return at != points_.end() && *at <= to;
}

bool SuccessTimes::spans(Time time) const {
  const auto after = std::upper_bound(spans_.begin(), spans_.end(), time, [](Time wanted, const auto& span) { return wanted < span.first; });
  return after != spans_.begin() && std::prev(after)->second >= time;
}

void SuccessesByHost::sort() {
  for (auto& [host, times] : hosts_) {
    auto& family = families_[host.version == 4 ? 1 : host.version == 6 ? 2 : 0];
    times.append_to(family);
    times.sort();
  }
  for (auto& family : families_) family.sort();
}

}  // namespace callwitness::metrics
