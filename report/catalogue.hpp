// Prose in a reader's language: report/languages/*.json, messages with {parameters} and plural forms (CLDR's names).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace callwitness::report {

using Parameters = std::map<std::string, std::string>;

class Catalogue {
 public:
  /// en, fr or ar; any other is English.
  explicit Catalogue(std::string_view language);
  /// The message with its {parameters} filled in; the key in readable form if there is no such message.
  std::string text(std::string_view key, const Parameters& parameters = {}) const;
  /// The form of the message that `count` asks for; {n} is the count.
  std::string plural(std::string_view key, std::uint64_t count, Parameters parameters = {}) const;
  bool has(std::string_view key) const { return messages_.find(key) != messages_.end(); }
  bool is_right_to_left() const { return language_ == "ar"; }
  const std::string& language() const { return language_; }
  /// All messages, plural forms as key.form: for the test that compares catalogues.
  const std::map<std::string, std::string, std::less<>>& messages() const { return messages_; }

 private:
  std::string language_;
  std::map<std::string, std::string, std::less<>> messages_;
};

/// CLDR plural category of a whole number: zero, one, two, few, many, other.
std::string_view plural_category(std::string_view language, std::uint64_t count);
std::vector<std::string_view> plural_categories(std::string_view language);

}  // namespace callwitness::report
