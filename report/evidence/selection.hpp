// Which packets of a capture are evidence, and how much of each.
#pragma once

#include "capture/datagram.hpp"
#include "capture/packet.hpp"
#include "report/evidence/packets.hpp"

#include <set>
#include <utility>
#include <vector>

namespace callwitness::report {

class Selection {
 public:
  Selection(const metrics::Analysis& analysis, ControlKept control);

  enum class Part : std::uint8_t { none, story, control };
  struct Choice {
    Part part = Part::none;
    std::size_t bytes = 0;       ///< leading bytes of the packet to keep
  };
  /// Of a packet that holds `datagram`; call once for each, in order.
  Choice choose(const capture::Packet& packet, const capture::Datagram& datagram);

 private:
  bool near_the_story(capture::Time time) const;

  ControlKept control_;
  std::set<capture::FiveTuple> story_;
  std::map<capture::FiveTuple, std::uint32_t> sampled_;            ///< flow → packets of it so far
  std::vector<std::pair<capture::Time, capture::Time>> spans_;     ///< of calls, attempts and findings, widened, merged
};

/// A flow's five-tuple, the same for both of its directions.
capture::FiveTuple either_way(const capture::FiveTuple& tuple);

}  // namespace callwitness::report
