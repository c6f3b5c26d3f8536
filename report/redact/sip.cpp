#include "report/redact/payload.hpp"
#include "report/redact/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

namespace callwitness::report {
namespace {

/// Rewrites a message from the parts that measuring needs.
class SipRewriter {
 public:
  SipRewriter(std::string_view message, const PayloadContext& context) : message_(message), context_(context) {}

  std::string rewrite() {
    const auto blank = message_.find("\r\n\r\n");
    const std::string_view head = message_.substr(0, blank);
    const std::string_view body = blank == std::string_view::npos ? std::string_view{} : message_.substr(blank + 4);
    const auto lines = split(head, '\n');
    std::string sdp = body.starts_with("v=") ? rewrite_sdp(body, context_) : std::string();
    std::string result = start_line(trimmed(lines.front()));
    for (std::size_t i = 1; i < lines.size(); ++i) result += header(trimmed(lines[i]));
    if (!sdp.empty()) result += "Content-Type: application/sdp\r\n";
    const std::string length = fmt::format("Content-Length: {}\r\n\r\n", sdp.size());
    return padded(std::move(result), length + sdp, message_.size());
  }

 private:
  std::string word(std::string_view text) const {
    // Short, so that the rewritten message fits into the old length; 40 bits tell enough calls apart.
    return context_.pseudonyms.word(lower(text) + "        ").substr(0, 8);
  }

  std::string start_line(std::string_view line) const {
    if (line.starts_with("SIP/2.0")) return fmt::format("{} \r\n", line.substr(0, std::min<std::size_t>(line.size(), 11)));   // the reason goes, its space stays (RFC 3261 7.2)
    const auto parts = split(line, ' ');
    const std::string_view uri = parts.size() > 1 ? parts[1] : "";
    return fmt::format("{} sip:{} SIP/2.0\r\n", parts.front(), word(uri));
  }

  /// What tells dialogs and transactions apart: Call-ID, tags, branch and CSeq. Everything else goes.
  std::string header(std::string_view line) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return "";
    const std::string name = lower(trimmed(line.substr(0, colon)));
    const std::string_view value = trimmed(line.substr(colon + 1));
    ++context_.summary.names_replaced;
    if (name == "cseq") return fmt::format("CSeq: {}\r\n", value.substr(0, std::min<std::size_t>(value.size(), 30)));
    if (name == "call-id" || name == "i") return fmt::format("i: {}\r\n", word(value));
    if (name == "via" || name == "v") return fmt::format("v: SIP/2.0/UDP x;branch=z9hG4bK{}\r\n", word(parameter(value, "branch=")));
    // That a proof of a password was sent, not which: a challenge afterwards says that it was wrong.
    if (name == "authorization" || name == "proxy-authorization") return "Authorization: x\r\n";
    if (name == "from" || name == "f") return fmt::format("f: <sip:{}>{}\r\n", word(identity(value)), tag(value));
    if (name == "to" || name == "t") return fmt::format("t: <sip:{}>{}\r\n", word(identity(value)), tag(value));
    return "";
  }

  static std::string_view parameter(std::string_view value, std::string_view key) {
    const auto at = value.find(key);
    if (at == std::string_view::npos) return "";
    const std::string_view rest = value.substr(at + key.size());
    return rest.substr(0, rest.find_first_of(";, \r\n"));
  }
  static std::string_view identity(std::string_view value) {
    const auto open = value.find('<');
    return open == std::string_view::npos ? value.substr(0, value.find(';')) : value.substr(open, value.find('>') - open);
  }
  std::string tag(std::string_view value) const {
    const auto found = parameter(value, "tag=");
    return found.empty() ? "" : ";tag=" + word(found);
  }

  std::string_view message_;
  const PayloadContext& context_;
};

}  // namespace

bool looks_like_sip(std::span<const std::uint8_t> payload) {
  const std::string_view text(reinterpret_cast<const char*>(payload.data()), payload.size());
  if (text.starts_with("SIP/2.0 ")) return true;
  const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
  // Not a message inside another (TURN's, a tunnel's): the other's header would be taken for the method, and stay.
  return line.ends_with(" SIP/2.0") && std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

std::size_t scrub_sip(Payload message, const PayloadContext& context) {
  const std::string_view text(reinterpret_cast<const char*>(message.data()), message.size());
  const std::string rewritten = SipRewriter(text, context).rewrite();
  if (rewritten.size() != message.size()) return 0;
  std::copy(rewritten.begin(), rewritten.end(), message.begin());
  return message.size();
}

}  // namespace callwitness::report
