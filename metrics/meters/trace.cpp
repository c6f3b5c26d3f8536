#include "metrics/meters/trace.hpp"

#include <algorithm>

namespace callwitness::metrics {

void Trace::grow() {
  next_ = chunks_.emplace_back(std::make_unique<Chunk>())->packets;
  end_ = next_ + chunk_packets;
}

TracePacket* Trace::search(std::uint32_t ordinal) {
  std::size_t low = 0, high = size();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (at(middle).ordinal < ordinal) low = middle + 1;
    else high = middle;
  }
  return low < size() && at(low).ordinal == ordinal ? &at(low) : nullptr;
}

void Trace::renumber(std::uint16_t stream, std::uint16_t count, std::int32_t extended) {
  constexpr std::size_t looked_at = 1'024;                // other streams' packets lie between
  const std::size_t size = this->size(), stop = size > looked_at ? size - looked_at : 0;
  for (std::size_t i = size; i-- > stop && count > 0;) {
    TracePacket& packet = at(i);
    if (packet.stream != stream || packet.extended_sequence == extended) continue;
    --count;
    packet.extended_sequence = --extended;
    packet.duplicate = false;
  }
}

void Trace::clear() {
  std::vector<std::unique_ptr<Chunk>>().swap(chunks_);
  next_ = end_ = nullptr;
}

std::vector<TracePacket> Trace::take() {
  std::vector<TracePacket> all;
  const std::size_t size = this->size();
  all.reserve(size);
  for (auto& chunk : chunks_) {
    const std::size_t count = std::min(chunk_packets, size - all.size());
    all.insert(all.end(), chunk->packets, chunk->packets + count);
    chunk.reset();
  }
  clear();
  // Only what came before its stream was known for one stands out of order, and all of it at the beginning.
  std::uint32_t greatest = 0;
  auto disorder = all.begin();                            // the end of what isn't in order
  for (auto packet = all.begin(); packet != all.end(); ++packet) {
    if (packet->ordinal < greatest) disorder = packet + 1;
    greatest = std::max(greatest, packet->ordinal);
  }
  std::stable_sort(all.begin(), disorder, [](const TracePacket& a, const TracePacket& b) { return a.ordinal < b.ordinal; });
  return all;
}

}  // namespace callwitness::metrics
