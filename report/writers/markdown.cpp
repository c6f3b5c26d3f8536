#include "report/encode.hpp"
#include "report/prose.hpp"
#include "report/timestamps.hpp"
#include "report/writer.hpp"

#include <fmt/format.h>

namespace callwitness::report {

void write_markdown(const metrics::Analysis& analysis, const WriteOptions& options, std::ostream& out) {
  const Prose prose(options.language);
  const auto& words = prose.catalogue();
  const auto column = [&](const char* key) { return words.text(std::string("column.") + key); };
  out << "# " << words.text("title") << "\n\n**" << words.text("class." + std::string(name_of(analysis.verdict.verdict_class))) << "** "
      << for_markdown(prose.summary(analysis)) << "\n\n" << for_markdown(prose.standing(analysis.verdict)) << "\n\n" << words.text("verdict.caveat") << "\n\n";
  out << "## " << words.text("heading.calls") << "\n\n";
  if (analysis.classification.calls.empty()) out << words.text("none.calls") << "\n\n";
  else out << fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} |\n|---|---|---|---|---:|---:|---:|---:|\n", column("call"), column("application"), column("from"), column("direction"),
                          column("packets"), column("lost"), column("loss"), column("jitter"));
  for (const auto& call : analysis.classification.calls) {
    for (const auto id : call.streams) {
      if (static_cast<std::size_t>(id) >= analysis.streams.size()) continue;
      const auto& stream = analysis.streams[static_cast<std::size_t>(id)];
      out << fmt::format("| c{} | {} | {} | {} | {} | {} | {} | {} |\n", static_cast<std::uint32_t>(call.id) + 1, for_markdown(prose.application(call.label.application)),
                         local_time(stream.start_time, options.time_zone), prose.direction(stream.direction_known ? std::optional(stream.direction) : std::nullopt), stream.packets,
                         stream.lost ? std::to_string(*stream.lost) : "", stream.loss_ratio ? percent_text(*stream.loss_ratio) : "",
                         stream.jitter_ms ? fmt::format("{:.2f} ms", *stream.jitter_ms) : "");
    }
  }
  out << "\n## " << words.text("heading.findings") << "\n\n";
  if (analysis.findings.empty()) out << words.text("none.findings") << "\n\n";
  for (const auto& finding : analysis.findings) {
    out << "- **" << words.text("kind." + std::string(name_of(finding.kind))) << fmt::format("** ({:.3f}) ", finding.confidence) << for_markdown(prose.finding(finding)) << '\n';
    for (const auto& alternative : finding.alternatives)
      out << "  - " << sentence_case(words.text("alternative." + std::string(alternative.key))) << words.text("colon") << words.text("status." + std::string(name_of(alternative.status))) << " ("
          << for_markdown(prose.reason(alternative)) << ")\n";
    if (const auto filter = display_filter(analysis, finding); !filter.empty()) out << "  - " << column("filter") << words.text("colon") << "`" << visible(filter, 4096) << "`\n";
  }
  out << "\n## " << words.text("heading.custody") << "\n\n";
  for (const auto& capture : analysis.captures)
    out << "- " << for_markdown(capture.file) << ", " << words.plural("count.packets", capture.packets) << ", SHA-256 `" << capture.sha256 << "`\n";
}

}  // namespace callwitness::report
