#include "report/redact/payload.hpp"
#include "report/redact/text.hpp"

#include "classify/exchanges/mgcp.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace callwitness::report {
namespace {

/// Verb or code, transaction, the call's identity and its media (RFC 3435 3.2-3.5); names of gateways and digits dialled go.
std::string rewritten(std::string_view message, const PayloadContext& context) {
  const auto parsed = classify::parse_mgcp(message);
  if (!parsed) return {};
  const auto word = [&](std::string_view text) { return context.pseudonyms.word(lower(text) + "        ").substr(0, 8); };
  std::string head;
  if (parsed->verb.empty()) {
    head = fmt::format("{:03} {}\r\n", parsed->code, parsed->transaction);
  } else {
    const auto words = split(message.substr(0, message.find_first_of("\r\n")), ' ');
    head = fmt::format("{} {} {} MGCP 1.0\r\n", parsed->verb, parsed->transaction, word(words.size() > 2 ? words[2] : ""));
  }
  ++context.summary.names_replaced;
  if (!parsed->call_id.empty()) head += fmt::format("C: {}\r\n", word(parsed->call_id));
  const std::string body = parsed->body.starts_with("v=") ? rewrite_sdp(parsed->body, context) : std::string();
  return padded(std::move(head), body.empty() ? "" : "\r\n" + body, message.size());
}

}  // namespace

std::size_t scrub_mgcp(Payload datagram, const PayloadContext& context) {
  std::string_view text(reinterpret_cast<const char*>(datagram.data()), datagram.size());
  std::string all;
  constexpr std::string_view parting = "\n.\r\n", bare_parting = "\n.\n";   // several messages in one datagram (RFC 3435 3.5.5)
  while (!text.empty()) {
    const auto at = text.find(parting), bare = text.find(bare_parting);
    const auto end = std::min(at, bare);
    const auto message = text.substr(0, end == std::string_view::npos ? end : end + 1);
    const auto made = rewritten(message, context);
    if (made.empty()) return 0;
    all += made;
    if (end == std::string_view::npos) break;
    const auto separator = (at < bare ? parting : bare_parting).substr(1);
    all += separator;
    text.remove_prefix(message.size() + separator.size());
  }
  if (all.size() != datagram.size()) return 0;
  std::copy(all.begin(), all.end(), datagram.begin());
  return datagram.size();
}

}  // namespace callwitness::report
