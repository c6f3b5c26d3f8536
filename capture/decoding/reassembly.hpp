// IP fragments put together, within bounds of number, size and time (RFC 791 3.2, RFC 8200 4.5, RFC 5722).
#pragma once

#include "capture/anomalies.hpp"
#include "capture/decoding/layers.hpp"

#include <cstdint>
#include <algorithm>
#include <map>
#include <tuple>
#include <vector>

namespace callwitness::capture {

class Reassembly {
 public:
  explicit Reassembly(Anomalies& anomalies) : anomalies_(anomalies) {}

  struct Piece {
    NetworkHeader header;
    std::uint32_t id = 0;
    std::uint32_t offset = 0;    ///< of the payload, in bytes
    bool more = false;
    Slice payload;
    Time time;
  };
  struct Whole {
    NetworkHeader header;
    Slice payload;               ///< valid until the next call
  };
  /// The whole datagram when this piece completes it.
  std::optional<Whole> add(const Piece& piece);

  std::size_t pending() const { return pending_.size(); }
  std::size_t memory() const { return memory_; }

 private:
  using Key = std::tuple<IpAddress, IpAddress, std::uint32_t, std::uint8_t>;
  struct Range {
    std::uint32_t begin = 0, end = 0;
    std::vector<std::uint8_t> captured;
  };
  struct Pending {
    NetworkHeader header;
    Time first_time;
    std::uint64_t age = 0;
    std::uint32_t ip_length = 0;
    std::optional<std::uint32_t> end;
    std::vector<Range> ranges;   ///< sorted, disjoint
  };
  void forget(std::map<Key, Pending>::iterator entry);
  void make_room(Time now, std::size_t size);
  std::optional<Whole> complete(std::map<Key, Pending>::iterator entry);

  Anomalies& anomalies_;
  std::map<Key, Pending> pending_;
  std::map<std::uint64_t, Key> by_age_;
  std::uint64_t next_age_ = 0;
  std::size_t memory_ = 0;
  std::vector<std::uint8_t> whole_;
};

}  // namespace callwitness::capture
