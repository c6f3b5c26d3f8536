// Settled attempts: those alike are one, with a count. Bounded.
#pragma once

#include "classify/call.hpp"

#include <map>
#include <string>
#include <tuple>

namespace callwitness::classify {

class AttemptList {
 public:
  static constexpr std::size_t limit = 4096;
  static constexpr std::size_t ordinal_limit = 32;
  void add(Attempt attempt);
  std::vector<Attempt> take();

 private:
  using Key = std::tuple<std::string_view, Attempt::Stage, Attempt::Step, Attempt::Outcome, capture::IpAddress, Untrusted>;
  std::map<Key, Attempt> attempts_;
};

}  // namespace callwitness::classify
