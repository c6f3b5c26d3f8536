#include "classify/protocols/sip.hpp"

#include <algorithm>
#include <charconv>

namespace callwitness::classify {
namespace {

// More headers than this no honest message has; the rest is not looked at.
constexpr int header_limit = 256;
constexpr std::string_view sip_methods[] = {"INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "PRACK", "UPDATE",
                                            "INFO", "MESSAGE", "SUBSCRIBE", "NOTIFY", "REFER", "PUBLISH"};

std::string_view text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(x) == lower(y);
  });
}

/// Takes a line off the front; without its end: none.
std::optional<std::string_view> take_line(std::string_view& text) {
  const auto end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const auto line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
}

struct Header { std::string_view name, value; };

Header split(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return {};
  return {trimmed(line.substr(0, colon)), trimmed(line.substr(colon + 1))};
}

bool is(const Header& header, std::string_view full, std::string_view compact) {
  return equal_ignoring_case(header.name, full) || (!compact.empty() && equal_ignoring_case(header.name, compact));
}

}  // namespace

std::optional<std::uint32_t> number_of(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end == text.data()) return std::nullopt;
  return value;
}

std::string_view parameter_of(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const auto end = std::min(list.find(';'), list.size());
    const auto item = trimmed(list.substr(0, end));
    const auto equals = item.find('=');
    if (equals != std::string_view::npos && equal_ignoring_case(item.substr(0, equals), name)) return item.substr(equals + 1);
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return {};
}

bool looks_like_sip(Bytes bytes) {
  if (bytes.empty() || bytes[0] < 'A' || bytes[0] > 'Z') return false;   // of every datagram: most are told by one byte
  const auto text = text_of(bytes.first(std::min<std::size_t>(bytes.size(), 64)));
  if (text.starts_with("SIP/2.0 ")) return true;
  const auto space = text.find(' ');
  if (space == std::string_view::npos) return false;
  const auto target = text.substr(space + 1);
  return std::find(std::begin(sip_methods), std::end(sip_methods), text.substr(0, space)) != std::end(sip_methods) &&
         (target.starts_with("sip:") || target.starts_with("sips:") || target.starts_with("tel:"));
}

bool looks_like_rtsp(Bytes bytes) {
  const auto text = text_of(bytes.first(std::min<std::size_t>(bytes.size(), 64)));
  if (text.starts_with("RTSP/1.0 ") || text.starts_with("RTSP/2.0 ")) return true;
  const auto space = text.find(' ');
  return space != std::string_view::npos && space >= 4 && space <= 13 &&
         (text.substr(space + 1).starts_with("rtsp:") || text.substr(space + 1).starts_with("rtspu:"));
}

std::optional<TextMessage> parse_text_message(Bytes bytes) {
  TextMessage message;
  message.rtsp = looks_like_rtsp(bytes);
  if (!message.rtsp && !looks_like_sip(bytes)) return std::nullopt;
  auto text = text_of(bytes);
  const auto first = take_line(text);
  if (!first) return std::nullopt;
  if (first->starts_with("SIP/2.0 ") || first->starts_with("RTSP/")) {
    const auto status = number_of(first->substr(first->find(' ') + 1));
    if (!status || *status < 100 || *status > 699) return std::nullopt;
    message.status = static_cast<int>(*status);
  } else {
    message.method = first->substr(0, first->find(' '));
  }
  for (int i = 0; i < header_limit; ++i) {
    const auto line = take_line(text);
    if (!line) return message;
    if (line->empty()) {
      message.body = text;
      return message;
    }
    const Header header = split(*line);
    if (is(header, "Call-ID", "i") || (message.rtsp && is(header, "Session", ""))) {
      message.call_id = message.rtsp ? header.value.substr(0, header.value.find(';')) : header.value;
    } else if (is(header, "CSeq", "")) {
      message.sequence = number_of(header.value).value_or(0);
      const auto space = header.value.find(' ');
      if (message.status != 0 && space != std::string_view::npos) message.method = trimmed(header.value.substr(space));
    } else if (is(header, "Content-Type", "c")) {
      message.content_type = header.value;
    } else if (is(header, "Session-Expires", "x")) {
      message.session_expires_s = number_of(header.value).value_or(0);
    } else if (is(header, "Transport", "")) {
      message.transport = header.value;
    }
  }
  return message;
}

std::size_t text_message_size(Bytes stream) {
  const auto all = text_of(stream);
  auto text = all;
  std::size_t content = 0;
  while (const auto line = take_line(text)) {
    if (line->empty()) {
      const std::size_t head = all.size() - text.size();
      return content <= text.size() ? head + content : 0;
    }
    const Header header = split(*line);
    if (is(header, "Content-Length", "l")) content = number_of(header.value).value_or(0);
  }
  return 0;
}

}  // namespace callwitness::classify
