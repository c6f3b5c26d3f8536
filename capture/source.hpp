// Opens capture files. Several inputs are one observation: packets come merged in time order.
#pragma once

#include "capture/packet.hpp"
#include "capture/record.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace callwitness::capture {

struct SourceOptions {
  std::string filter;               ///< BPF as in pcap-filter(7); empty: everything
  std::uint64_t packet_limit = 0;   ///< -c; 0: no limit
  std::uint64_t byte_limit = 0;     ///< of decompressed input, per file; 0: the default bound (source.cpp says which)
};

/// Opens files, directories (their captures, by name) and "-" (standard input). Fails only when nothing can be read or
/// the filter is wrong; damage to one input among several is told in its record. Records are appended to `records`
/// before the first packet and filled while running.
Result<std::unique_ptr<PacketSource>> open_source(const std::vector<std::string>& inputs, const SourceOptions& options,
                                                  CaptureRecords& records);

}  // namespace callwitness::capture
