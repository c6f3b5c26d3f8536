// What every page of ours is made of: the shell without scripts and outside resources, words, tables.
#pragma once

#include "report/prose.hpp"
#include "report/writer.hpp"

#include <initializer_list>
#include <ostream>
#include <string>
#include <string_view>

namespace callwitness::report {

class Page {
 public:
  Page(const WriteOptions& options, std::ostream& stream)
      : prose(options.language, Prose::Form::html), plain(options.language), words(prose.catalogue()), out(stream), options_(options) {}

  void begin(const std::string& title, std::string_view version);
  void end();

  std::string word(std::string_view key) const;                    ///< a message, encoded
  std::string told(std::string_view key, const Parameters& values) const { return words.text(key, values); }   ///< values are HTML
  std::string left_to_right(std::string_view text) const { return prose.value(text); }
  static std::string command(std::string_view text);               ///< what one types
  std::string when(capture::Time time) const;
  std::string zone() const { return left_to_right(options_.time_zone); }
  std::string comma() const { return words.is_right_to_left() ? "، " : ", "; }
  const BundleFacts* bundle() const { return options_.bundle; }

  void heading(std::string_view key);                              ///< section heading "heading.KEY", its id KEY
  void paragraph(std::string_view key) { out << "<p>" << word(key) << "</p>\n"; }
  /// `columns`: "column.KEY" each; those from `first_number` to before `behind_numbers` hold numbers.
  void table(std::initializer_list<const char*> columns, std::size_t first_number = 99, std::size_t behind_numbers = 99);
  void end_table() { out << "</tbody></table></div>\n"; }
  void row() { out << "<tr>"; }
  void end_row() { out << "</tr>\n"; }
  void cell(const std::string& html) { out << "<td>" << html << "</td>"; }
  void number(std::string_view text) { out << "<td class=\"n\">" << (text.empty() ? "–" : left_to_right(text)) << "</td>"; }

  const Prose prose, plain;     ///< for HTML, and for text that is encoded afterwards
  const Catalogue& words;
  std::ostream& out;

 private:
  const WriteOptions& options_;
  std::string heading_;         ///< the last one: names the tables below it for screen readers
};

}  // namespace callwitness::report
