#include "report/redact/payload.hpp"

#include "capture/cursor.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace callwitness::report {
namespace {

using capture::Bytes;
using capture::Cursor;

constexpr std::uint8_t change_cipher_spec = 20, alert = 21, handshake = 22, application_data = 23;
constexpr std::uint8_t client_hello = 1;

bool is_dtls(Bytes payload) { return payload.size() >= 13 && payload[1] == 0xfe && payload[2] >= 0xfd; }

/// Where the extensions of a ClientHello begin, or 0. `hello` starts at the handshake header.
std::size_t extensions_at(Bytes hello, bool dtls) {
  Cursor cursor(hello);
  cursor.skip((dtls ? 12u : 4u) + 2 + 32);
  cursor.skip(cursor.u8());
  if (dtls) cursor.skip(cursor.u8());
  cursor.skip(cursor.u16());
  cursor.skip(cursor.u8());
  cursor.u16();
  return cursor.ok() ? cursor.position() : 0;
}

/// Replaces the server name, zeroes what may identify (session tickets, pre-shared keys, ECH). Returns what may stay.
std::size_t scrub_client_hello(Payload hello, bool dtls, const PayloadContext& context) {
  std::size_t at = extensions_at(hello, dtls);
  if (at == 0) return std::min<std::size_t>(hello.size(), 6);
  while (at + 4 <= hello.size()) {
    const std::size_t type = hello[at] << 8 | hello[at + 1];
    const std::size_t length = hello[at + 2] << 8 | hello[at + 3];
    const Payload value = hello.subspan(at + 4, std::min(length, hello.size() - at - 4));
    if (type == 0 && value.size() > 5) {
      const Payload name = value.subspan(5);
      const std::string replaced =
          context.pseudonyms.host_name({reinterpret_cast<const char*>(name.data()), name.size()});
      std::copy(replaced.begin(), replaced.end(), name.begin());
      ++context.summary.names_replaced;
    } else if (type == 35 || type == 41 || type == 21 || type >= 0xfe00) {
      std::fill(value.begin(), value.end(), 0);
    }
    at += 4 + length;
  }
  return hello.size();
}

}  // namespace

bool looks_like_tls(Bytes payload) {
  if (payload.size() < 6 || payload[0] < change_cipher_spec || payload[0] > application_data) return false;
  return (payload[1] == 3 && payload[2] <= 4) || is_dtls(payload);
}

std::size_t scrub_tls(Payload payload, const PayloadContext& context) {
  const bool dtls = is_dtls(payload);
  const std::size_t record_header = dtls ? 13 : 5;
  std::array<std::uint8_t, digest_length> digest{};
  context.pseudonyms.digest(payload, digest);
  std::size_t at = 0, shown = 0;
  while (at + record_header <= payload.size() && looks_like_tls(payload.subspan(at))) {
    const std::uint8_t type = payload[at];
    const std::size_t length = payload[at + record_header - 2] << 8 | payload[at + record_header - 1];
    const Payload record = payload.subspan(at + record_header, std::min(length, payload.size() - at - record_header));
    std::size_t kept = 0;
    if (type == handshake && !record.empty() && record[0] == client_hello) {
      kept = scrub_client_hello(record, dtls, context);
    } else if (type == handshake) {
      kept = std::min<std::size_t>(record.size(), dtls ? 12 : 4);
    } else if (type == alert) {
      kept = record.size();
    }
    std::fill(record.begin() + kept, record.end(), 0);
    shown = at + record_header + kept;
    at += record_header + record.size();
  }
  if (shown == payload.size()) return shown;
  ++context.summary.payloads_cut;
  // Where what is cut begins, so that segments that differed still differ.
  const std::size_t written = std::min(payload.size() - shown, digest.size());
  std::copy_n(digest.begin(), written, payload.begin() + shown);
  return shown + written;
}

}  // namespace callwitness::report
