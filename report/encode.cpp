#include "report/encode.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace callwitness::report {
namespace {

/// Length of the valid UTF-8 sequence at `at` (RFC 3629: no overlong forms, no surrogates), and its code point.
std::size_t sequence_at(std::string_view text, std::size_t at, std::uint32_t& code) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[at + i]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return code = lead, 1;
  const std::size_t length = lead >= 0xf0 && lead <= 0xf4 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
  if (length == 0 || lead > 0xf4 || at + length > text.size()) return 0;
  code = lead & (0xff >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3f);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  return overlong || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? 0 : length;
}

/// Controls (C0, DEL, C1) and characters that reorder, hide or break text: bidi marks and isolates, zero widths, separators,
/// tags, the byte order mark.
bool is_dangerous(std::uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0xad || code == 0x61c || (code >= 0x200b && code <= 0x200f) ||
         (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) || code == 0xfeff || (code >= 0xfff9 && code <= 0xfffb) ||
         (code >= 0xe0000 && code <= 0xe007f);
}

}  // namespace

std::string visible(std::string_view raw, std::size_t limit) {
  std::string out;
  for (std::size_t at = 0; at < raw.size();) {
    if (out.size() >= limit) return out + "…";
    std::uint32_t code = 0;
    const std::size_t length = sequence_at(raw, at, code);
    if (length == 0) {
      out += fmt::format("\\x{:02x}", static_cast<std::uint8_t>(raw[at++]));
      continue;
    }
    if (is_dangerous(code)) out += code < 0x100 ? fmt::format("\\x{:02x}", code) : fmt::format("\\u{{{:x}}}", code);
    else out += raw.substr(at, length);
    at += length;
  }
  return out;
}

std::string for_terminal(std::string_view text) { return visible(text); }

std::string for_html(std::string_view text, std::size_t limit) {
  std::string out;
  for (const char c : visible(text, limit)) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      case '`': out += "&#96;"; break;
      default: out += c;
    }
  }
  return out;
}

namespace {

/// What a spreadsheet takes for a formula's beginning, also in full width.
bool begins_formula(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  if (text.empty()) return false;
  if (std::string_view("=+-@|%\\").find(text.front()) != std::string_view::npos) return true;
  constexpr std::string_view wide[] = {"\uff1d", "\uff0b", "\uff0d", "\uff20"};
  return std::any_of(std::begin(wide), std::end(wide), [&](std::string_view sign) { return text.starts_with(sign); });
}

}  // namespace

std::string for_csv(std::string_view text) {
  const std::string safe = visible(text);
  std::string out = begins_formula(safe) ? "\"'" : "\"";
  for (std::size_t i = 0; i < safe.size(); ++i) {
    out += safe[i] == '"' ? "\"\"" : std::string(1, safe[i]);
    // Where a semicolon parts cells (most of Europe), a new one begins here, and the quotes around don't hold.
    if (safe[i] == ';' && begins_formula(std::string_view(safe).substr(i + 1))) out += '\'';
  }
  return out + '"';
}

std::string for_markdown(std::string_view text) {
  std::string out;
  for (const char c : for_html(text)) {
    if (std::string_view("\\*_{}[]()#+-!|~:@").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string for_json(std::string document) {
  const auto is_plain = [](char c) { return static_cast<std::uint8_t>(c) < 0x7f; };
  if (std::all_of(document.begin(), document.end(), is_plain)) return document;
  std::string out;
  for (std::size_t at = 0; at < document.size();) {
    std::uint32_t code = 0;
    const std::size_t length = is_plain(document[at]) ? 1 : sequence_at(document, at, code);
    const auto part = std::string_view(document).substr(at, std::max<std::size_t>(length, 1));
    at += part.size();
    if (is_plain(part.front()) || !is_dangerous(code)) out += part;
    else if (code < 0x10000) out += fmt::format("\\u{:04x}", code);
    else out += fmt::format("\\u{:04x}\\u{:04x}", 0xd800 + ((code - 0x10000) >> 10), 0xdc00 + ((code - 0x10000) & 0x3ff));
  }
  return out;
}

}  // namespace callwitness::report
