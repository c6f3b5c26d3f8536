#include "report/encode.hpp"
#include "report/html/chart.hpp"
#include "report/html/sections.hpp"
#include "report/timeline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace callwitness::report {
namespace {

using metrics::Analysis;

constexpr std::size_t table_bins = 12, most_tables = 10;

void streams(Page& page, const Analysis& analysis, const classify::Call& call) {
  page.table({"direction", "media", "packets", "expected", "lost", "loss", "bitrate", "jitter", "rtt", "mos"}, 2);
  for (const auto id : call.streams) {
    if (static_cast<std::size_t>(id) >= analysis.streams.size()) continue;
    const auto& stream = analysis.streams[static_cast<std::size_t>(id)];
    const auto& identity = analysis.classification.streams[static_cast<std::size_t>(id)];
    page.row();
    page.cell(page.prose.direction(stream.direction_known ? std::optional(stream.direction) : std::nullopt));
    const auto& codec = stream.codec.empty() ? identity.codec : stream.codec;
    page.cell(for_html(page.plain.media(identity.kind)) + (codec.empty() ? "" : " " + page.left_to_right(codec)));
    page.number(std::to_string(stream.packets));
    page.number(stream.expected ? std::to_string(*stream.expected) : "");
    page.number(stream.lost ? std::to_string(*stream.lost) : "");
    page.number(stream.loss_ratio ? percent_text(*stream.loss_ratio) : "");
    page.number(stream.bitrate_bps ? rate_text(stream.bitrate_bps->mean) : "");
    page.number(stream.jitter_ms ? fmt::format("{:.2f} ms", *stream.jitter_ms) : "");
    page.number(stream.rtt_ms ? fmt::format("{:.1f} ms", *stream.rtt_ms) : "");
    page.number(stream.mos ? fmt::format("{:.2f}{}", *stream.mos, stream.mos_grounded ? "" : " ?") : "");
    page.end_row();
  }
  page.end_table();
}

/// What nDPI says of the call's flows, whether it agrees or not.
std::string opinions(const Page& page, const classify::Call& call) {
  std::string list;
  for (const auto& opinion : call.ndpi) list += (list.empty() ? "" : page.comma()) + page.left_to_right(opinion.label) + " (" + page.word("ndpi." + std::string(opinion.certainty)) + ")";
  return list.empty() ? list : " · " + page.told("ndpi.opinion", {{"opinion", list}});
}

/// What the pictures show, for those who can't see them or don't trust them.
void intervals(Page& page, const Analysis& analysis, const classify::Call& call) {
  const auto timeline = timeline_of(analysis, call, table_bins);
  const auto known = [](const Timeline::Values& values) { return std::any_of(values.begin(), values.end(), [](const auto& value) { return value.has_value(); }); };
  if (!known(timeline.bitrate[0]) && !known(timeline.bitrate[1])) return;
  page.out << "<p class=\"note\">" << page.word("numbers.intervals") << "</p>\n";
  page.table({"interval", "rate_sent", "rate_received", "loss_sent", "loss_received", "delay_sent", "delay_received"}, 1);
  const auto shown = [](const std::optional<double>& value, const char* unit) { return value ? fmt::format("{:.1f} {}", *value, unit) : std::string(); };
  for (std::size_t i = 0; i < timeline.bitrate[0].size(); ++i) {
    const double from = static_cast<double>(i) * timeline.step;
    page.row();
    page.cell(page.left_to_right(fmt::format("{}–{}", clock_text(std::llround(from)), clock_text(std::llround(std::min(from + timeline.step, std::max(timeline.seconds, from)))))));
    for (const auto& values : timeline.bitrate) page.number(shown(values[i], "kbit/s"));
    for (const auto& values : timeline.loss) page.number(shown(values[i], "%"));
    for (const auto& values : timeline.delay) page.number(shown(values[i], "ms"));
    page.end_row();
  }
  page.end_table();
}

std::string control_value(std::string_view metric, const std::optional<double>& value) {
  return !value ? "" : metric == "bitrate_bps" ? rate_text(*value) : percent_text(*value);
}

std::string effect_of(const metrics::ControlMeasure& measure) {
  if (!measure.effect || !measure.effect_low || !measure.effect_high) return {};
  if (measure.metric == "bitrate_bps") return fmt::format("× {:.2f} [{:.2f}, {:.2f}]", *measure.effect, *measure.effect_low, *measure.effect_high);
  return fmt::format("{:+.2f} [{:+.2f}, {:+.2f}] pp", 100 * *measure.effect, 100 * *measure.effect_low, 100 * *measure.effect_high);
}

}  // namespace

void write_calls(Page& page, const Analysis& analysis) {
  page.heading("calls");
  const auto& calls = analysis.classification.calls;
  if (calls.empty()) page.paragraph("none.calls");
  for (std::size_t i = 0; i < calls.size() && i < most_charts; ++i) {
    const auto& call = calls[i];
    page.out << "<h3 id=\"c" << i + 1 << "\">" << page.left_to_right(fmt::format("c{}", i + 1)) << " " << page.prose.application(call.label.application) << "</h3>\n<p class=\"note\">"
             << page.left_to_right(call.local_endpoint.text() + " ↔ " + call.remote_endpoint.text()) << " · " << page.when(call.start_time) << " · "
             << page.left_to_right(span_text(capture::seconds(call.end_time - call.start_time))) << " · " << page.word("column.ended") << " "
             << for_html(page.plain.ending(call.ended_by)) << " · " << page.word("recognised") << " "
             << page.left_to_right(fmt::format("{:.2f}", call.label.confidence)) << opinions(page, call) << "</p>\n";
    page.out << chart_of(analysis, call, page.plain);
    streams(page, analysis, call);
    if (i < most_tables) intervals(page, analysis, call);
  }
  if (calls.size() > most_charts) page.out << "<p>… " << page.left_to_right(fmt::format("+{} (analysis.json)", calls.size() - most_charts)) << "</p>\n";
}

void write_control(Page& page, const Analysis& analysis) {
  page.heading("control");
  if (analysis.controls.empty()) return page.paragraph("control.none");
  page.paragraph("control.text");
  page.table({"call", "direction", "quantity", "of_call", "of_others", "n", "effect"}, 3);
  for (std::size_t i = 0; i < analysis.controls.size() && i < most_rows; ++i) {
    const auto& measure = analysis.controls[i];
    page.row();
    page.cell(page.left_to_right(fmt::format("c{}", static_cast<std::uint32_t>(measure.call) + 1)));
    page.cell(page.prose.direction(measure.direction));
    page.cell(page.word("metric." + std::string(measure.metric)));
    page.number(control_value(measure.metric, measure.call_value));
    page.number(control_value(measure.metric, measure.control_value));
    page.number(fmt::format("{} / {}", measure.n_call, measure.n_control));
    page.number(effect_of(measure));
    page.end_row();
  }
  page.end_table();
  page.out << "<p class=\"note\">" << page.word("control.how") << "</p>\n";
}

}  // namespace callwitness::report
