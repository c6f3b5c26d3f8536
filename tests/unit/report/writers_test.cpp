// Golden texts: `UPDATE_GOLDEN=1 build/dev/tests/unit_tests "[golden]"` writes them anew; look at the difference.
#include "report/prose.hpp"
#include "report/writer.hpp"
#include "tests/support/sample_analysis.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <vector>

using namespace callwitness;

namespace {

std::string written(const std::string& format, const metrics::Analysis& analysis, std::string_view language) {
  report::WriteOptions how;
  how.language = language;
  std::ostringstream out;
  if (format == "json") report::write_json(analysis, out);
  else if (format == "ndjson") report::write_ndjson(analysis, out);
  else if (format == "csv") report::write_csv(analysis, out);
  else if (format == "md") report::write_markdown(analysis, how, out);
  else if (format == "html") report::write_html(analysis, how, out);
  else report::write_text(analysis, how, out);
  return out.str();
}

/// Every tag that is opened is closed, in order. Void elements and the doctype aside.
std::string first_unbalanced(const std::string& html) {
  std::vector<std::string> open;
  for (auto at = html.find('<'); at != std::string::npos; at = html.find('<', at + 1)) {
    const auto end = html.find('>', at);
    if (end == std::string::npos) return "unclosed <";
    const std::string tag = html.substr(at + 1, end - at - 1), name = tag.substr(0, tag.find_first_of(" /\n", 1));
    if (tag[0] == '!' || tag.back() == '/' || name == "meta" || name == "br") continue;
    if (tag[0] != '/') open.push_back(name);
    else if (open.empty() || "/" + open.back() != tag) return tag;
    else open.pop_back();
  }
  return open.empty() ? "" : open.back();
}

}  // namespace

TEST_CASE("reports in three languages are as last approved", "[golden]") {
  const auto analysis = test::sample_analysis("");
  for (const std::string language : {"en", "fr", "ar"}) {
    for (const std::string format : {"txt", "html", "md", "json", "csv"}) {
      if (language != "en" && (format == "json" || format == "csv")) continue;
      const std::string path = std::string(SOURCE_DIR) + "/tests/golden/report." + language + "." + format;
      const auto now = written(format, analysis, language);
      if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(path, std::ios::binary) << now;
      std::ifstream file(path, std::ios::binary);
      const std::string approved((std::istreambuf_iterator<char>(file)), {});
      INFO(path);
      CHECK(now == approved);
    }
  }
}

TEST_CASE("hostile strings neither execute nor break any form of report") {
  const std::vector<std::string> strings = {"<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "\x1b]0;x\a\x1b[2J", "=cmd|' /C calc'!A0", "a\r\nb,\"c\"",
                                            "\xff\xfe\xe2\x80\xae", std::string("n\0l", 3), "../../etc/cron.d/x", "{{{title}}} {application} {", "]]></svg><svg onload=alert(1)>"};
  for (const auto& hostile : strings) {
    const auto analysis = test::sample_analysis(hostile);
    for (const std::string language : {"en", "ar"}) {
      const auto html = written("html", analysis, language);
      INFO(hostile);
      CHECK(first_unbalanced(html) == "");
      for (const char* bad : {"<script", "<img", " onload=alert(1)>", "http://", "https://"}) CHECK(html.find(bad) == std::string::npos);
    }
    for (const std::string format : {"txt", "html", "md", "csv", "json", "ndjson"}) {
      const auto text = written(format, analysis, "en");
      INFO(format << " " << hostile);
      CHECK(text.find('\x1b') == std::string::npos);
      CHECK(text.find('\a') == std::string::npos);
      CHECK(text.find('\0') == std::string::npos);
      CHECK(text.find('\xff') == std::string::npos);
      if (format != "json" && format != "ndjson") CHECK(text.find("\xe2\x80\xae") == std::string::npos);
      CHECK(written(format, analysis, "en") == text);
    }
    CHECK(written("csv", analysis, "en").find("\"=") == std::string::npos);
  }
}

TEST_CASE("every CSV row has the header's columns") {
  std::istringstream lines(written("csv", test::sample_analysis(""), "en"));
  std::string line;
  std::size_t columns = 0;
  while (std::getline(lines, line)) {
    const auto count = static_cast<std::size_t>(std::count(line.begin(), line.end(), ','));
    if (columns == 0) columns = count;
    CHECK(count == columns);
  }
}

TEST_CASE("no sentence of ours is cut on the page") {   // what strangers wrote is
  const auto analysis = test::sample_analysis("");
  for (const std::string language : {"en", "fr", "ar"}) {
    const auto message = report::Catalogue(language).text("control.how");
    const auto html = written("html", analysis, language);
    CHECK(html.find(message.substr(message.size() - 20)) != std::string::npos);
    CHECK(html.find("…") == std::string::npos);
  }
}

TEST_CASE("jitter, which names streams only, has a display filter, too") {
  auto analysis = test::sample_analysis("");
  metrics::Finding jitter;
  jitter.kind = metrics::FindingKind::jitter;
  jitter.streams = {metrics::StreamId{1}};
  CHECK(report::display_filter(analysis, jitter) == "(ip.addr == 203.0.113.9 && ip.addr == 192.168.1.5 && udp.port == 17204 && udp.port == 40000)");
}

TEST_CASE("a page says whether its bundle is signed, and gives no command that can't work") {
  const auto analysis = test::sample_analysis("");
  for (const bool is_signed : {false, true}) {
    report::BundleFacts facts;
    facts.is_signed = is_signed;
    report::WriteOptions how;
    how.bundle = &facts;
    std::ostringstream out;
    report::write_html(analysis, how, out);
    CHECK((out.str().find("minisign -V") != std::string::npos) == is_signed);
    CHECK((out.str().find("is not signed") != std::string::npos) == !is_signed);
  }
}

TEST_CASE("a finding comes with the display filter that checks it") {
  const auto analysis = test::sample_analysis("");
  CHECK(report::display_filter(analysis, analysis.findings[0]) == "(ip.addr == 192.168.1.5 && ip.addr == 203.0.113.9 && udp.port == 40000 && udp.port == 17204)");
}
