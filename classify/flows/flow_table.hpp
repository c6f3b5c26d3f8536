// Flows by five-tuple, both directions one. Open addressing with a seed drawn per run, so that nobody can aim at its
// buckets; nothing that is told depends on the order of its buckets.
#pragma once

#include "classify/flows/flow_state.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace callwitness::classify {

class FlowTable {
 public:
  explicit FlowTable(std::uint32_t limit);

  /// Where in the table a five-tuple and its reverse belong.
  struct Key { std::uint64_t hash = 0; bool swapped = false; };
  Key key_of(const FiveTuple& five_tuple) const {
    const bool is_swapped = swapped(five_tuple);
    return {hash(five_tuple, is_swapped), is_swapped};
  }
  static constexpr std::uint32_t none = 0xffffffff;   ///< no slot
  /// The slot of the datagram's flow, in either direction, or `none`.
  std::uint32_t find(const FiveTuple& five_tuple, const Key& key, Way& way) const;
  std::uint32_t find(const FiveTuple& five_tuple, Way& way) const { return find(five_tuple, key_of(five_tuple), way); }
  /// Asks for the memory of a key's bucket; `guess` then reads it: probably the key's flow, which isn't looked at.
  void fetch(const Key& key) const { __builtin_prefetch(&buckets_[key.hash & (buckets_.size() - 1)]); }
  FlowState* guess(const Key& key) {
    const Bucket& bucket = buckets_[key.hash & (buckets_.size() - 1)];
    return bucket.slot == none ? nullptr : &(*this)[bucket.slot];
  }
  /// A fresh slot; `five_tuple` must not be in the table. Call `make_room` before when full.
  std::uint32_t insert(const FiveTuple& five_tuple);
  void erase(std::uint32_t slot);
  static constexpr std::uint8_t lone = 0, conversations = 1, calls = 2;   ///< the lists
  /// Moves a flow to the young end of a list. Calls are never evicted, so their order is not kept.
  void touch(std::uint32_t slot, FlowState& state, std::uint8_t list) {
    if (state.recency_list == list && (list == calls || lists_[list].youngest == slot)) return;
    move(slot, state, list);
  }
  bool full() const { return live_ >= limit_; }
  /// The flow that can best be spared: the oldest lone packet, else the oldest conversation, never a call.
  std::optional<std::uint32_t> to_evict() const;

  FlowState& operator[](std::uint32_t slot) { return blocks_[slot / block_size][slot % block_size]; }
  const FlowState& operator[](std::uint32_t slot) const { return blocks_[slot / block_size][slot % block_size]; }
  std::size_t slots() const { return slots_; }
  std::uint32_t live() const { return live_; }

 private:
  struct Bucket { std::uint32_t tag = 0, slot = none; };
  struct Ends { std::uint32_t oldest = none, youngest = none; };
  static bool swapped(const FiveTuple& five_tuple) { return five_tuple.destination < five_tuple.source; }
  std::uint64_t hash(const FiveTuple& five_tuple, bool swapped) const;
  void grow();
  void unlink(const FlowState& state);
  void move(std::uint32_t slot, FlowState& state, std::uint8_t list);

  std::uint32_t limit_;
  std::uint32_t live_ = 0;
  std::uint64_t seed_[2];
  std::vector<Bucket> buckets_;
  static constexpr std::uint32_t block_size = 64;      // states stay where they are
  std::vector<std::unique_ptr<FlowState[]>> blocks_;
  std::uint32_t slots_ = 0;
  std::vector<std::uint32_t> free_;
  Ends lists_[3];
};

}  // namespace callwitness::classify
