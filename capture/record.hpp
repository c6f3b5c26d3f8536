// What is known of each input besides its packets: identity, completeness, damage. Filled by sources and the decoder.
#pragma once

#include "capture/anomalies.hpp"
#include "capture/packet.hpp"
#include "capture/untrusted.hpp"

#include <deque>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace callwitness::capture {

/// One input (file, standard input, interface). Times are of its packets; null where it has none.
struct CaptureRecord {
  Untrusted file;                                ///< as the user named it; "-" for standard input
  std::string sha256;                            ///< of the bytes as stored (compressed ones if compressed); empty live
  std::string format;                            ///< pcap, pcap-ns, pcapng, each + "+gzip" "+zstd" "+xz"; live
  std::set<std::uint16_t> link_types;
  std::uint64_t size_bytes = 0;                  ///< of the input as stored
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;                       ///< wire bytes of all packets
  std::uint64_t truncated_packets = 0;
  std::uint64_t first_ordinal = 0;
  std::optional<Time> first_time, last_time;     ///< earliest and latest
  std::optional<std::uint64_t> dropped_by_capture;  ///< interface statistics or libpcap's counters; null: not told
  /// When drops were told, where pcapng has several statistics blocks: (time, drops so far).
  std::vector<std::pair<Time, std::uint64_t>> drop_history;
  bool damaged = false;                          ///< exit status 4
  std::vector<std::string> problems;             ///< one line each, our own words, file and place named
  std::vector<Untrusted> comments;               ///< section and interface comments, bounded
  Anomalies anomalies;
};

/// All inputs of a run, in the order they are read. Stable addresses.
using CaptureRecords = std::deque<CaptureRecord>;

}  // namespace callwitness::capture
