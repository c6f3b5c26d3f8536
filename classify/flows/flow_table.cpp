#include "classify/flows/flow_table.hpp"

#include <cstring>
#include <random>

namespace callwitness::classify {
namespace {

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t word(const std::uint8_t* bytes) {
  std::uint64_t value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

}  // namespace

FlowTable::FlowTable(std::uint32_t limit) : limit_(limit < 16 ? 16 : limit), buckets_(1024) {
  std::random_device device;
  for (auto& seed : seed_) seed = static_cast<std::uint64_t>(device()) << 32 | device() | 1;
}

std::uint64_t FlowTable::hash(const FiveTuple& five_tuple, bool is_swapped) const {
  const Endpoint& low = is_swapped ? five_tuple.destination : five_tuple.source;
  const Endpoint& high = is_swapped ? five_tuple.source : five_tuple.destination;
  const std::uint64_t rest = static_cast<std::uint64_t>(low.port) << 32 | static_cast<std::uint64_t>(high.port) << 16 |
                             static_cast<std::uint64_t>(five_tuple.protocol) << 8 | low.address.version;
  std::uint64_t value = mix(word(low.address.bytes.data()) ^ seed_[0], word(high.address.bytes.data()) ^ seed_[1]);
  if (low.address.version == 6) {
    value = mix(value ^ word(low.address.bytes.data() + 8) ^ seed_[1], word(high.address.bytes.data() + 8) ^ seed_[0]);
  }
  return mix(value ^ seed_[0], rest ^ seed_[1]);
}

std::uint32_t FlowTable::find(const FiveTuple& five_tuple, const Key& key, Way& way) const {
  const auto [hashed, is_swapped] = key;
  const std::size_t mask = buckets_.size() - 1;
  const auto tag = static_cast<std::uint32_t>(hashed >> 32);
  for (std::size_t i = hashed & mask; buckets_[i].slot != none; i = (i + 1) & mask) {
    if (buckets_[i].tag != tag) continue;
    const FlowState& state = (*this)[buckets_[i].slot];
    const FiveTuple& known = state.flow.five_tuple;
    const bool same_way = state.swapped == is_swapped;
    if (known.protocol == five_tuple.protocol &&
        known.source == (same_way ? five_tuple.source : five_tuple.destination) &&
        known.destination == (same_way ? five_tuple.destination : five_tuple.source)) {
      way = same_way ? Way::forward : Way::backward;
      return buckets_[i].slot;
    }
  }
  return none;
}

std::uint32_t FlowTable::insert(const FiveTuple& five_tuple) {
  if ((live_ + 1) * 2 > buckets_.size()) grow();
  std::uint32_t slot;
  if (free_.empty()) {
    slot = slots_++;
    if (slot % block_size == 0) blocks_.push_back(std::make_unique<FlowState[]>(block_size));
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  FlowState& state = (*this)[slot];
  state = FlowState{};
  state.used = true;
  state.swapped = swapped(five_tuple);
  state.flow.five_tuple = five_tuple;
  state.flow.slot = slot;
  const std::uint64_t hashed = hash(five_tuple, state.swapped);
  const std::size_t mask = buckets_.size() - 1;
  std::size_t i = hashed & mask;
  while (buckets_[i].slot != none) i = (i + 1) & mask;
  buckets_[i] = {static_cast<std::uint32_t>(hashed >> 32), slot};
  ++live_;
  Ends& ends = lists_[lone];
  state.recency_before = ends.youngest;
  state.recency_after = none;
  (ends.youngest == none ? ends.oldest : (*this)[ends.youngest].recency_after) = slot;
  ends.youngest = slot;
  return slot;
}

void FlowTable::erase(std::uint32_t slot) {
  FlowState& state = (*this)[slot];
  const std::size_t mask = buckets_.size() - 1;
  std::size_t i = hash(state.flow.five_tuple, state.swapped) & mask;
  while (buckets_[i].slot != slot) i = (i + 1) & mask;
  // Close the hole, so that no later search stops too early (linear probing without tombstones).
  for (std::size_t j = (i + 1) & mask; buckets_[j].slot != none; j = (j + 1) & mask) {
    const FlowState& other = (*this)[buckets_[j].slot];
    const std::size_t home = hash(other.flow.five_tuple, other.swapped) & mask;
    if (((j - home) & mask) >= ((j - i) & mask)) {
      buckets_[i] = buckets_[j];
      i = j;
    }
  }
  buckets_[i] = {};
  unlink(state);
  state = FlowState{};
  free_.push_back(slot);
  --live_;
}

void FlowTable::unlink(const FlowState& state) {
  Ends& ends = lists_[state.recency_list];
  (state.recency_before == none ? ends.oldest : (*this)[state.recency_before].recency_after) = state.recency_after;
  (state.recency_after == none ? ends.youngest : (*this)[state.recency_after].recency_before) = state.recency_before;
}

void FlowTable::move(std::uint32_t slot, FlowState& state, std::uint8_t list) {
  unlink(state);
  state.recency_list = list;
  Ends& ends = lists_[list];
  state.recency_before = ends.youngest;
  state.recency_after = none;
  (ends.youngest == none ? ends.oldest : (*this)[ends.youngest].recency_after) = slot;
  ends.youngest = slot;
}

std::optional<std::uint32_t> FlowTable::to_evict() const {
  for (const auto list : {lone, conversations}) {
    if (lists_[list].oldest != none) return lists_[list].oldest;
  }
  return std::nullopt;
}

void FlowTable::grow() {
  std::vector<Bucket> old(buckets_.size() * 2);
  old.swap(buckets_);
  const std::size_t mask = buckets_.size() - 1;
  for (const Bucket& bucket : old) {
    if (bucket.slot == none) continue;
    const FlowState& state = (*this)[bucket.slot];
    std::size_t i = hash(state.flow.five_tuple, state.swapped) & mask;
    while (buckets_[i].slot != none) i = (i + 1) & mask;
    buckets_[i] = bucket;
  }
}

}  // namespace callwitness::classify
