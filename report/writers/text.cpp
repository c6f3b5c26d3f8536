// What a person reads on a terminal: the verdict first, then the calls, then how each finding can be doubted.
#include "report/encode.hpp"
#include "report/prose.hpp"
#include "report/text_table.hpp"
#include "report/timeline.hpp"
#include "report/timestamps.hpp"
#include "report/writer.hpp"
#include "report/writers/text_detail.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace callwitness::report {
namespace {

using metrics::Analysis;

constexpr std::size_t longest_codec = 16;
constexpr std::size_t most_calls = 40;   ///< a terminal is no place for a thousand; JSON has them all

class TextWriter {
 public:
  TextWriter(const Analysis& analysis, const WriteOptions& options, std::ostream& out)
      : analysis_(analysis), options_(options), prose_(options.language), words_(prose_.catalogue()), out_(out) {}

  void write() {
    verdict();
    calls();
    attempts();
    findings();
    integrity();
  }

 private:
  std::string bold(std::string text) const { return options_.colour ? "\033[1m" + text + "\033[0m" : text; }
  void heading(std::string_view key) { out_ << '\n' << bold(words_.text(std::string("heading.") + std::string(key))) << '\n'; }

  /// Breaks at spaces; counts code points.
  void wrapped(std::string_view text, std::string_view indent) {
    std::size_t column = 0;
    for (std::size_t at = 0; at < text.size();) {
      auto end = std::min(text.find(' ', at), text.size());
      const auto word = text.substr(at, end - at);
      const auto width = code_points(word);
      if (column != 0 && column + 1 + width > static_cast<std::size_t>(options_.width)) {
        out_ << '\n';
        column = 0;
      }
      if (column == 0) {
        out_ << indent;
        column = indent.size();
      } else {
        out_ << ' ';
        ++column;
      }
      out_ << word;
      column += width;
      at = end + 1;
    }
    out_ << '\n';
  }

  void verdict() {
    const auto& verdict = analysis_.verdict;
    static constexpr std::string_view colours[] = {"31", "35", "33", "32", "36"};
    const auto label = words_.text("class." + std::string(name_of(verdict.verdict_class)));
    out_ << (options_.colour ? fmt::format("\033[1;{}m{}\033[0m", colours[static_cast<std::size_t>(verdict.verdict_class)], label) : label) << '\n';
    wrapped(prose_.summary(analysis_), "  ");
    wrapped(prose_.standing(verdict), "  ");
    wrapped(words_.text("verdict.caveat"), "  ");
    const bool helps = verdict.verdict_class <= metrics::VerdictClass::impaired;
    if (verdict.would_help.empty() || !helps) return;
    wrapped(words_.text("help") + words_.text("colon"), "  ");
    for (const auto& key : verdict.would_help) wrapped(words_.text("help." + key), "    ");
    wrapped(words_.text("help.how", {{"compare", "callwitness compare --baseline A --suspect B"}, {"report", "callwitness report A B --each -o DIR"}}), "    ");
  }

  static std::string sparkline(const Timeline::Values& values, double top) {
    static constexpr std::string_view blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    std::string line;
    for (const auto& value : values) {
      if (!value) line += ' ';
      else line += blocks[top <= 0 ? 0 : static_cast<std::size_t>(std::clamp(*value / top * 7.999, 0.0, 7.0))];
    }
    return line;
  }

  std::vector<std::string> stream_row(const metrics::StreamMeasures& stream) const {
    const auto number = [](const auto& value, const char* format) { return value ? fmt::format(fmt::runtime(format), *value) : std::string("-"); };
    const auto& identity = analysis_.classification.streams[static_cast<std::size_t>(stream.id)];
    const std::string codec = stream.codec.empty() ? identity.codec : stream.codec;
    return {stream.direction_known ? prose_.direction(stream.direction) : "?",
            prose_.media(identity.kind),
            codec.empty() ? "-" : visible(codec, longest_codec),
            std::to_string(stream.packets),
            stream.bitrate_bps ? fmt::format("{:.1f}", stream.bitrate_bps->mean / 1e3) : "-",
            number(stream.lost, "{}"),
            stream.loss_ratio ? percent_text(*stream.loss_ratio) : "-",
            number(stream.jitter_ms, "{:.2f}"),
            number(stream.rtt_ms, "{:.1f}"),
            stream.mos ? fmt::format("{:.2f}{}", *stream.mos, stream.mos_grounded ? "" : "?") : "-"};
  }

  void stream_table(const std::vector<std::vector<std::string>>& rows, const std::vector<const metrics::StreamMeasures*>& streams) {
    std::istringstream lines(text_table(rows, 3, "    "));
    std::string line;
    for (std::size_t i = 0; std::getline(lines, line); ++i) {
      out_ << line << '\n';
      if (options_.verbose && i > 0) wrapped(stream_detail(*streams[i - 1], analysis_.classification.streams[static_cast<std::size_t>(streams[i - 1]->id)]), "      ");
    }
  }

  void sparklines(const classify::Call& call) {
    const auto timeline = timeline_of(analysis_, call, static_cast<std::size_t>(std::max(20, options_.width - 44)));
    std::vector<std::vector<std::string>> rows;
    for (std::size_t d = 0; d < 2; ++d) {
      const auto highest = [](const Timeline::Values& values) {
        double top = -1;
        for (const auto& value : values) top = std::max(top, value.value_or(-1));
        return top;
      };
      const double rate = highest(timeline.bitrate[d]), loss = highest(timeline.loss[d]);
      const auto name = prose_.direction(static_cast<metrics::Direction>(d));
      if (rate >= 0) rows.push_back({name, "kbit/s", fmt::format("{} {:.0f}", sparkline(timeline.bitrate[d], rate), rate)});
      if (loss > 0) rows.push_back({name, words_.text("column.loss") + " %", fmt::format("{} {:.1f}", sparkline(timeline.loss[d], loss), loss)});
    }
    out_ << text_table(rows, 3, "    ");
  }

  void calls() {
    const auto& calls = analysis_.classification.calls;
    heading("calls");
    if (calls.empty()) out_ << "  " << words_.text("none.calls") << '\n';
    for (std::size_t i = 0; i < calls.size() && i < most_calls; ++i) {
      const auto& call = calls[i];
      out_ << fmt::format("  c{}  {}  {} ↔ {}  {}  {}  ({} {})\n", static_cast<std::uint32_t>(call.id) + 1, prose_.application(call.label.application), call.local_endpoint.text(),
                          call.remote_endpoint.text(), local_time(call.start_time, options_.time_zone), span_text(capture::seconds(call.end_time - call.start_time)),
                          words_.text("column.ended"), prose_.ending(call.ended_by));
      std::vector<std::vector<std::string>> rows = {{"", "", words_.text("column.codec"), words_.text("column.packets"), "kbit/s", words_.text("column.lost"), words_.text("column.loss"),
                                                     words_.text("column.jitter") + " ms", words_.text("column.rtt") + " ms", "MOS"}};
      std::vector<const metrics::StreamMeasures*> streams;
      for (const auto id : call.streams)
        if (static_cast<std::size_t>(id) < analysis_.streams.size()) streams.push_back(&analysis_.streams[static_cast<std::size_t>(id)]);
      for (const auto* stream : streams) rows.push_back(stream_row(*stream));
      stream_table(rows, streams);
      sparklines(call);
    }
    if (calls.size() > most_calls) out_ << "  … " << words_.text("text.more", {{"n", std::to_string(calls.size() - most_calls)}}) << '\n';
  }

  void attempts() {
    const auto& attempts = analysis_.classification.attempts;
    const auto failed = std::count_if(attempts.begin(), attempts.end(), [](const auto& a) { return a.outcome != classify::Attempt::Outcome::answered && a.superseded < a.tries; });
    if (failed == 0) return;
    heading("attempts");
    std::vector<std::vector<std::string>> rows;
    for (const auto& attempt : attempts) {
      if (attempt.outcome == classify::Attempt::Outcome::answered || attempt.superseded >= attempt.tries) continue;
      rows.push_back({local_time(attempt.first_time, options_.time_zone), prose_.application(attempt.application), prose_.step(attempt),
                      fmt::format("{} ×{}", words_.text("outcome." + std::string(name_of(attempt.outcome))), attempt.tries), for_terminal(attempt.target)});
    }
    out_ << text_table(rows, 5, "  ");
  }

  void findings() {
    heading("findings");
    if (analysis_.findings.empty()) out_ << "  " << words_.text("none.findings") << '\n';
    for (std::size_t i = 0; i < analysis_.findings.size(); ++i) {
      const auto& finding = analysis_.findings[i];
      out_ << fmt::format("  f{}  {}  {} {:.3f}  {} – {}\n", i + 1, words_.text("kind." + std::string(name_of(finding.kind))), words_.text("column.confidence"), finding.confidence,
                          local_time(finding.start_time, options_.time_zone), local_time(finding.end_time, options_.time_zone));
      wrapped(prose_.finding(finding), "      ");
      for (const auto& alternative : finding.alternatives)
        wrapped(fmt::format("{}{}{} ({})", sentence_case(words_.text("alternative." + std::string(alternative.key))), words_.text("colon"), words_.text("status." + std::string(name_of(alternative.status))),
                            prose_.reason(alternative)), "        ");
      if (const auto detail = finding_detail(finding); options_.verbose && !detail.empty()) wrapped(detail, "        ");
      if (const auto filter = display_filter(analysis_, finding); !filter.empty()) wrapped("Wireshark: " + filter, "        ");
    }
  }

  void integrity() {
    heading("integrity");
    for (const auto& capture : analysis_.captures) {
      out_ << "  " << for_terminal(capture.file) << "  " << capture.format << "  " << words_.plural("count.packets", capture.packets);
      if (capture.first_time && capture.last_time) out_ << "  " << span_text(capture::seconds(*capture.last_time - *capture.first_time));
      out_ << "  " << words_.text("column.dropped") << words_.text("colon") << (capture.dropped_by_capture ? std::to_string(*capture.dropped_by_capture) : words_.text("integrity.untold")) << '\n';
      if (!capture.sha256.empty()) out_ << "    SHA-256 " << capture.sha256 << '\n';
      if (capture.truncated_packets != 0) wrapped(words_.text("integrity.cut_short", {{"n", std::to_string(capture.truncated_packets)}}), "    ");
      for (const auto& problem : capture.problems) wrapped(for_terminal(problem), "    ! ");
      for (const auto& [name, count] : capture.anomalies.counts()) out_ << "    " << name << ": " << count << '\n';
    }
  }

  const Analysis& analysis_;
  const WriteOptions& options_;
  Prose prose_;
  const Catalogue& words_;
  std::ostream& out_;
};

}  // namespace

void write_text(const Analysis& analysis, const WriteOptions& options, std::ostream& out) { TextWriter(analysis, options, out).write(); }

}  // namespace callwitness::report
