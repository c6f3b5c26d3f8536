// The packets of flows that carry media, bounded over all flows. Beyond the bound the largest trace is given up whole:
// half a trace would mislead the fits.
#pragma once

#include "metrics/observation.hpp"

#include <cstddef>
#include <memory>
#include <vector>

namespace callwitness::metrics {

class Trace {
 public:
  static constexpr std::size_t chunk_packets = 128;
  void append(const TracePacket& packet) {
    if (next_ == end_) grow();
    std::construct_at(next_++, packet);
  }
  /// The record of packet `ordinal`, if it is kept.
  TracePacket* find(std::uint32_t ordinal) {
    if (next_ && next_[-1].ordinal == ordinal) [[likely]] return next_ - 1;
    return search(ordinal);
  }
  /// The newest `count` records of a stream before the last were no repeats: numbered up to the last one's `extended`.
  void renumber(std::uint16_t stream, std::uint16_t count, std::int32_t extended);
  /// Where the next record goes; null: nowhere yet.
  const TracePacket* next() const { return next_; }
  std::size_t size() const { return chunks_.size() * chunk_packets - static_cast<std::size_t>(end_ - next_); }
  void clear();
  /// All records in order of ordinal; this trace is empty then.
  std::vector<TracePacket> take();

 private:
  struct Chunk {                            // its records begin when they are written: not twice into cold memory
    union { TracePacket packets[chunk_packets]; };
    Chunk() {}
    ~Chunk() {}
  };
  TracePacket& at(std::size_t index) { return chunks_[index / chunk_packets]->packets[index % chunk_packets]; }
  TracePacket* search(std::uint32_t ordinal);
  void grow();
  TracePacket *next_ = nullptr, *end_ = nullptr;          // in the newest chunk
  std::vector<std::unique_ptr<Chunk>> chunks_;
};

}  // namespace callwitness::metrics
