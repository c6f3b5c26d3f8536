// RTCP compound packets (RFC 3550 6): reports and BYE.
#pragma once

#include "capture/cursor.hpp"
#include "classify/flow.hpp"

#include <array>
#include <cstdint>
#include <optional>

namespace callwitness::classify {

struct RtcpReportBlock {
  std::uint32_t ssrc = 0;
  std::uint8_t fraction_lost = 0;
  std::int32_t cumulative_lost = 0;
  std::uint32_t highest_sequence = 0, jitter = 0;
  std::uint32_t last_sender_report = 0;         ///< LSR: middle 32 bits of NTP time
  std::uint32_t delay_since = 0;                ///< DLSR: 1/65536 s
};

struct RtcpCompound {
  static constexpr std::size_t block_limit = 31;
  std::uint32_t sender_ssrc = 0;
  std::optional<std::uint32_t> sender_report;   ///< middle 32 bits of its NTP time
  std::uint32_t sender_packets = 0;             ///< of a sender report: how many packets it has sent by then
  std::array<RtcpReportBlock, block_limit> blocks;
  std::size_t block_count = 0;
  bool bye = false;
  bool encrypted = false;                       ///< SRTCP: only the first header and SSRC are clear (RFC 3711 3.4)
};

/// None: not RTCP, or its lengths don't add up. SRTCP keeps the first header clear and is told by its trailer.
std::optional<RtcpCompound> parse_rtcp(Bytes captured, std::uint32_t wire_length);

}  // namespace callwitness::classify
