// Flows by five-tuple, both directions one. Open addressing with a seed drawn per run, so that nobody can aim at its
// buckets; nothing that is told depends on the order of its buckets.
#pragma once

#include "classify/flow_state.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace callwitness::classify {

class FlowTable {
 public:
  explicit FlowTable(std::uint32_t limit);

  /// The slot of the datagram's flow, in either direction.
  std::optional<std::uint32_t> find(const FiveTuple& five_tuple, Way& way) const;
  /// A fresh slot; `five_tuple` must not be in the table. Call `make_room` before when full.
  std::uint32_t insert(const FiveTuple& five_tuple);
  void erase(std::uint32_t slot);
  /// Moves a flow to the young end of a list: 0 lone packets, 1 conversations, 2 calls.
  void touch(std::uint32_t slot, std::uint8_t list);
  bool full() const { return live_ >= limit_; }
  /// The flow that can best be spared: the oldest lone packet, else the oldest conversation, never a call.
  std::optional<std::uint32_t> to_evict() const;

  FlowState& operator[](std::uint32_t slot) { return states_[slot]; }
  const FlowState& operator[](std::uint32_t slot) const { return states_[slot]; }
  std::size_t slots() const { return states_.size(); }
  std::uint32_t live() const { return live_; }

 private:
  struct Bucket { std::uint32_t tag = 0, slot = none; };
  struct Ends { std::uint32_t oldest = none, youngest = none; };
  static constexpr std::uint32_t none = 0xffffffff;
  static bool swapped(const FiveTuple& five_tuple) { return five_tuple.destination < five_tuple.source; }
  std::uint64_t hash(const FiveTuple& five_tuple, bool swapped) const;
  void grow();
  void unlink(std::uint32_t slot);

  std::uint32_t limit_;
  std::uint32_t live_ = 0;
  std::uint64_t seed_[2];
  std::vector<Bucket> buckets_;
  std::deque<FlowState> states_;
  std::vector<std::uint32_t> free_;
  Ends lists_[3];
};

}  // namespace callwitness::classify
