// RTP, RTCP, STUN and what TURN wraps, of one payload, whole and as a capture that cut it.
#include "seeds.hpp"

#include "classify/protocols/rtcp.hpp"
#include "classify/protocols/rtp.hpp"
#include "classify/protocols/stun.hpp"

#include <cstdlib>

using namespace callwitness;

const fuzz::Seeds fuzz::wanted_seeds = fuzz::Seeds::payloads;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const auto beyond = static_cast<std::uint32_t>(data[0] & 1 ? data[0] : 0);
  const std::vector<std::uint8_t> exact(data + 1, data + size);
  const auto length = static_cast<std::uint32_t>(exact.size()) + beyond;
  const auto inner = classify::unwrap(exact, length);
  if (inner.bytes.size() > inner.wire_length || inner.wire_length > length) std::abort();
  for (const auto& [bytes, wire] : {std::pair<capture::Bytes, std::uint32_t>(exact, length), {inner.bytes, inner.wire_length}}) {
    if (const auto rtp = classify::parse_rtp(bytes, wire); rtp && rtp->header_length > wire) std::abort();
    if (const auto rtcp = classify::parse_rtcp(bytes, wire); rtcp && rtcp->block_count > classify::RtcpCompound::block_limit) std::abort();
    if (const auto stun = classify::parse_stun(bytes, wire)) {
      unsigned sum = 0;
      for (const char c : stun->username) sum += static_cast<unsigned char>(c);
      for (const auto byte : stun->data) sum += byte;
      if (sum != 0 && stun->data_length < stun->data.size()) std::abort();
      if (stun->mapped) stun->mapped->text();
    }
  }
  return 0;
}
