// What the analysis of a capture told of its flows, so that redaction need not guess each packet from its first byte:
// in a flow of an application's own format every packet keeps its counters, whatever its enciphered bytes look like.
#pragma once

#include "classify/application.hpp"
#include "metrics/analysis.hpp"

#include <cstddef>
#include <map>
#include <set>
#include <optional>

namespace callwitness::report {

class KnownFlows {
 public:
  KnownFlows() = default;   ///< nothing is known
  explicit KnownFlows(const metrics::Analysis& analysis);

  /// For a flow whose media isn't RTP: how many leading bytes of this payload are counters or, of a packet without
  /// media, what its kind is told by. None: not such a flow, or not known.
  std::optional<std::size_t> header_of(const capture::Datagram& datagram) const;
  /// TCP or UDP that media was followed in, and not by RTP.
  bool carries_own_media(const capture::FiveTuple& five_tuple) const;
  /// TCP that media was followed in frame by frame (TURN, RFC 4571), as RTP.
  bool carries_frames(const capture::FiveTuple& five_tuple) const;
  bool carries_mgcp(const capture::FiveTuple& five_tuple) const;

 private:
  struct Known {
    const classify::Application* application = nullptr;   ///< null: followed by its beat alone
    capture::FiveTuple forward;
  };
  const Known* find(const capture::FiveTuple& five_tuple) const;
  std::map<capture::FiveTuple, Known> known_;
  std::set<capture::FiveTuple> framed_, mgcp_;
};

}  // namespace callwitness::report
