#include "report/redact/payload.hpp"

#include "capture/cursor.hpp"
#include "classify/exchanges/mgcp.hpp"
#include "classify/protocols/rtcp.hpp"

#include <algorithm>
#include <cctype>

namespace callwitness::report {
namespace {

/// Enough of an unknown binary datagram for every recogniser that reads counters (the deepest is Zoom's, 40 bytes
/// in), too little for a sentence.
constexpr std::size_t binary_prefix = 24;
constexpr std::size_t zoom_prefix = 48;
constexpr std::size_t segment_prefix = 16;
/// A run of this many printable bytes inside a binary prefix is taken for a name.
constexpr std::size_t printable_run = 6;
constexpr std::size_t length_field = 2;

bool is_text(std::span<const std::uint8_t> bytes) {
  const auto head = bytes.first(std::min<std::size_t>(bytes.size(), 8));
  return std::all_of(head.begin(), head.end(), [](std::uint8_t b) { return std::isprint(b) || std::isspace(b); });
}

/// Protocols of the local network that carry host and user names and never a call.
bool is_local_chatter(const PayloadContext& context) {
  static constexpr std::uint16_t ports[] = {67, 68, 123, 137, 138, 139, 161, 162, 445, 514, 546, 547, 1900, 3702, 5355};
  return std::any_of(std::begin(ports), std::end(ports), [&](std::uint16_t port) { return context.has_port(port); });
}

/// Equal runs stay equal: they may be the key that an answer repeats.
void replace_printable_runs(Payload bytes, const Pseudonyms& pseudonyms) {
  std::size_t run = 0;
  for (std::size_t i = 0; i <= bytes.size(); ++i) {
    if (i < bytes.size() && std::isprint(bytes[i])) {
      ++run;
      continue;
    }
    if (run >= printable_run) {
      const auto word = pseudonyms.word({reinterpret_cast<const char*>(bytes.data()) + (i - run), run});
      std::copy(word.begin(), word.end(), bytes.begin() + (i - run));
    }
    run = 0;
  }
}

bool starts_with(std::span<const std::uint8_t> bytes, std::string_view text) {
  return bytes.size() >= text.size() && std::equal(text.begin(), text.end(), bytes.begin());
}

/// IKE's header (RFC 7296 3.1, behind four zero bytes on its second port: RFC 3948): cookies, kind, length; no identity.
std::size_t key_exchange_header(std::span<const std::uint8_t> payload, const PayloadContext& context) {
  constexpr std::size_t header = 28, marker = 4, version_at = 17;
  const std::size_t before = context.has_port(4500) ? marker : 0;
  if ((before == 0 && !context.has_port(500)) || payload.size() < before + header) return 0;
  if (before > 0 && std::any_of(payload.begin(), payload.begin() + marker, [](std::uint8_t b) { return b != 0; })) return 0;
  const std::uint8_t version = payload[before + version_at];
  return version == 0x10 || version == 0x20 ? before + header : 0;
}

bool is_stun(std::span<const std::uint8_t> payload) {
  return payload[0] <= 3 && payload.size() >= 20 && capture::Cursor(payload.subspan(4)).u32() == 0x2112a442;
}

/// Programs tell each other their addresses: those of the packet itself are replaced inside as they are outside.
void replace_own_addresses(Payload bytes, const PayloadContext& context) {
  for (const auto& address : {context.five_tuple.source.address, context.five_tuple.destination.address}) {
    if (address.version == 0) continue;
    const auto begin = address.bytes.begin(), end = begin + (address.version == 4 ? 4 : 16);
    const auto replaced = context.pseudonyms.address(address);
    auto found = bytes.begin();
    while ((found = std::search(found, bytes.end(), begin, end)) != bytes.end()) found = std::copy_n(replaced.bytes.begin(), end - begin, found);
  }
}

std::size_t keep_binary(Payload payload, std::size_t prefix, const PayloadContext& context) {
  const Payload kept = payload.first(std::min(payload.size(), prefix));
  replace_own_addresses(kept, context);
  replace_printable_runs(kept, context.pseudonyms);
  return keep_prefix(payload, prefix, context);
}

/// A packet of an application's own format: its counters as they are, the media behind them as digest.
std::size_t scrub_own_format(Payload payload, std::size_t header, const PayloadContext& context) {
  constexpr std::size_t shown = binary_prefix + digest_length;   // what recognisers and nDPI ask for at the least
  const std::size_t digest = std::max(digest_length, shown - std::min(shown, header));
  return keep_prefix(payload, header, context, digest);
}

std::size_t scrub_udp(Payload payload, const PayloadContext& context) {
  if (context.has_port(53) || context.has_port(5353)) return scrub_dns(payload, context);
  if (const auto header = key_exchange_header(payload, context); header > 0) return keep_prefix(payload, header, context);
  if (is_local_chatter(context)) return 0;
  if (looks_like_sip(payload)) return scrub_sip(payload, context);
  if (classify::looks_like_mgcp(payload) || (context.flows != nullptr && context.flows->carries_mgcp(context.five_tuple))) return scrub_mgcp(payload, context);
  if (starts_with(payload, "TS3INIT1")) return std::min<std::size_t>(payload.size(), 34);
  if (is_stun(payload)) return scrub_stun(payload, context);
  if (context.flows != nullptr) {
    capture::Datagram datagram;
    datagram.five_tuple = context.five_tuple;
    datagram.payload = payload;
    datagram.payload_length = std::max(context.wire_length, static_cast<std::uint32_t>(payload.size()));
    if (const auto header = context.flows->header_of(datagram)) return scrub_own_format(payload, *header, context);
  }
  // RFC 9443 tells the protocols of a call apart by the first byte.
  const std::uint8_t first = payload[0];
  if (first >= 20 && first <= 63 && looks_like_tls(payload)) return scrub_tls(payload, context);
  if (first >= 64 && first <= 79 && payload.size() > 4) return 4 + scrub_payload(payload.subspan(4), context);
  if (first == 0xff && payload.size() > 12 && payload[1] == 0x10) {
    std::fill(payload.begin() + 4, payload.begin() + 12, 0);   // Microsoft's wrapper holds an address here
    return 12 + scrub_payload(payload.subspan(12), context);
  }
  if (first >= 128 && first <= 191 && payload.size() >= 12) {
    if (payload[1] < 192 || payload[1] > 223) return scrub_rtp(payload, context);
    // One random payload in 32 begins like RTCP.
    const auto length = std::max(context.wire_length, static_cast<std::uint32_t>(payload.size()));
    if (classify::parse_rtcp(payload, length)) return scrub_rtcp(payload, context);
  }
  if (is_text(payload) && payload.size() > digest_length) return 0;
  const bool zoom = context.source_port / 10 == 880 || context.destination_port / 10 == 880;
  return keep_binary(payload, zoom ? zoom_prefix : binary_prefix, context);
}

std::size_t scrub_tcp(Payload payload, const PayloadContext& context) {
  if (context.has_port(53) && payload.size() > length_field) {
    return length_field + scrub_dns(payload.subspan(length_field), context);
  }
  if (is_local_chatter(context)) return 0;
  if (looks_like_tls(payload)) return scrub_tls(payload, context);
  if (looks_like_sip(payload)) return scrub_sip(payload, context);
  const bool own_media = context.flows != nullptr && context.flows->carries_own_media(context.five_tuple);
  if (is_text(payload) && !own_media) return 0;
  return keep_binary(payload, segment_prefix, context);
}

}  // namespace

std::size_t keep_prefix(Payload payload, std::size_t prefix, const PayloadContext& context, std::size_t digest_size) {
  if (payload.size() <= prefix) return payload.size();
  ++context.summary.payloads_cut;
  const Payload rest = payload.subspan(prefix);
  std::array<std::uint8_t, 32> digest{};
  context.pseudonyms.digest(rest, digest);
  const std::size_t written = std::min({rest.size(), digest_size, digest.size()});
  std::copy_n(digest.begin(), written, rest.begin());
  return prefix + written;
}

std::size_t scrub_payload(Payload payload, const PayloadContext& context) {
  if (payload.empty()) return 0;
  const std::size_t kept = context.is_tcp ? scrub_tcp(payload, context) : scrub_udp(payload, context);
  return std::min(kept, payload.size());
}

}  // namespace callwitness::report
