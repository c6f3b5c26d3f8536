#include "report/catalogue.hpp"
#include "report/encode.hpp"
#include "report/prose.hpp"
#include "report/timestamps.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace callwitness;
using report::Catalogue;

namespace {

std::set<std::string> placeholders(const std::string& message) {
  std::set<std::string> names;
  for (auto open = message.find('{'); open != std::string::npos; open = message.find('{', open + 1)) names.insert(message.substr(open, message.find('}', open) - open));
  return names;
}

/// The English message that a translated one answers to: its own key, or the same plural's "other".
std::string english_key(const Catalogue& english, const std::string& key) {
  return english.has(key) ? key : key.substr(0, key.rfind('.')) + ".other";
}

}  // namespace

TEST_CASE("no catalogue misses a message, a placeholder or a plural form") {
  const Catalogue english("en");
  REQUIRE(english.messages().size() > 150);
  for (const char* language : {"fr", "ar"}) {
    const Catalogue other(language);
    for (const auto& [key, message] : english.messages()) {
      INFO(language << " " << key);
      REQUIRE(other.has(key));
      CHECK(!other.messages().at(key).empty());
    }
    for (const auto& [key, message] : other.messages()) {
      INFO(language << " " << key);
      REQUIRE(english.has(english_key(english, key)));
      CHECK(placeholders(message) == placeholders(english.messages().at(english_key(english, key))));
    }
    for (const char* plural : {"count.calls", "count.findings", "count.packets", "count.captures"})
      for (const auto form : report::plural_categories(language)) CHECK(other.has(std::string(plural) + "." + std::string(form)));
  }
}

TEST_CASE("French has its spaces, Arabic its marks") {
  const Catalogue french("fr"), arabic("ar");
  for (const auto& [key, message] : french.messages()) {
    INFO(key << " " << message);
    for (const char* sign : {" ;", " :", " ?", " !", " »", "« ", " %"}) CHECK(message.find(sign) == std::string::npos);   // the space before may not break
    for (const char* sign : {";", "?", "!", "»"})
      if (const auto at = message.find(sign); at != std::string::npos) CHECK(message.substr(0, at).ends_with("\u00a0"));
  }
  for (const auto& [key, message] : arabic.messages()) {
    INFO(key << " " << message);
    for (const char* sign : {",", ";", "?"}) CHECK(message.find(sign) == std::string::npos);
  }
}

TEST_CASE("a sentence begins with a capital where the script has them") {
  CHECK(report::sentence_case("the other end") == "The other end");
  CHECK(report::sentence_case("\u00e9cran") == "\u00c9cran");
  CHECK(report::sentence_case("\u0634\u0628\u0643\u0629") == "\u0634\u0628\u0643\u0629");
  CHECK(report::sentence_case("") == "");
}

TEST_CASE("an insufficient verdict says what is missing, and nothing of confidence") {
  metrics::Analysis analysis;
  const report::Prose prose("en");
  CHECK(prose.lacking(analysis).find("No call was recognised") == 0);
  CHECK(prose.standing(analysis.verdict).find("confidence") == std::string::npos);
  classify::Call call;
  analysis.classification.calls.push_back(call);
  auto& stream = analysis.streams.emplace_back();
  stream.call = classify::CallId{0};
  stream.packets = 150;
  stream.end_time = stream.start_time + std::chrono::seconds(3);
  CHECK(prose.lacking(analysis).find("3.0 s of media at the longest and 150 packets; a verdict needs 10 s and 200 packets") != std::string::npos);
  stream.packets = 15000;
  stream.end_time = stream.start_time + std::chrono::seconds(300);
  CHECK(prose.lacking(analysis).find("missed so many packets") != std::string::npos);
  analysis.verdict.verdict_class = metrics::VerdictClass::clean;
  CHECK(prose.lacking(analysis).empty());
}

TEST_CASE("where only attempts failed, the headline doesn't say that calls suffered") {
  metrics::Analysis analysis;
  analysis.verdict.verdict_class = metrics::VerdictClass::impaired;
  analysis.verdict.key = "general_network_problem";
  analysis.verdict.parameters["kind"] = "blocking";
  analysis.findings.emplace_back().kind = metrics::FindingKind::blocking;
  const report::Prose prose("en");
  CHECK(prose.headline(analysis).find("Connecting failed") == 0);
  analysis.findings.emplace_back().kind = metrics::FindingKind::outage;
  CHECK(prose.headline(analysis).find("The calls suffered") == 0);
}

TEST_CASE("a headline without a name reads well") {
  metrics::Analysis analysis;
  analysis.verdict.verdict_class = metrics::VerdictClass::interference;
  analysis.verdict.key = "consistent_with_throttling";
  CHECK(report::Prose("fr").headline(analysis).ends_with("un bridage des appels"));
  analysis.verdict.parameters["application"] = "viber";
  CHECK(report::Prose("fr").headline(analysis).ends_with("un bridage de Viber"));
}

TEST_CASE("plural forms follow CLDR") {
  CHECK(report::plural_category("en", 0) == "other");
  CHECK(report::plural_category("en", 1) == "one");
  CHECK(report::plural_category("fr", 0) == "one");
  CHECK(report::plural_category("fr", 2) == "other");
  const std::pair<std::uint64_t, const char*> arabic[] = {{0, "zero"}, {1, "one"}, {2, "two"}, {3, "few"}, {10, "few"}, {11, "many"}, {99, "many"}, {100, "other"}, {102, "other"}, {103, "few"}};
  for (const auto& [count, form] : arabic) CHECK(report::plural_category("ar", count) == form);
}

TEST_CASE("hostile text comes out of every encoder tamed") {
  CHECK(report::for_html("<b a=\"x\" b='y'>&`") == "&lt;b a=&quot;x&quot; b=&#39;y&#39;&gt;&amp;&#96;");
  CHECK(report::for_terminal("a\x1b[31m\r\n\a") == "a\\x1b[31m\\x0d\\x0a\\x07");
  CHECK(report::visible("\xe2\x80\xae") == "\\u{202e}");
  CHECK(report::visible("\xff\xc0\xaf") == "\\xff\\xc0\\xaf");
  CHECK(report::visible("\xed\xa0\x80") == "\\xed\\xa0\\x80");
  CHECK(report::visible(std::string("a\0b", 3)) == "a\\x00b");
  CHECK(report::visible("\xc3\xa9 \xd8\xb3") == "\xc3\xa9 \xd8\xb3");
  CHECK(report::for_csv("=cmd|' /C calc'!A0") == "\"'=cmd|' /C calc'!A0\"");
  for (const char* formula : {"+1", "-1", "@a", "\t=1", "\r=1", " =1"}) CHECK(report::for_csv(formula).substr(0, 3).find('\'') != std::string::npos);
  CHECK(report::for_csv("a\"b") == "\"a\"\"b\"");
  CHECK(report::for_csv("a;=1+1; b;-2") == "\"a;'=1+1; b;'-2\"");   // where semicolons part cells
  CHECK(report::for_csv("\uff1d1+1") == "\"'\uff1d1+1\"");
  CHECK(report::for_json("[\"a\u00e9\u202e\u009b\U000e0041\"]") == "[\"a\u00e9\\u202e\\u009b\\udb40\\udc41\"]");
  CHECK(report::for_markdown("[a](b)|<i>") == "\\[a\\]\\(b\\)\\|&lt;i&gt;");
}

TEST_CASE("times for people follow the zone asked for, and only known zones") {
  const capture::Time time = capture::Time(std::chrono::sys_days(std::chrono::year(2026) / 1 / 2)) + std::chrono::hours(23);
  CHECK(report::local_time(time, "UTC") == "2026-01-02 23:00:00 UTC");
  CHECK(!report::is_time_zone("../../etc/passwd"));
  CHECK(!report::is_time_zone("/etc/passwd"));
  if (report::is_time_zone("Asia/Dubai")) CHECK(report::local_time(time, "Asia/Dubai") == "2026-01-03 03:00:00 +04:00");
}
