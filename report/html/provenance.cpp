// Where the numbers come from, what became of the packets, and how a stranger checks both.
#include "metrics/verdict_thresholds.hpp"
#include "report/encode.hpp"
#include "report/html/sections.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace callwitness::report {
namespace {

using metrics::Analysis;

constexpr std::size_t longest_command = 8192;

/// An argument that a shell takes as it stands; others in quotes.
std::string quoted(std::string_view argument) {
  const bool plain = !argument.empty() && std::all_of(argument.begin(), argument.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::string_view("-_./:=,+").find(c) != std::string_view::npos;
  });
  if (plain) return std::string(argument);
  std::string out = "'";
  for (const char c : argument) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string command_of(const Analysis& analysis) {
  std::string command = "callwitness analyze";
  for (const auto& option : analysis.provenance.options) {
    const auto space = option.find(' ');
    command += space == std::string::npos ? " " + option : " " + option.substr(0, space) + " " + quoted(option.substr(space + 1));
  }
  for (const auto& capture : analysis.captures) command += " " + quoted(capture.file.raw());
  return command;
}

std::string file_cell(const Page& page, std::string_view name, std::string_view sha256) {
  return page.left_to_right(name) + "<br><span class=\"hash\">" + page.left_to_right(sha256.empty() ? std::string("–") : "SHA-256 " + std::string(sha256)) + "</span>";
}

}  // namespace

void write_method(Page& page, const Analysis& analysis) {
  page.heading("method");
  std::string options, local;
  for (const auto& option : analysis.provenance.options) options += (options.empty() ? "" : " ") + option;
  for (const auto& address : analysis.classification.vantage.local) local += (local.empty() ? "" : ", ") + address.text();
  page.paragraph("method.text");
  page.out << "<p>" << page.told("method.versions", {{"version", page.left_to_right("callwitness " + analysis.provenance.version)},
                                                     {"ndpi", page.left_to_right("nDPI " + (analysis.provenance.ndpi_version.empty() ? page.words.text("unknown") : analysis.provenance.ndpi_version))},
                                                     {"options", options.empty() ? page.word("method.none") : page.left_to_right(options)}})
           << "</p>\n<p>" << page.told("method.vantage", {{"addresses", local.empty() ? page.word("unknown") : page.left_to_right(local)}}) << "</p>\n";
  if (!analysis.verdict.smallest_detectable.empty()) page.out << "<p>" << page.prose.smallest(analysis.verdict, true) << "</p>\n";
  page.paragraph("method.thresholds");
  page.table({"quantity", "value"}, 1);
  const auto limit = [&](const char* key, const std::string& value) {
    page.row();
    page.cell(page.word(std::string("threshold.") + key));
    page.out << "<td class=\"n\">" << value << "</td>";
    page.end_row();
  };
  const auto number = [&](const char* unit, double value) { return page.left_to_right(fmt::format(fmt::runtime(unit), value)); };
  limit("media", number("{:.0f} s", metrics::shortest_call) + page.comma() + page.words.plural("count.packets", metrics::fewest_packets));
  limit("loss", number("{:.0f} %", 100 * metrics::impairing_loss));
  limit("window", number("{:.0f} %", 100 * metrics::impairing_window_loss));
  limit("delay", number("{:.0f} ms", metrics::impairing_delay_ms));
  limit("jitter", number("{:.0f} ms", metrics::impairing_jitter_ms));
  limit("cuts", number("{:.2f}", metrics::accusing_confidence));
  page.end_table();
}

void write_custody(Page& page, const Analysis& analysis) {
  page.heading("integrity");
  bool whole = true;
  for (const auto& capture : analysis.captures) whole = whole && !capture.damaged && capture.dropped_by_capture.value_or(0) == 0 && capture.problems.empty();
  if (whole) page.paragraph("integrity.whole");
  page.table({"file", "packets", "dropped", "truncated", "odd"});
  for (const auto& capture : analysis.captures) {
    page.row();
    page.cell(page.left_to_right(capture.file.raw()));
    page.cell(page.left_to_right(std::to_string(capture.packets)));
    page.cell(capture.dropped_by_capture ? page.left_to_right(std::to_string(*capture.dropped_by_capture)) : page.word("integrity.untold"));
    page.cell(page.left_to_right(std::to_string(capture.truncated_packets)));
    std::string odd;
    for (const auto& problem : capture.problems) odd += page.left_to_right(problem) + "<br>";
    for (const auto& [name, count] : capture.anomalies.counts()) odd += page.left_to_right(fmt::format("{}: {}", name, count)) + "<br>";
    page.cell(odd.empty() ? "–" : odd);
    page.end_row();
  }
  page.end_table();
  page.paragraph("integrity.note");
  page.heading("custody");
  page.table({"file", "size", "from", "duration"});
  for (const auto& capture : analysis.captures) {
    page.row();
    page.cell(file_cell(page, capture.file.raw(), capture.sha256));
    page.cell(page.left_to_right(fmt::format("{} B", capture.size_bytes)));
    page.cell(capture.first_time ? page.when(*capture.first_time) : "–");
    page.cell(capture.first_time && capture.last_time ? page.left_to_right(span_text(capture::seconds(*capture.last_time - *capture.first_time))) : "–");
    page.end_row();
  }
  page.end_table();
  if (const auto* bundle = page.bundle(); bundle != nullptr && !bundle->derived_from.empty()) {
    page.paragraph("custody.derived");
    page.table({"file", "size", "packets"}, 1);
    for (const auto& source : bundle->derived_from) {
      page.row();
      page.cell("<span class=\"hash\">" + page.left_to_right("SHA-256 " + source.sha256) + "</span>");
      page.number(fmt::format("{} B", source.size_bytes));
      page.number(std::to_string(source.packets));
      page.end_row();
    }
    page.end_table();
  }
  page.out << "<p>" << page.told("custody.tool", {{"version", page.left_to_right("callwitness " + analysis.provenance.version)}}) << "</p>\n";
  page.out << "<pre dir=\"ltr\">" << for_html(command_of(analysis), longest_command) << "</pre>\n";
  if (const auto* bundle = page.bundle())
    page.out << "<p>" << page.told(bundle->is_signed ? "custody.signed" : "custody.unsigned", {{"command", page.command("callwitness report --key KEY")}}) << "</p>\n";
}

void write_privacy(Page& page, const Analysis&) {
  page.heading("privacy");
  const auto* bundle = page.bundle();
  if (bundle == nullptr || !bundle->has_packets) return page.paragraph("privacy.kept");
  const auto count = [&](std::uint64_t n) { return page.left_to_right(std::to_string(n)); };
  if (!bundle->anonymised) {
    page.paragraph("privacy.kept");
    page.out << "<p>" << page.told("privacy.packets", {{"packets", count(bundle->packets)}, {"left_out", count(bundle->left_out)},
                                                      {"command", page.command("callwitness report --anonymise")}}) << "</p>\n";
    return;
  }
  page.paragraph("privacy.anonymised");
  page.out << "<p>" << page.told("privacy.removed", {{"packets", count(bundle->packets)}, {"cut", count(bundle->payloads_cut)}, {"names", count(bundle->names_replaced)},
                                                     {"emptied", count(bundle->emptied)}, {"left_out", count(bundle->left_out)}}) << "</p>\n";
  page.paragraph("privacy.remains");
  page.paragraph(bundle->changed.empty() ? "privacy.same" : "privacy.changed");
  if (bundle->changed.empty()) return;
  page.out << "<ul>";
  for (const auto& line : bundle->changed) page.out << "<li>" << page.left_to_right(line) << "</li>";
  page.out << "</ul>\n";
}

void write_reproduce(Page& page, const Analysis& analysis) {
  page.heading("reproduce");
  page.paragraph("reproduce.text");
  const auto* bundle = page.bundle();
  std::string commands;
  if (bundle == nullptr || !bundle->anonymised) commands += visible(command_of(analysis), longest_command) + "\n";
  if (bundle != nullptr) {
    commands += "sha256sum -c manifest-sha256.txt tagmanifest-sha256.txt\n";
    if (bundle->is_signed) commands += "minisign -Vm tagmanifest-sha256.txt -p signer.pub\n";
    commands += "callwitness verify .\n";
    if (bundle->has_packets) commands += "tshark -r data/evidence.pcapng -Y 'frame.comment contains \"callwitness\"' -T fields -e frame.number -e frame.comment\n";
  }
  page.out << "<pre dir=\"ltr\">";
  for (std::size_t at = 0; at < commands.size();) {
    const auto end = commands.find('\n', at);
    page.out << for_html(commands.substr(at, end - at), longest_command) << '\n';
    at = end + 1;
  }
  page.out << "</pre>\n";
  if (analysis.findings.empty()) return;
  page.table({"finding", "filter"});
  for (std::size_t i = 0; i < analysis.findings.size() && i < most_rows; ++i) {
    const auto filter = display_filter(analysis, analysis.findings[i]);
    if (filter.empty()) continue;
    page.row();
    page.cell("<a href=\"#f" + std::to_string(i + 1) + "\">" + page.left_to_right(fmt::format("f{}", i + 1)) + "</a>");
    std::string shown = "<code class=\"f\" dir=\"ltr\">" + for_html(filter, longest_command) + "</code>";
    if (bundle != nullptr && bundle->has_packets && !analysis.findings[i].packets.empty())
      shown += page.told("reproduce.marked", {{"filter", "<code dir=\"ltr\">" + for_html(fmt::format("frame.comment contains \"callwitness f{}:\"", i + 1)) + "</code>"}});
    page.cell(shown);
    page.end_row();
  }
  page.end_table();
}

void write_annex(Page& page) {
  page.heading("annex");
  page.out << "<p>" << page.word("annex.text") << "</p>\n<table class=\"form\"><tbody>\n";
  for (const char* field : {"name", "contact", "operator", "plan", "access", "equipment", "place", "times", "harm", "answer", "signature"})
    page.out << "<tr><th scope=\"row\">" << page.word(std::string("annex.") + field) << "</th><td class=\"blank\"></td></tr>\n";
  page.out << "</tbody></table>\n";
}

}  // namespace callwitness::report
