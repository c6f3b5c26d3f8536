// Odd traffic and odd files are data: each is counted under a name, never logged per packet.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace callwitness::capture {

/// Counts of named anomalies. The names are snake_case literals of our own; there is a bounded number of them.
class Anomalies {
 public:
  void count(std::string_view name, std::uint64_t by = 1) {
    const auto found = counts_.find(name);
    if (found != counts_.end()) found->second += by;
    else counts_.emplace(std::string(name), by);
  }
  void merge(const Anomalies& other) {
    for (const auto& [name, by] : other.counts_) count(name, by);
  }
  const std::map<std::string, std::uint64_t, std::less<>>& counts() const { return counts_; }

 private:
  std::map<std::string, std::uint64_t, std::less<>> counts_;
};

}  // namespace callwitness::capture
