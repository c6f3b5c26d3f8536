#include "report/html/page.hpp"

#include "report/embedded.hpp"
#include "report/encode.hpp"
#include "report/timestamps.hpp"

#include <fmt/format.h>

namespace callwitness::report {

std::string Page::word(std::string_view key) const { return for_html(words.text(key), std::string_view::npos); }   // our own: never cut

std::string Page::command(std::string_view text) { return "<code dir=\"ltr\">" + for_html(text) + "</code>"; }

std::string Page::when(capture::Time time) const { return left_to_right(local_time(time, options_.time_zone)); }

void Page::begin(const std::string& title, std::string_view version) {
  out << "<!DOCTYPE html>\n<html lang=\"" << words.language() << "\" dir=\"" << (words.is_right_to_left() ? "rtl" : "ltr")
      << "\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
         "<meta name=\"referrer\" content=\"no-referrer\">\n<title>" << title << "</title>\n<style>\n" << embedded("report/templates/report.css")
      << "</style>\n</head>\n<body>\n<header><p>" << left_to_right(fmt::format("callwitness {}", version)) << "</p>\n<h1>" << title << "</h1></header>\n<main>\n";
}

void Page::end() { out << "</main>\n<footer><p>" << word("verdict.caveat") << "</p></footer>\n</body>\n</html>\n"; }

void Page::heading(std::string_view key) {
  heading_ = word("heading." + std::string(key));
  out << "<h2 id=\"" << key << "\">" << heading_ << "</h2>\n";
}

void Page::table(std::initializer_list<const char*> columns, std::size_t first_number, std::size_t behind_numbers) {
  out << "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"" << heading_ << "\"><table>\n<thead><tr>";
  std::size_t i = 0;
  for (const char* column : columns) {
    const bool is_number = i >= first_number && i < behind_numbers;
    out << (is_number ? "<th scope=\"col\" class=\"n\">" : "<th scope=\"col\">") << word(std::string("column.") + column) << "</th>";
    ++i;
  }
  out << "</tr></thead>\n<tbody>\n";
}

}  // namespace callwitness::report
