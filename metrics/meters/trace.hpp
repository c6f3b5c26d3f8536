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
  void append(const TracePacket& packet);
  /// The record of packet `ordinal`, if it is kept.
  TracePacket* find(std::uint32_t ordinal);
  std::size_t size() const { return size_; }
  void clear();
  /// All records in order of ordinal; this trace is empty then.
  std::vector<TracePacket> take();

 private:
  TracePacket& at(std::size_t index) { return chunks_[index / chunk_packets][index % chunk_packets]; }
  std::vector<std::unique_ptr<TracePacket[]>> chunks_;
  std::size_t size_ = 0;
};

}  // namespace callwitness::metrics
