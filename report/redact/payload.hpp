// What of a transport payload may be kept, by protocol. Every function scrubs `payload` in place, never changes its
// length, and returns how many leading bytes may be shown; what was recognised wrongly still loses all but a prefix.
#pragma once

#include "report/redact/flows.hpp"
#include "report/redact/pseudonyms.hpp"
#include "report/redact/redactor.hpp"

#include <cstdint>
#include <span>

namespace callwitness::report {

using Payload = std::span<std::uint8_t>;

struct PayloadContext {
  Pseudonyms& pseudonyms;
  Redactor::Summary& summary;
  std::uint16_t source_port = 0, destination_port = 0;
  bool is_tcp = false;
  const KnownFlows* flows = nullptr;                  ///< null: each packet is judged by itself
  capture::FiveTuple five_tuple{};                    ///< as captured, for `flows`
  std::uint32_t wire_length = 0;                      ///< of the payload; 0: as captured
  bool has_port(std::uint16_t port) const { return source_port == port || destination_port == port; }
};

/// The dispatcher: any UDP or TCP payload.
std::size_t scrub_payload(Payload payload, const PayloadContext& context);

/// Names and addresses of a DNS message (RFC 1035); rdata that isn't an address or a name is zeroed.
std::size_t scrub_dns(Payload message, const PayloadContext& context);

/// STUN (RFC 8489): addresses replaced, texts blanked, the fingerprint made right again, DATA scrubbed in turn.
std::size_t scrub_stun(Payload message, const PayloadContext& context);

/// SIP with SDP (RFC 3261, RFC 8866): rewritten with what measuring needs, padded to the same length.
std::size_t scrub_sip(Payload message, const PayloadContext& context);
bool looks_like_sip(std::span<const std::uint8_t> payload);

/// MGCP (RFC 3435), commands and answers, the same way.
std::size_t scrub_mgcp(Payload datagram, const PayloadContext& context);

/// TLS and DTLS: record headers, ClientHello with its server name replaced, nothing of certificates or data.
std::size_t scrub_tls(Payload payload, const PayloadContext& context);
bool looks_like_tls(std::span<const std::uint8_t> payload);

/// RTP: the header, then a digest of the media in its place (equal packets stay equal). RTCP: texts blanked.
std::size_t scrub_rtp(Payload payload, const PayloadContext& context);
std::size_t scrub_rtcp(Payload payload, const PayloadContext& context);

/// Keeps `prefix` bytes and, in place of everything behind them, `digest` bytes of digest of it (≤ 32): what differed
/// still differs.
constexpr std::size_t digest_length = 8;
std::size_t keep_prefix(Payload payload, std::size_t prefix, const PayloadContext& context, std::size_t digest = digest_length);

}  // namespace callwitness::report
