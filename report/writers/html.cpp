// One self-contained page that survives a hostile reader: no script, no external resource, every text off the wire encoded.
// Its parts follow the questions a sceptic asks, from "what?" to "how do I check it?".
#include "report/chart.hpp"
#include "report/embedded.hpp"
#include "report/encode.hpp"
#include "report/prose.hpp"
#include "report/timestamps.hpp"
#include "report/writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace callwitness::report {
namespace {

using metrics::Analysis;

constexpr std::size_t most_charts = 30, most_rows = 500;   ///< a page must open on a phone; analysis.json has all

class HtmlWriter {
 public:
  HtmlWriter(const Analysis& analysis, const WriteOptions& options, std::ostream& out)
      : analysis_(analysis), options_(options), prose_(options.language, Prose::Form::html), plain_(options.language), words_(prose_.catalogue()), out_(out) {}

  void write() {
    const auto title = word("title");
    out_ << "<!DOCTYPE html>\n<html lang=\"" << words_.language() << "\" dir=\"" << (words_.is_right_to_left() ? "rtl" : "ltr")
         << "\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
            "<meta name=\"referrer\" content=\"no-referrer\">\n<title>" << title << "</title>\n<style>\n" << embedded("report/templates/report.css")
         << "</style>\n</head>\n<body>\n<header><p>callwitness " << for_html(analysis_.provenance.version) << "</p>\n<h1>" << title << "</h1></header>\n<main>\n";
    verdict();
    happened();
    findings();
    calls();
    attempts();
    paragraph_section("control", "control.text");
    paragraph_section("repeatability", "repeat.one");
    method();
    custody();
    paragraph_section("privacy", "privacy.kept");
    reproduce();
    annex();
    out_ << "</main>\n<footer>" << word("verdict.caveat") << "</footer>\n</body>\n</html>\n";
  }

 private:
  std::string word(std::string_view key) const { return for_html(words_.text(key)); }
  std::string left_to_right(std::string_view text) const { return prose_.value(text); }
  std::string when(capture::Time time) const { return left_to_right(local_time(time, options_.time_zone)); }
  void heading(std::string_view key) { out_ << "<h2 id=\"" << key << "\">" << word("heading." + std::string(key)) << "</h2>\n"; }
  void paragraph_section(std::string_view name, std::string_view key) {
    heading(name);
    out_ << "<p>" << word(key) << "</p>\n";
  }
  void table(std::initializer_list<const char*> columns, std::size_t first_number = 99) {
    out_ << "<div class=\"scroll\"><table>\n<thead><tr>";
    std::size_t i = 0;
    for (const char* column : columns) out_ << (i++ >= first_number ? "<th scope=\"col\" class=\"n\">" : "<th scope=\"col\">") << word(std::string("column.") + column) << "</th>";
    out_ << "</tr></thead>\n<tbody>\n";
  }
  void end_table() { out_ << "</tbody></table></div>\n"; }
  void cell(const std::string& html) { out_ << "<td>" << html << "</td>"; }
  void number(const std::string& text) { out_ << "<td class=\"n\">" << (text.empty() ? "–" : left_to_right(text)) << "</td>"; }

  void verdict() {
    const auto& verdict = analysis_.verdict;
    const auto name = std::string(name_of(verdict.verdict_class));
    out_ << "<section class=\"verdict " << name << "\"><strong>" << word("class." + name) << "</strong>\n<p>" << prose_.summary(analysis_) << "</p>\n<p>" << prose_.standing(verdict)
         << "</p>\n<p class=\"note\">" << word("verdict.caveat") << "</p></section>\n";
    if (verdict.would_help.empty()) return;
    out_ << "<h3>" << word("help") << "</h3>\n<ul>";
    for (const auto& key : verdict.would_help) out_ << "<li>" << word("help." + key) << "</li>";
    out_ << "</ul>\n";
  }

  /// At most five lines.
  void happened() {
    heading("happened");
    std::optional<capture::Time> first, last;
    std::uint64_t packets = 0;
    for (const auto& capture : analysis_.captures) {
      packets += capture.packets;
      if (capture.first_time && (!first || *capture.first_time < *first)) first = capture.first_time;
      if (capture.last_time && (!last || *capture.last_time > *last)) last = capture.last_time;
    }
    out_ << "<ul>\n";
    if (first && last)
      out_ << "<li>" << words_.text("line.span", {{"start", when(*first)}, {"end", when(*last)}, {"zone", left_to_right(options_.time_zone)}}) << "</li>\n";
    const std::string comma = words_.is_right_to_left() ? "، " : ", ";
    out_ << "<li>" << words_.plural("count.captures", analysis_.captures.size()) << comma << words_.plural("count.packets", packets) << comma
         << words_.plural("count.calls", analysis_.classification.calls.size()) << comma << words_.plural("count.findings", analysis_.findings.size()) << "</li>\n";
    std::vector<const metrics::Finding*> surest;
    for (const auto& finding : analysis_.findings) surest.push_back(&finding);
    std::stable_sort(surest.begin(), surest.end(), [](const auto* a, const auto* b) { return a->confidence > b->confidence; });
    for (std::size_t i = 0; i < surest.size() && i < 3; ++i) out_ << "<li>" << prose_.finding(*surest[i]) << "</li>\n";
    out_ << "</ul>\n";
  }

  void findings() {
    heading("findings");
    if (analysis_.findings.empty()) out_ << "<p>" << word("none.findings") << "</p>\n";
    for (std::size_t i = 0; i < analysis_.findings.size() && i < most_rows; ++i) {
      const auto& finding = analysis_.findings[i];
      out_ << "<h3 id=\"f" << i + 1 << "\">" << left_to_right(fmt::format("f{}", i + 1)) << " " << word("kind." + finding.kind) << "</h3>\n<p>" << prose_.finding(finding) << "</p>\n<p class=\"note\">"
           << word("column.confidence") << ": " << left_to_right(fmt::format("{:.3f}", finding.confidence)) << " · " << when(finding.start_time) << " – " << when(finding.end_time) << "</p>\n";
      alternatives(finding);
      numbers(finding);
    }
  }

  void alternatives(const metrics::Finding& finding) {
    if (finding.alternatives.empty()) {
      return;
    }
    table({"explanation", "status", "reason"});
    for (const auto& alternative : finding.alternatives) {
      out_ << "<tr>";
      cell(word("alternative." + std::string(alternative.key)));
      cell("<b>" + word("status." + std::string(name_of(alternative.status))) + "</b>");
      std::string reason = for_html(plain_.reason(alternative));
      for (const auto& [key, value] : alternative.numbers) reason += " · " + left_to_right(key + " = " + number_text(value));
      cell(reason);
      out_ << "</tr>\n";
    }
    end_table();
  }

  void numbers(const metrics::Finding& finding) {
    if (finding.numbers.empty() && !finding.rate_bps && !finding.count) return;
    table({"quantity", "value"}, 1);
    const auto row = [&](const std::string& name, const std::string& value) {
      out_ << "<tr><td>" << left_to_right(name) << "</td>";
      number(value);
      out_ << "</tr>\n";
    };
    const auto interval = [](const std::optional<double>& low, const std::optional<double>& high) {
      return low && high ? " [" + number_text(*low) + ", " + number_text(*high) + "]" : std::string();
    };
    const auto whole = [](const std::optional<double>& value) { return value ? std::optional(std::round(*value)) : std::nullopt; };
    if (finding.rate_bps) row("rate_bps [95 %]", number_text(*whole(finding.rate_bps)) + interval(whole(finding.rate_bps_low), whole(finding.rate_bps_high)));
    if (finding.burst_bytes) row("burst_bytes", number_text(*whole(finding.burst_bytes)));
    if (finding.period_s) row("period_s [95 %]", number_text(*finding.period_s) + interval(finding.period_s_low, finding.period_s_high));
    if (finding.count) row("n (count)", std::to_string(*finding.count));
    for (const auto& [key, value] : finding.numbers) row(key, number_text(value));
    end_table();
  }

  void calls() {
    heading("calls");
    const auto& calls = analysis_.classification.calls;
    if (calls.empty()) out_ << "<p>" << word("none.calls") << "</p>\n";
    for (std::size_t i = 0; i < calls.size() && i < most_charts; ++i) {
      const auto& call = calls[i];
      out_ << "<h3>" << left_to_right(fmt::format("c{}", i + 1)) << " " << prose_.application(call.label.application) << "</h3>\n<p class=\"note\">" << left_to_right(call.local_endpoint.text() + " ↔ " + call.remote_endpoint.text())
           << " · " << when(call.start_time) << " · " << left_to_right(span_text(capture::seconds(call.end_time - call.start_time))) << " · " << word("column.ended") << " "
           << left_to_right(name_of(call.ended_by)) << " · " << word("column.confidence") << " " << left_to_right(fmt::format("{:.2f}", call.label.confidence)) << "</p>\n";
      out_ << chart_of(analysis_, call, plain_);
      streams(call);
    }
    if (calls.size() > most_charts) out_ << "<p>… " << left_to_right(std::to_string(calls.size() - most_charts)) << " (analysis.json)</p>\n";
  }

  void streams(const classify::Call& call) {
    table({"direction", "media", "packets", "expected", "lost", "loss", "bitrate", "jitter", "rtt", "mos"}, 2);
    for (const auto id : call.streams) {
      if (static_cast<std::size_t>(id) >= analysis_.streams.size()) continue;
      const auto& stream = analysis_.streams[static_cast<std::size_t>(id)];
      const auto& identity = analysis_.classification.streams[static_cast<std::size_t>(id)];
      out_ << "<tr>";
      cell(prose_.direction(stream.direction_known ? std::optional(stream.direction) : std::nullopt));
      cell(left_to_right(fmt::format("{} {}", name_of(identity.kind), stream.codec.empty() ? identity.codec : stream.codec)));
      number(std::to_string(stream.packets));
      number(stream.expected ? std::to_string(*stream.expected) : "");
      number(stream.lost ? std::to_string(*stream.lost) : "");
      number(stream.loss_ratio ? percent_text(*stream.loss_ratio) : "");
      number(stream.bitrate_bps ? rate_text(stream.bitrate_bps->mean) : "");
      number(stream.jitter_ms ? fmt::format("{:.2f} ms", *stream.jitter_ms) : "");
      number(stream.rtt_ms ? fmt::format("{:.1f} ms", *stream.rtt_ms) : "");
      number(stream.mos ? fmt::format("{:.2f}{}", *stream.mos, stream.mos_grounded ? "" : " ?") : "");
      out_ << "</tr>\n";
    }
    end_table();
  }

  void attempts() {
    const auto& attempts = analysis_.classification.attempts;
    if (attempts.empty()) return;
    heading("attempts");
    table({"from", "application", "stage", "target", "tries", "outcome"});
    for (std::size_t i = 0; i < attempts.size() && i < most_rows; ++i) {
      const auto& attempt = attempts[i];
      out_ << "<tr>";
      cell(when(attempt.first_time));
      cell(prose_.application(attempt.application));
      cell(left_to_right(name_of(attempt.stage)));
      cell(left_to_right(attempt.target.raw()));
      cell(left_to_right(std::to_string(attempt.tries)));
      cell(left_to_right(name_of(attempt.outcome)));
      out_ << "</tr>\n";
    }
    end_table();
  }

  void method() {
    heading("method");
    std::string options, local;
    for (const auto& option : analysis_.provenance.options) options += (options.empty() ? "" : " ") + option;
    for (const auto& address : analysis_.classification.vantage.local) local += (local.empty() ? "" : ", ") + address.text();
    out_ << "<p>" << word("method.text") << "</p>\n<p>"
         << words_.text("method.versions", {{"version", left_to_right(analysis_.provenance.version)},
                                            {"ndpi", analysis_.provenance.ndpi_version.empty() ? word("unknown") : left_to_right(analysis_.provenance.ndpi_version)},
                                            {"options", options.empty() ? word("method.none") : left_to_right(options)}})
         << "</p>\n<p>" << words_.text("method.vantage", {{"addresses", local.empty() ? word("unknown") : left_to_right(local)}}) << "</p>\n";
  }

  void custody() {
    heading("integrity");
    bool whole = true;
    for (const auto& capture : analysis_.captures) whole = whole && !capture.damaged && capture.dropped_by_capture.value_or(0) == 0 && capture.problems.empty();
    if (whole) out_ << "<p>" << word("integrity.whole") << "</p>\n";
    table({"file", "packets", "dropped", "truncated", "odd"});
    for (const auto& capture : analysis_.captures) {
      out_ << "<tr>";
      cell(left_to_right(capture.file.raw()));
      cell(left_to_right(std::to_string(capture.packets)));
      cell(capture.dropped_by_capture ? left_to_right(std::to_string(*capture.dropped_by_capture)) : word("integrity.untold"));
      cell(left_to_right(std::to_string(capture.truncated_packets)));
      std::string odd;
      for (const auto& problem : capture.problems) odd += left_to_right(problem) + "<br>";
      for (const auto& [name, count] : capture.anomalies.counts()) odd += left_to_right(fmt::format("{}: {}", name, count)) + "<br>";
      cell(odd.empty() ? "–" : odd);
      out_ << "</tr>\n";
    }
    end_table();
    heading("custody");
    table({"file", "size", "from", "duration"});
    for (const auto& capture : analysis_.captures) {
      out_ << "<tr>";
      cell(left_to_right(capture.file.raw()) + "<br><span class=\"hash\">" + left_to_right("SHA-256 " + capture.sha256) + "</span>");
      cell(left_to_right(fmt::format("{} B", capture.size_bytes)));
      cell(capture.first_time ? when(*capture.first_time) : "–");
      cell(capture.first_time && capture.last_time ? left_to_right(span_text(capture::seconds(*capture.last_time - *capture.first_time))) : "–");
      out_ << "</tr>\n";
    }
    end_table();
  }

  void reproduce() {
    heading("reproduce");
    std::string command = "callwitness analyze";
    for (const auto& option : analysis_.provenance.options) {
      const auto space = option.find(' ');
      command += space == std::string::npos ? " " + option : " " + option.substr(0, space) + " '" + option.substr(space + 1) + "'";
    }
    for (const auto& capture : analysis_.captures) command += " '" + std::string(capture.file.raw()) + "'";
    out_ << "<p>" << word("reproduce.text") << "</p>\n<pre dir=\"ltr\">" << for_html(visible(command, 4096)) << "\nsha256sum -c manifest-sha256.txt</pre>\n";
    if (analysis_.findings.empty()) return;
    table({"finding", "filter"});
    for (std::size_t i = 0; i < analysis_.findings.size() && i < most_rows; ++i) {
      const auto filter = display_filter(analysis_, analysis_.findings[i]);
      if (filter.empty()) continue;
      out_ << "<tr>";
      cell(left_to_right(fmt::format("f{}", i + 1)));
      cell("<code dir=\"ltr\">" + for_html(filter) + "</code>");
      out_ << "</tr>\n";
    }
    end_table();
  }

  void annex() {
    heading("annex");
    out_ << "<p>" << word("annex.text") << "</p>\n<table>\n";
    for (const char* field : {"operator", "plan", "access", "place", "times", "contact", "harm"})
      out_ << "<tr><th scope=\"row\">" << word(std::string("annex.") + field) << "</th><td class=\"blank\"></td></tr>\n";
    out_ << "</table>\n";
  }

  const Analysis& analysis_;
  const WriteOptions& options_;
  Prose prose_, plain_;
  const Catalogue& words_;
  std::ostream& out_;
};

}  // namespace

void write_html(const Analysis& analysis, const WriteOptions& options, std::ostream& out) { HtmlWriter(analysis, options, out).write(); }

}  // namespace callwitness::report
