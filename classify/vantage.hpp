// Which end is ours: told, flagged by the capture, or seen in how packets leave and how fast an end answers.
#pragma once

#include "classify/call.hpp"
#include "classify/flows/flow_state.hpp"

#include <map>
#include <set>
#include <vector>

namespace callwitness::classify {

class VantageMeter {
 public:
  static constexpr std::size_t address_limit = 65'536;
  /// Adds what a flow showed of both its ends.
  void add(const FlowState& state);
  Vantage infer(const std::vector<capture::IpAddress>& told) const;

 private:
  struct Traits {
    std::uint64_t packets = 0, initial_time_to_live = 0, inbound = 0, outbound = 0;
    std::uint64_t answers = 0, peers_answers = 0;
    std::uint32_t fastest_answer_us = 0xffffffff, peers_fastest_us = 0xffffffff;
    std::uint64_t numbered = 0, missing = 0, peers_numbered = 0, peers_missing = 0;  ///< RTP sent by it, by its peers
    std::uint64_t peers_packets = 0, peers_initial = 0;  ///< of what the other ends of its flows sent
  };
  bool speaks_outside(const capture::IpAddress& address) const;
  std::vector<capture::IpAddress> guests(const std::vector<capture::IpAddress>& local) const;
  std::map<capture::IpAddress, Traits> addresses_;
  std::map<capture::IpAddress, std::set<capture::IpAddress>> partners_;  ///< of private addresses, where both sides spoke
  std::size_t partner_count_ = 0;
};

}  // namespace callwitness::classify
