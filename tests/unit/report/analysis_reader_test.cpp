#include "report/analysis_reader.hpp"
#include "report/json_layout.hpp"
#include "report/timestamps.hpp"
#include "report/writer.hpp"
#include "tests/support/analysis_of.hpp"
#include "tests/support/sample_analysis.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <sstream>

using namespace callwitness;

namespace {

std::string json_of(const metrics::Analysis& analysis) {
  std::ostringstream out;
  report::write_json(analysis, out);
  return out.str();
}

/// Every form of report, so that whatever a page shows is compared.
std::string pages_of(const metrics::Analysis& analysis) {
  std::ostringstream out;
  report::write_html(analysis, {}, out);
  report::write_text(analysis, {}, out);
  report::write_markdown(analysis, {}, out);
  return out.str();
}

}  // namespace

TEST_CASE("an analysis read back gives the same pages as the one that was written", "[reader]") {
  const auto sample = test::sample_analysis("<b>&\"'\n");
  const auto read = report::read_analysis(json_of(sample), "sample");
  REQUIRE(read.has_value());
  CHECK(pages_of(read.value().analysis) == pages_of(sample));
}

TEST_CASE("an analysis of a real capture read back gives the same pages", "[reader]") {
  for (const char* name : {"sip-policed-48k", "mumble-tunnel-reset", "chromium-video"}) {
    const auto analysis = tests::analysis_of(std::string(SOURCE_DIR) + "/pcaps/" + name + "/capture.pcap.gz");
    REQUIRE(analysis.has_value());
    const auto read = report::read_analysis(json_of(*analysis), name);
    INFO(name);
    REQUIRE(read.has_value());
    REQUIRE_FALSE(read.value().analysis.classification.calls.empty());
    CHECK(pages_of(read.value().analysis) == pages_of(*analysis));
  }
}

TEST_CASE("what is no analysis is refused with a word", "[reader]") {
  for (const char* text : {"", "{", "[]", "null", "{}", "{\"schema_version\":\"3.0.0\",\"verdict\":{\"class\":\"clean\"}}", "{\"schema_version\":1,\"verdict\":{}}"}) {
    INFO(text);
    const auto read = report::read_analysis(text, "x.json");
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().kind == capture::Error::Kind::unreadable);
  }
}

TEST_CASE("an analysis nested without end or with findings without number is refused", "[reader]") {
  std::ostringstream out;
  report::write_json({}, out);
  const auto with = [&](const std::string& part) { return out.str().substr(0, out.str().rfind('}')) + ",\n\"more\": " + part + "}"; };
  CHECK(report::read_analysis(with("[[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[\"]]"), "x").has_value());
  CHECK(report::read_analysis(with(std::string(31, '[') + std::string(31, ']')), "x").has_value());
  CHECK_FALSE(report::read_analysis(with(std::string(32, '[') + std::string(32, ']')), "x").has_value());
  CHECK_FALSE(report::read_analysis(with(std::string(5'000'000, '[')), "x").has_value());
  const auto findings = [&](std::size_t count) {
    auto text = out.str();
    std::string records;
    for (std::size_t i = 0; i < count; ++i) records += i == 0 ? "{}" : ",{}";
    const std::string_view none = "\"findings\": []";
    const auto at = text.find(none);
    REQUIRE(at != std::string::npos);
    return report::read_analysis(text.replace(at, none.size(), "\"findings\": [" + records + "]"), "x").has_value();
  };
  CHECK(findings(10'000));
  CHECK_FALSE(findings(10'001));
}

TEST_CASE("a damaged or forged analysis never breaks a page", "[reader]") {
  const auto whole = json_of(test::sample_analysis("x"));
  std::mt19937 random(5);
  std::size_t readable = 0;
  for (int round = 0; round < 1200; ++round) {
    auto text = whole;
    for (int change = 0; change < 1 + round % 2; ++change) {
      const auto at = random() % text.size();
      static constexpr const char* pieces[] = {"null", "[]", "{}", "-1", "1e308", "99999999999999999999", "\"c9\"", "\"s0\"", "\"\"", "true", "0"};
      if (random() % 2 == 0) text[at] = static_cast<char>(random() % 256);
      else if (const auto colon = text.find(": ", at); colon != std::string::npos) {
        auto end = text.find_first_of(",\n", colon);
        text.replace(colon + 2, end - colon - 2, pieces[random() % std::size(pieces)]);
      }
    }
    const auto read = report::read_analysis(text, "x.json");
    if (!read) continue;
    ++readable;
    CHECK(pages_of(read.value().analysis).size() > 1000);
  }
  CHECK(readable > 200);
}

TEST_CASE("times survive writing and reading; what is no time doesn't") {
  for (const auto microseconds : {std::int64_t{0}, std::int64_t{1'717'225'200'123'456}, std::int64_t{-1}, std::int64_t{-1'000'000'000'000'001}}) {
    const capture::Time time{std::chrono::microseconds(microseconds)};
    CHECK(report::parse_rfc3339(report::rfc3339(time)) == time);
  }
  for (const char* text : {"", "2026-11-23", "2026-02-30T00:00:00.000000Z", "2026-11-23T24:00:00.000000Z", "9999-01-01T00:00:00.000000Z", "2026-11-23T00:00:00.00000xZ",
                           "0000-00-00T00:00:00.000000Z"})
    CHECK_FALSE(report::parse_rfc3339(text).has_value());
}

TEST_CASE("lists of plain values stand on one line, strings stay as they are") {
  CHECK(report::lists_on_one_line("{\n \"a\": [\n  1,\n  null,\n  \"x, [ y\\\"\"\n ],\n \"b\": [\n  {\n   \"c\": 1\n  }\n ]\n}") ==
        "{\n \"a\": [1,null,\"x, [ y\\\"\"],\n \"b\": [\n  {\n   \"c\": 1\n  }\n ]\n}");
  CHECK(report::lists_on_one_line("\"[\n]\"") == "\"[\n]\"");
}
