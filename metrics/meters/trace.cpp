#include "metrics/meters/trace.hpp"

#include <algorithm>

namespace callwitness::metrics {

void Trace::append(const TracePacket& packet) {
  if (size_ == chunks_.size() * chunk_packets) chunks_.push_back(std::make_unique<TracePacket[]>(chunk_packets));
  at(size_++) = packet;
}

TracePacket* Trace::find(std::uint32_t ordinal) {
  if (size_ == 0) return nullptr;
  if (auto& last = at(size_ - 1); last.ordinal == ordinal) return &last;
  std::size_t low = 0, high = size_;
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (at(middle).ordinal < ordinal) low = middle + 1;
    else high = middle;
  }
  return low < size_ && at(low).ordinal == ordinal ? &at(low) : nullptr;
}

void Trace::clear() {
  std::vector<std::unique_ptr<TracePacket[]>>().swap(chunks_);
  size_ = 0;
}

std::vector<TracePacket> Trace::take() {
  std::vector<TracePacket> all;
  all.reserve(size_);
  for (auto& chunk : chunks_) {
    const std::size_t count = std::min(chunk_packets, size_ - all.size());
    all.insert(all.end(), chunk.get(), chunk.get() + count);
    chunk.reset();
  }
  clear();
  const auto earlier = [](const TracePacket& a, const TracePacket& b) { return a.ordinal < b.ordinal; };
  if (!std::is_sorted(all.begin(), all.end(), earlier)) std::stable_sort(all.begin(), all.end(), earlier);
  return all;
}

}  // namespace callwitness::metrics
