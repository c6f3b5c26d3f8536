// What a person reads on a terminal: the verdict first, then the calls, then how each finding can be doubted.
#include "report/encode.hpp"
#include "report/prose.hpp"
#include "report/timeline.hpp"
#include "report/timestamps.hpp"
#include "report/writer.hpp"
#include "report/writers/text_detail.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace callwitness::report {
namespace {

using metrics::Analysis;

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
      const auto width = static_cast<std::size_t>(std::count_if(word.begin(), word.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
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
    static constexpr std::string_view colours[] = {"31", "33", "32", "36"};
    const auto label = words_.text("class." + std::string(name_of(verdict.verdict_class)));
    out_ << (options_.colour ? fmt::format("\033[1;{}m{}\033[0m", colours[static_cast<std::size_t>(verdict.verdict_class)], label) : label) << '\n';
    wrapped(prose_.summary(analysis_), "  ");
    wrapped(prose_.standing(verdict), "  ");
    wrapped(words_.text("verdict.caveat"), "  ");
    if (!verdict.would_help.empty() && verdict.verdict_class != metrics::VerdictClass::clean) {
      out_ << "  " << words_.text("help") << ":\n";
      for (const auto& key : verdict.would_help) wrapped(words_.text("help." + key), "    ");
    }
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

  void stream_row(const metrics::StreamMeasures& stream) {
    const auto number = [](const auto& value, const char* format) { return value ? fmt::format(fmt::runtime(format), *value) : std::string("-"); };
    const auto& identity = analysis_.classification.streams[static_cast<std::size_t>(stream.id)];
    const auto direction = stream.direction_known ? std::optional(stream.direction) : std::nullopt;
    const std::string codec = stream.codec.empty() ? identity.codec : stream.codec;
    out_ << fmt::format("    {:<9.9} {:<6} {:<8.8} {:>8} {:>8} {:>8} {:>9} {:>9} {:>8} {:>5}\n", direction ? prose_.direction(direction) : "?",
                        name_of(identity.kind), codec.empty() ? "-" : visible(codec), stream.packets,
                        stream.bitrate_bps ? fmt::format("{:.1f}", stream.bitrate_bps->mean / 1e3) : "-", number(stream.lost, "{}"),
                        stream.loss_ratio ? percent_text(*stream.loss_ratio) : "-", number(stream.jitter_ms, "{:.2f}"), number(stream.rtt_ms, "{:.1f}"),
                        stream.mos ? fmt::format("{:.2f}{}", *stream.mos, stream.mos_grounded ? "" : "?") : "-");
    if (options_.verbose) wrapped(stream_detail(stream, identity), "      ");
  }

  void sparklines(const classify::Call& call) {
    const auto timeline = timeline_of(analysis_, call, static_cast<std::size_t>(std::max(20, options_.width - 44)));
    for (std::size_t d = 0; d < 2; ++d) {
      const auto highest = [](const Timeline::Values& values) {
        double top = -1;
        for (const auto& value : values) top = std::max(top, value.value_or(-1));
        return top;
      };
      const double rate = highest(timeline.bitrate[d]), loss = highest(timeline.loss[d]);
      const auto name = prose_.direction(static_cast<metrics::Direction>(d));
      if (rate >= 0) out_ << fmt::format("    {:<9} kbit/s  {} {:.0f}\n", name, sparkline(timeline.bitrate[d], rate), rate);
      if (loss > 0) out_ << fmt::format("    {:<9} loss %  {} {:.1f}\n", name, sparkline(timeline.loss[d], loss), loss);
    }
  }

  void calls() {
    const auto& calls = analysis_.classification.calls;
    heading("calls");
    if (calls.empty()) out_ << "  " << words_.text("none.calls") << '\n';
    for (std::size_t i = 0; i < calls.size() && i < most_calls; ++i) {
      const auto& call = calls[i];
      out_ << fmt::format("  c{}  {}  {} ↔ {}  {}  {}  ({})\n", static_cast<std::uint32_t>(call.id) + 1, prose_.application(call.label.application), call.local_endpoint.text(),
                          call.remote_endpoint.text(), local_time(call.start_time, options_.time_zone), span_text(capture::seconds(call.end_time - call.start_time)),
                          name_of(call.ended_by));
      out_ << fmt::format("    {:<9} {:<6} {:<8} {:>8} {:>8} {:>8} {:>9} {:>9} {:>8} {:>5}\n", "", "", "codec", "packets", "kbit/s", "lost", "loss", "jitter ms", "RTT ms", "MOS");
      for (const auto id : call.streams)
        if (static_cast<std::size_t>(id) < analysis_.streams.size()) stream_row(analysis_.streams[static_cast<std::size_t>(id)]);
      sparklines(call);
    }
    if (calls.size() > most_calls) out_ << fmt::format("  … {} more: --format json lists them all\n", calls.size() - most_calls);
  }

  void attempts() {
    const auto& attempts = analysis_.classification.attempts;
    const auto failed = std::count_if(attempts.begin(), attempts.end(), [](const auto& a) { return a.outcome != classify::Attempt::Outcome::answered; });
    if (failed == 0) return;
    heading("attempts");
    for (const auto& attempt : attempts) {
      if (attempt.outcome == classify::Attempt::Outcome::answered) continue;
      out_ << fmt::format("  {}  {:<14} {:<10} {:<10} ×{:<4} {}\n", local_time(attempt.first_time, options_.time_zone), attempt.application,
                          name_of(attempt.stage), name_of(attempt.outcome), attempt.tries, for_terminal(attempt.target));
    }
  }

  void findings() {
    heading("findings");
    if (analysis_.findings.empty()) out_ << "  " << words_.text("none.findings") << '\n';
    for (std::size_t i = 0; i < analysis_.findings.size(); ++i) {
      const auto& finding = analysis_.findings[i];
      out_ << fmt::format("  f{}  {}  {} {:.3f}  {} – {}\n", i + 1, words_.text("kind." + finding.kind), words_.text("column.confidence"), finding.confidence,
                          local_time(finding.start_time, options_.time_zone), local_time(finding.end_time, options_.time_zone));
      wrapped(prose_.finding(finding), "      ");
      for (const auto& alternative : finding.alternatives)
        wrapped(fmt::format("{}: {} ({})", words_.text("alternative." + std::string(alternative.key)), words_.text("status." + std::string(name_of(alternative.status))),
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
      out_ << "  " << words_.text("column.dropped") << ": " << (capture.dropped_by_capture ? std::to_string(*capture.dropped_by_capture) : words_.text("integrity.untold"));
      if (capture.truncated_packets != 0) out_ << "  " << words_.text("column.truncated") << ": " << capture.truncated_packets;
      out_ << '\n';
      if (!capture.sha256.empty()) out_ << "    SHA-256 " << capture.sha256 << '\n';
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
