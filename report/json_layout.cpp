#include "report/json_layout.hpp"

namespace callwitness::report {
namespace {

/// Just behind the string that begins at `at`.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at)
    if (text[at] == '\\') ++at;
  return at + 1;
}

/// Just behind the list that begins at `at`, if it holds plain values only; 0 otherwise.
std::size_t end_of_plain_list(std::string_view text, std::size_t at) {
  for (++at; at < text.size();) {
    const char c = text[at];
    if (c == '[' || c == '{') return 0;
    if (c == ']') return at + 1;
    at = c == '"' ? end_of_string(text, at) : at + 1;
  }
  return 0;
}

}  // namespace

std::string lists_on_one_line(std::string_view indented) {
  std::string out;
  out.reserve(indented.size());
  std::size_t list_end = 0;   // inside a plain list up to here
  for (std::size_t at = 0; at < indented.size();) {
    const char c = indented[at];
    if (c == '"') {
      const auto end = end_of_string(indented, at);
      out += indented.substr(at, end - at);
      at = end;
      continue;
    }
    if (c == '[') list_end = end_of_plain_list(indented, at);
    if (at >= list_end || (c != ' ' && c != '\n')) out += c;
    ++at;
  }
  return out;
}

bool is_shallow(std::string_view json, int levels) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\') ++i;
      else if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > levels) return false;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return true;
}

}  // namespace callwitness::report
