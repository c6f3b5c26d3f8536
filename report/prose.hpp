// Sentences made from keys and parameters; nothing of them is ever stored.
#pragma once

#include "metrics/analysis.hpp"
#include "report/catalogue.hpp"

#include <optional>
#include <string>

namespace callwitness::report {

std::string_view name_of(metrics::VerdictClass verdict);
std::string_view name_of(metrics::AlternativeStatus status);
std::string_view name_of(classify::MediaKind kind);
std::string_view name_of(classify::Ending ending);
std::string_view name_of(classify::Attempt::Stage stage);
std::string_view name_of(classify::Attempt::Step step);
std::string_view name_of(classify::Attempt::Outcome outcome);

/// `html`: values come encoded and wrapped in <bdi dir=ltr>, so that they read left to right in any language.
class Prose {
 public:
  enum class Form { plain, html };
  explicit Prose(std::string_view language, Form form = Form::plain) : catalogue_(language), form_(form) {}

  const Catalogue& catalogue() const { return catalogue_; }
  std::string value(std::string_view text) const;      ///< a number, address, hash or name for this form
  std::string application(std::string_view key) const; ///< its name; "the calls" where unknown
  std::string direction(const std::optional<metrics::Direction>& direction) const;
  std::string headline(const metrics::Analysis& analysis) const;
  std::string headline(const metrics::Verdict& verdict) const { return headline(verdict, verdict.key); }
  /// Why an insufficient verdict is one, and what to do next; empty for others.
  std::string lacking(const metrics::Analysis& analysis) const;
  std::string ending(classify::Ending ending) const { return catalogue_.text("ending." + std::string(name_of(ending))); }
  std::string media(classify::MediaKind kind) const { return catalogue_.text("media." + std::string(name_of(kind))); }
  /// Other explanations of that status, a list; empty: none.
  std::string alternatives(const metrics::Finding& finding, metrics::AlternativeStatus status) const;
  /// The smallest effects that would have shown; of a clean verdict only, unless `always`.
  std::string smallest(const metrics::Verdict& verdict, bool always = false) const;
  /// Headline, what was found, what remains possible; or what is missing, or the smallest effect that would have shown.
  std::string summary(const metrics::Analysis& analysis) const;
  std::string standing(const metrics::Verdict& verdict) const;
  std::string finding(const metrics::Finding& finding) const;
  std::string reason(const metrics::Alternative& alternative) const;
  /// The rung of an attempt, where it has a name of its own; else its stage.
  std::string step(const classify::Attempt& attempt) const;

 private:
  std::string headline(const metrics::Verdict& verdict, const std::string& kind) const;
  std::string comma() const { return catalogue_.is_right_to_left() ? "، " : ", "; }
  std::string semicolon() const { return catalogue_.is_right_to_left() ? "؛ " : catalogue_.language() == "fr" ? " ; " : "; "; }
  Catalogue catalogue_;
  Form form_;
};

/// The finding that carries the verdict: the surest of the kind that its key speaks of; null: none.
const metrics::Finding* leading_finding(const metrics::Analysis& analysis);

std::string rate_text(double bits_per_second);   ///< "48.0 kbit/s"
std::string span_text(double seconds);           ///< "12.5 s", "10 min 0 s"
std::string clock_text(long long seconds);       ///< "1:05", "1:00:05"
std::string percent_text(double ratio);          ///< "1.25 %"
std::string sentence_case(std::string text);     ///< its first letter a capital, where the script has them
std::string number_text(double number);          ///< as precise as the JSON tells it, at most six digits

/// The Wireshark display filter with which a sceptic checks a finding.
std::string display_filter(const metrics::Analysis& analysis, const metrics::Finding& finding);

}  // namespace callwitness::report
