// When something succeeded, by host, to be asked for many moments at once: logarithmic in what it holds.
#pragma once

#include "capture/address.hpp"
#include "capture/time.hpp"

#include <map>
#include <utility>
#include <vector>

namespace callwitness::metrics {

using capture::Duration;
using capture::Time;

class SuccessTimes {
 public:
  void add(Time time) { points_.push_back(time); }
  void add(Time from, Time to) { spans_.emplace_back(from, to); }
  void append_to(SuccessTimes& other) const {
    other.points_.insert(other.points_.end(), points_.begin(), points_.end());
    other.spans_.insert(other.spans_.end(), spans_.begin(), spans_.end());
  }
  void sort();
  /// Of what was added and sorted.
  bool any_between(Time from, Time to) const;
  bool spans(Time time) const;
  bool empty() const { return points_.empty() && spans_.empty(); }

 private:
  std::vector<Time> points_;
  std::vector<std::pair<Time, Time>> spans_;         ///< by their beginning; second: the latest end so far
};

/// The same by host. A host has an address of each family, and nothing tells which belong together: any of the other family will do.
class SuccessesByHost {
 public:
  SuccessTimes& of(const capture::IpAddress& host) { return hosts_[host]; }
  void sort();
  template <typename Question>
  bool ask(const capture::IpAddress& host, Question question) const {
    if (host.version == 0) return question(families_[0]) || question(families_[1]) || question(families_[2]);
    const auto own = hosts_.find(host);
    return (own != hosts_.end() && question(own->second)) || question(families_[0]) || question(families_[host.version == 4 ? 2 : 1]);
  }

 private:
  std::map<capture::IpAddress, SuccessTimes> hosts_;
  SuccessTimes families_[3];                          ///< of hosts that nothing tells of, IPv4, IPv6
};

}  // namespace callwitness::metrics
