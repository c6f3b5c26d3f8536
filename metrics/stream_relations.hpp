// How numbered streams belong together: several that draw their numbers from one counter, and one that is seen twice because the
// capture was made at a relay, a NAT or a router. Pure values. docs/methods/streams.md
#pragma once

#include "classify/media.hpp"
#include "metrics/meters/sequence.hpp"

#include <optional>
#include <span>
#include <vector>

namespace callwitness::metrics {

/// One stream's numbers, as its meter has them.
struct NumberedStream {
  classify::StreamId id{};
  classify::FlowId flow{};
  classify::Way way{};
  std::optional<std::uint32_t> ssrc;
  bool usable = false;                       ///< 16-bit numbers in one run of the counter, every hole known
  std::uint16_t first_raw = 0;               ///< the number that is 0 in extended numbers
  std::int64_t minimum = 0, maximum = 0;     ///< extended
  std::span<const MissingRun> runs;          ///< extended
  capture::Time first_time, last_time;
  std::uint64_t missing() const;
  bool has(std::int64_t number) const;       ///< extended; within minimum … maximum and not missing
};

/// What of a stream's numbering another's explains.
struct StreamRelation {
  std::optional<classify::StreamId> counter_of;   ///< the first of those that share one counter, itself perhaps
  std::int64_t counter_offset = 0;                ///< to be added to its extended numbers: then they are those of `counter_of`
  std::vector<MissingRun> holes;                  ///< with a shared counter: those that nobody fills, each told of one stream
  std::optional<classify::StreamId> twin;         ///< the same stream in another five-tuple: a relay's or a NAT's other side
  std::uint64_t missing_in_both = 0;              ///< of the numbers that it lacks, those that the twin lacks, too
};

/// By place in `streams`.
std::vector<StreamRelation> relate(std::span<const NumberedStream> streams);

}  // namespace callwitness::metrics
