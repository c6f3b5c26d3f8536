#include "report/redact/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace callwitness::report {
namespace {

constexpr std::size_t part_limit = 200;   // lines of a message that are looked at

bool kept_attribute(std::string_view line) {
  for (const std::string_view name : {"a=rtpmap:", "a=ptime:", "a=maxptime:", "a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive", "a=rtcp-mux"}) {
    if (line.starts_with(name)) return true;
  }
  return false;
}

std::string connection(std::string_view line, const PayloadContext& context) {
  const auto parts = split(line, ' ');
  const auto address = parts.size() > 2 ? capture::IpAddress::parse(parts[2]) : std::nullopt;
  if (!address) return "";
  return fmt::format("{} {} {}\r\n", parts[0], parts[1], context.pseudonyms.address(*address).text());
}

}  // namespace

std::string lower(std::string_view text) {
  std::string lowered(text);
  for (char& c : lowered) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lowered;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (parts.size() < part_limit) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return parts;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return text;
}

std::string rewrite_sdp(std::string_view body, const PayloadContext& context) {
  std::string result;
  for (const std::string_view raw : split(body, '\n')) {
    const std::string_view line = trimmed(raw);
    if (line.starts_with("c=")) result += connection(line, context);
    else if (line.starts_with("v=0") || line.starts_with("t=")) result += fmt::format("{}\r\n", line);
    else if (line.starts_with("o=")) result += "o=- 0 0 IN IP4 0.0.0.0\r\n";
    else if (line.starts_with("s=")) result += "s=-\r\n";
    else if (line.starts_with("m=") || kept_attribute(line)) result += fmt::format("{}\r\n", line);
    else if (line.starts_with("a=rtcp:")) result += fmt::format("{}\r\n", line.substr(0, line.find(' ')));
  }
  return result;
}

std::string padded(std::string headers, std::string_view rest, std::size_t size) {
  constexpr std::string_view name = "X: ", end = "\r\n";
  const std::size_t tight = headers.size() + rest.size();
  if (tight > size) return {};
  std::size_t missing = size - tight;
  if (missing > name.size() + end.size()) {
    headers += name;
    headers.append(missing - name.size() - end.size(), 'x');
    headers += end;
  } else {
    headers.insert(headers.size() - std::min(headers.size(), end.size()), missing, ' ');   // behind the last header's value
  }
  headers += rest;
  return headers;
}

}  // namespace callwitness::report
