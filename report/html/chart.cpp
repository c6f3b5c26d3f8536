#include "report/html/chart.hpp"

#include "report/encode.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace callwitness::report {
namespace {

constexpr double width = 900, left = 62, right = 12, top = 14, bottom = 26;
constexpr std::size_t bins = 300;

struct Panel {
  double height;
  double highest;   ///< value at the top
  double seconds;
  double x(double second) const { return left + (width - left - right) * (seconds <= 0 ? 0 : std::clamp(second / seconds, 0.0, 1.0)); }
  double y(double value) const { return top + (height - top - bottom) * (1 - std::clamp(value / highest, 0.0, 1.0)); }
};

double highest_of(const Timeline::Values (&values)[2]) {
  double highest = -1;
  for (const auto& direction : values)
    for (const auto& value : direction) highest = std::max(highest, value.value_or(-1));
  return highest;
}

/// 1, 2 or 5 times a power of ten, not below `value`.
double round_up(double value) {
  if (value <= 0) return 1;
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double step : {1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 8.0, 10.0})
    if (step * power >= value) return step * power;
  return 10 * power;
}

/// The finest of the steps that people count by with at most seven labels.
long long step_of(double seconds) {
  constexpr double most_labels = 7;
  for (const long long step : {1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200})
    if (seconds <= most_labels * static_cast<double>(step)) return step;
  return 86400 * static_cast<long long>(std::ceil(seconds / 86400 / most_labels));
}

/// Every second label is "m", minor: a phone's page leaves it out and writes the others larger.
std::string frame(const Panel& panel) {
  std::string svg;
  for (int i = 0; i <= 4; ++i) {
    const double value = panel.highest * i / 4;
    svg += fmt::format("<line x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\" stroke-width=\"1\"/>", left, width - right, panel.y(value), panel.y(value), i == 0 ? "#333" : "#ddd");
    svg += fmt::format("<text{} x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{:g}</text>", i % 2 != 0 || i == 0 || (i == 2 && panel.height < 150) ? " class=\"m\"" : "", left - 6, panel.y(value) + 4, value);
  }
  const auto step = step_of(panel.seconds);
  for (long long second = 0, i = 0; static_cast<double>(second) <= panel.seconds; second += step, ++i) {
    const double x = panel.x(static_cast<double>(second));
    svg += fmt::format("<line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\" stroke=\"#333\"/>", x, panel.y(0), panel.y(0) + 4);
    svg += fmt::format("<text{} x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>", i % 2 != 0 ? " class=\"m\"" : "", x, panel.height - 6, x > width - right - 20 ? "end" : "middle", clock_text(second));
  }
  return svg;
}

/// Unknown bins leave the line broken: unknown is not zero.
std::string line(const Panel& panel, const Timeline::Values& values, double step, const char* style) {
  std::string path;
  bool drawing = false;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!values[i]) { drawing = false; continue; }
    const double second = (static_cast<double>(i) + 0.5) * step;
    path += fmt::format("{}{:.1f} {:.1f}", drawing ? "L" : "M", panel.x(second), panel.y(*values[i]));
    if (!drawing) path += "h.5";
    drawing = true;
  }
  return path.empty() ? "" : fmt::format("<path d=\"{}\" fill=\"none\" {}/>", path, style);
}

std::string bars(const Panel& panel, const Timeline::Values& values, double step, double shift, const char* style) {
  std::string svg;
  const double thickness = std::max(1.0, (panel.x(step) - panel.x(0)) * 0.45);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i] && *values[i] > 0)
      svg += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" {}/>", panel.x(static_cast<double>(i) * step) + shift * thickness, panel.y(*values[i]), thickness,
                         panel.y(0) - panel.y(*values[i]), style);
  return svg;
}

/// Caps as labelled horizontal lines over their span, cuts and outages as hatched spans.
std::string marks(const metrics::Analysis& analysis, const classify::Call& call, const Panel& panel) {
  std::string svg;
  std::map<double, std::string> names;
  for (std::size_t i = 0; i < analysis.findings.size(); ++i) {
    const auto& finding = analysis.findings[i];
    const bool of_this_call = finding.calls.empty() || std::find(finding.calls.begin(), finding.calls.end(), call.id) != finding.calls.end();
    if (!of_this_call || finding.end_time < call.start_time || finding.start_time > call.end_time) continue;
    const double from = panel.x(capture::seconds(finding.start_time - call.start_time)), to = panel.x(capture::seconds(finding.end_time - call.start_time));
    if (finding.kind == metrics::FindingKind::rate_cap && finding.rate_bps) {
      const double y = panel.y(*finding.rate_bps / 1e3);
      svg += fmt::format("<line x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"#9b1c1c\" stroke-width=\"2\" stroke-dasharray=\"9 3 2 3\"/>", from, to, y, y);
      svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\" fill=\"#9b1c1c\" font-weight=\"bold\" stroke=\"#fff\" stroke-width=\"4\" paint-order=\"stroke\">≤ {} (f{})</text>", std::max(to, left + 160) - 8, y + 17,
                         for_html(rate_text(*finding.rate_bps)), i + 1);
    } else if (finding.kind == metrics::FindingKind::outage || finding.kind == metrics::FindingKind::freeze || finding.kind == metrics::FindingKind::periodic_reset || finding.kind == metrics::FindingKind::injected_reset || finding.kind == metrics::FindingKind::delay_step) {
      const double end = std::max(from + 3, to);   // a bracket over the span
      svg += fmt::format("<path d=\"M{0:.1f} {2:.1f}V{3:.1f}H{1:.1f}V{2:.1f}\" fill=\"none\" stroke=\"#9b1c1c\" stroke-width=\"2\"/>", from, end, top + 5, top - 4);
      auto& name = names[std::min(from + 8, width - right - 24)];
      name += fmt::format("{}f{}", name.empty() ? "" : " ", i + 1);
    }
  }
  double free_from = 0;   // brackets that begin close together are named one beside the other
  for (const auto& [at, name] : names) {
    const double x = std::max(at, free_from);
    free_from = x + 12.0 * static_cast<double>(name.size());
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" fill=\"#9b1c1c\" font-weight=\"bold\" stroke=\"#fff\" stroke-width=\"4\" paint-order=\"stroke\">{}</text>", x, top + 21, name);
  }
  for (std::size_t i = 1; i < call.parts.size(); ++i) {
    const double x = panel.x(capture::seconds(call.parts[i - 1].last_time - call.start_time));
    svg += fmt::format("<line x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"#9b1c1c\" stroke-width=\"2\"/><text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\" fill=\"#9b1c1c\">✕</text>",
                       x, x, top, panel.y(0), x, top + 2);
  }
  return svg;
}

/// What is drawn how: the sent and the received way told apart by form, not by colour.
struct Legend { const char* sent; const char* received; };
constexpr Legend of_lines{"solid", "dashed"}, of_bars{"dark", "light"};

std::string figure(const Panel& panel, const std::string& content, const std::string& caption, const Timeline::Values (&values)[2], const Legend& legend, const Catalogue& words) {
  const auto name = [&](const char* key, const Timeline::Values& of) {   // an empty half of a picture would look like zero
    const bool known = std::any_of(of.begin(), of.end(), [](const auto& value) { return value.has_value(); });
    return for_html(known ? words.text(key) : fmt::format("{}{}{}", words.text(key), words.text("colon"), words.text("chart.unmeasured")));
  };
  const auto sent = name("direction.sent", values[0]), received = name("direction.received", values[1]);
  return fmt::format("<figure><figcaption>{0} <span class=\"key\"><span class=\"{1}\"></span>{3}</span> <span class=\"key\"><span class=\"{2}\"></span>{4}</span></figcaption>"
                     "<svg viewBox=\"0 0 {5:g} {6:g}\" role=\"img\" aria-label=\"{0}\" direction=\"ltr\" font-family=\"sans-serif\" font-size=\"13\" fill=\"#222\">{7}</svg></figure>\n",
                     for_html(caption), legend.sent, legend.received, sent, received, width, panel.height, content);
}

}  // namespace

std::string chart_of(const metrics::Analysis& analysis, const classify::Call& call, const Prose& prose, Detail detail) {
  const auto timeline = timeline_of(analysis, call, bins);
  const auto& words = prose.catalogue();
  static constexpr const char* solid = "stroke=\"#111\" stroke-width=\"1.8\"";
  static constexpr const char* dashed = "stroke=\"#0a5ba6\" stroke-width=\"1.8\" stroke-dasharray=\"6 3\"";
  std::string html;
  if (const double highest = highest_of(timeline.bitrate); highest >= 0) {
    double above = highest;
    for (const auto& finding : analysis.findings)
      if (finding.kind == metrics::FindingKind::rate_cap && finding.rate_bps) above = std::max(above, std::min(*finding.rate_bps / 1e3, 3 * highest));
    const Panel panel{210, round_up(above * 1.05), timeline.seconds};
    html += figure(panel, frame(panel) + line(panel, timeline.bitrate[0], timeline.step, solid) + line(panel, timeline.bitrate[1], timeline.step, dashed) + marks(analysis, call, panel), words.text("chart.bitrate"), timeline.bitrate, of_lines, words);
  }
  if (const double highest = highest_of(timeline.loss); highest >= 0 && detail == Detail::everything) {
    const Panel panel{120, round_up(std::max(1.0, highest)), timeline.seconds};
    html += figure(panel, frame(panel) + bars(panel, timeline.loss[0], timeline.step, 0, "fill=\"#111\"") + bars(panel, timeline.loss[1], timeline.step, 1, "fill=\"#7fb2e5\" stroke=\"#0a5ba6\" stroke-width=\".5\""), words.text("chart.loss"), timeline.loss, of_bars, words);
  }
  if (const double highest = highest_of(timeline.delay); highest >= 0 && detail == Detail::everything) {
    const Panel panel{120, round_up(std::max(10.0, highest)), timeline.seconds};
    html += figure(panel, frame(panel) + line(panel, timeline.delay[0], timeline.step, solid) + line(panel, timeline.delay[1], timeline.step, dashed), words.text("chart.delay"), timeline.delay, of_lines, words);
  }
  return html.empty() ? "<p class=\"note\">" + for_html(words.text("chart.none")) + "</p>\n" : html;
}

}  // namespace callwitness::report
