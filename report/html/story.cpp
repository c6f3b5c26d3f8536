#include "report/html/story.hpp"

#include "metrics/verdict/together.hpp"
#include "report/encode.hpp"
#include "report/html/chart.hpp"
#include "report/html/page.hpp"
#include "report/html/sections.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace callwitness::report {
namespace {

using metrics::Analysis;
using metrics::Finding;

constexpr double same_rate = 0.1, same_period = 0.05;   ///< findings this near are the same one, repeated

std::optional<capture::Time> start_of(const Analysis& analysis) {
  std::optional<capture::Time> first;
  for (const auto& capture : analysis.captures)
    if (capture.first_time && (!first || *capture.first_time < *first)) first = capture.first_time;
  return first;
}

/// The call that a picture should show: of the finding that carries the verdict, else the longest.
const classify::Call* main_call(const Analysis& analysis) {
  const auto& calls = analysis.classification.calls;
  if (const auto* leading = leading_finding(analysis); leading != nullptr && !leading->calls.empty()) {
    const auto index = static_cast<std::size_t>(leading->calls.front());
    if (index < calls.size()) return &calls[index];
  }
  const auto longest = std::max_element(calls.begin(), calls.end(), [](const auto& a, const auto& b) { return a.end_time - a.start_time < b.end_time - b.start_time; });
  return longest == calls.end() ? nullptr : &*longest;
}

std::optional<double> worst_loss(const Analysis& analysis, metrics::Direction direction) {
  std::optional<double> worst;
  for (const auto& stream : analysis.streams)
    if (stream.direction == direction && stream.loss_ratio) worst = std::max(worst.value_or(0), *stream.loss_ratio);
  return worst;
}

/// One finding and those of other observations that are the same.
struct Repeat {
  const Finding* first;
  std::set<std::size_t> seen;          ///< parts
  double rate_low = 0, rate_high = 0, period_low = 0, period_high = 0;

  static bool near(const std::optional<double>& a, const std::optional<double>& b, double tolerance) {
    return a.has_value() == b.has_value() && (!a || std::abs(*a - *b) <= tolerance * std::max(*a, *b));
  }
  bool is_same(const Finding& other) const {
    return other.kind == first->kind && other.mechanism == first->mechanism && other.application == first->application && other.direction == first->direction &&
           near(other.rate_bps, first->rate_bps, same_rate) && near(other.period_s, first->period_s, same_period);
  }
  void add(const Finding& finding, std::size_t part) {
    const auto widen = [&](const std::optional<double>& value, double& low, double& high) {
      if (!value) return;
      low = seen.empty() ? *value : std::min(low, *value);
      high = seen.empty() ? *value : std::max(high, *value);
    };
    widen(finding.rate_bps, rate_low, rate_high);
    widen(finding.period_s, period_low, period_high);
    seen.insert(part);
  }
};

class Story {
 public:
  Story(std::vector<StoryPart> parts, const WriteOptions& options, std::ostream& out) : parts_(std::move(parts)), page_(options, out) {
    std::stable_sort(parts_.begin(), parts_.end(), [](const auto& a, const auto& b) { return start_of(*a.analysis) < start_of(*b.analysis); });
  }

  void write() {
    page_.begin(page_.word("story.title"), parts_.front().analysis->provenance.version);
    box();
    overview();
    repeats();
    panels();
    page_.heading("reproduce");
    page_.paragraph("story.reproduce");
    page_.out << "<pre dir=\"ltr\">sha256sum -c manifest-sha256.txt tagmanifest-sha256.txt\ncallwitness verify .</pre>\n";
    write_annex(page_);
    page_.end();
  }

 private:
  static std::string beneath(const std::string& html) { return "<br><span class=\"note\">" + html + "</span>"; }
  std::string number(const std::string& text) const { return page_.left_to_right(text); }
  std::string chip(const metrics::Verdict& verdict) const {
    const auto name = std::string(name_of(verdict.verdict_class));
    static constexpr const char* signs[] = {"✖", "!", "✓", "?"};
    return "<span class=\"chip " + name + "\"><span class=\"sign\" aria-hidden=\"true\">" + signs[static_cast<std::size_t>(verdict.verdict_class)] + "</span> " + page_.word("class." + name) + "</span>";
  }
  std::string link(const StoryPart& part) const {
    const auto label = page_.left_to_right(part.label);
    return part.page.empty() ? label : "<a href=\"" + for_html(part.page) + "\">" + label + "</a>";
  }
  /// Labels have commas of their own.
  std::string names(const std::set<std::size_t>& which) const {
    std::string list;
    for (const auto i : which) list += (list.empty() ? "" : page_.words.is_right_to_left() ? "؛ " : "; ") + page_.left_to_right(parts_[i].label);
    return list.empty() ? "–" : list;
  }

  /// How many observations say what.
  void box() {
    page_.out << "<section class=\"verdict\" aria-labelledby=\"verdict\"><h2 id=\"verdict\">" << page_.words.plural("story.observations", parts_.size()) << "</h2>\n<ul class=\"tally\">";
    for (const auto verdict : {metrics::VerdictClass::interference, metrics::VerdictClass::suspected, metrics::VerdictClass::impaired, metrics::VerdictClass::clean, metrics::VerdictClass::insufficient}) {
      const auto count = std::count_if(parts_.begin(), parts_.end(), [&](const auto& part) { return part.analysis->verdict.verdict_class == verdict; });
      metrics::Verdict shown;
      shown.verdict_class = verdict;
      if (count != 0) page_.out << "<li>" << chip(shown) << " " << page_.told("story.share", {{"n", number(std::to_string(count))}, {"of", number(std::to_string(parts_.size()))}}) << "</li>";
    }
    page_.out << "</ul>\n";
    together();
    page_.out << "<p class=\"note\">" << page_.word("story.caveat") << "</p></section>\n";
  }

  /// What they say together, where any accuses.
  void together() {
    std::vector<const Analysis*> all;
    for (const auto& part : parts_) all.push_back(part.analysis);
    const auto told = metrics::judge_together(all);
    if (!told.finding) return;
    const auto set_of = [](const std::vector<std::size_t>& which) { return std::set<std::size_t>(which.begin(), which.end()); };
    page_.out << "<p><strong>" << page_.prose.headline(told.verdict) << ".</strong> " << page_.prose.finding(*told.finding) << " " << page_.prose.standing(told.verdict) << " "
              << page_.told("story.together", {{"occasions", number(std::to_string(told.occasions))}, {"spared", number(std::to_string(told.beside_spared))},
                                               {"contrasts", names(set_of(told.contrasts))}, {"without", names(set_of(told.not_shown))}}) << "</p>\n";
  }

  void overview() {
    page_.heading("overview");
    page_.table({"observation", "application", "verdict", "cap", "cuts", "loss_sent", "loss_received"}, 3);
    for (const auto& part : parts_) {
      const auto& analysis = *part.analysis;
      std::set<std::string> applications;
      for (const auto& call : analysis.classification.calls) applications.insert(page_.prose.application(call.label.application));
      std::string caps, cuts, list;
      for (const auto& finding : analysis.findings) {
        if (finding.kind == metrics::FindingKind::rate_cap && finding.rate_bps) caps += (caps.empty() ? "" : ", ") + rate_text(*finding.rate_bps);
        if (finding.kind == metrics::FindingKind::periodic_reset && finding.period_s) cuts += (cuts.empty() ? "" : ", ") + fmt::format("{} / {}", finding.count.value_or(0), span_text(*finding.period_s));
        else if ((finding.kind == metrics::FindingKind::outage || finding.kind == metrics::FindingKind::injected_reset) && finding.count) cuts += (cuts.empty() ? "" : ", ") + std::to_string(*finding.count);
      }
      for (const auto& name : applications) list += (list.empty() ? "" : page_.comma()) + name;
      const auto* call = main_call(analysis);
      const auto sent = worst_loss(analysis, metrics::Direction::sent), received = worst_loss(analysis, metrics::Direction::received);
      page_.row();
      page_.cell(link(part) + (part.has_packets ? "" : " <span class=\"note\">(" + page_.word("story.no_packets") + ")</span>") + (start_of(analysis) ? beneath(page_.when(*start_of(analysis))) : ""));
      page_.cell((list.empty() ? "–" : list) + (call == nullptr ? "" : beneath(page_.left_to_right(call->local_endpoint.address.text() + " ↔ " + call->remote_endpoint.address.text()))));
      const bool sure = analysis.verdict.verdict_class != metrics::VerdictClass::insufficient;
      page_.cell(chip(analysis.verdict) + (sure ? beneath(page_.word("column.confidence") + page_.words.text("colon") + number(fmt::format("{:.3f}", analysis.verdict.confidence))) : ""));
      page_.number(caps);
      page_.number(cuts);
      page_.number(sent ? percent_text(*sent) : "");
      page_.number(received ? percent_text(*received) : "");
      page_.end_row();
    }
    page_.end_table();
  }

  void repeats() {
    page_.heading("repeats");
    std::vector<Repeat> all;
    for (std::size_t i = 0; i < parts_.size(); ++i)
      for (const auto& finding : parts_[i].analysis->findings) {
        auto found = std::find_if(all.begin(), all.end(), [&](const Repeat& repeat) { return repeat.is_same(finding); });
        if (found == all.end()) found = all.insert(all.end(), Repeat{&finding, {}});
        found->add(finding, i);
      }
    if (all.empty()) return page_.paragraph("none.findings");
    std::stable_sort(all.begin(), all.end(), [](const Repeat& a, const Repeat& b) { return a.seen.size() > b.seen.size(); });
    page_.paragraph("story.repeats");
    page_.table({"finding", "application", "direction", "seen", "rate", "period", "where", "not_where"}, 3, 6);
    for (const auto& repeat : all) {
      std::set<std::size_t> without;          // observations of the same application that don't show it
      for (std::size_t i = 0; i < parts_.size(); ++i) {
        const auto& calls = parts_[i].analysis->classification.calls;
        const bool called = std::any_of(calls.begin(), calls.end(), [&](const auto& call) { return call.label.application == repeat.first->application; });
        if (called && !repeat.seen.contains(i)) without.insert(i);
      }
      const auto range = [](double low, double high, auto text) { return high == 0 ? std::string() : text(low) == text(high) ? text(low) : text(low) + " – " + text(high); };
      const std::string kind = "kind." + std::string(name_of(repeat.first->kind)), exact = "mechanism." + std::string(name_of(repeat.first->mechanism));
      page_.row();
      page_.cell(page_.word(kind) + (page_.words.has(exact) ? " (" + page_.word(exact) + ")" : ""));
      page_.cell(page_.prose.application(repeat.first->application));
      page_.cell(page_.prose.direction(repeat.first->direction));
      page_.number(fmt::format("{} / {}", repeat.seen.size(), repeat.seen.size() + without.size()));
      page_.number(range(repeat.rate_low, repeat.rate_high, rate_text));
      page_.number(range(repeat.period_low, repeat.period_high, span_text));
      page_.cell(names(repeat.seen));
      page_.cell(names(without));
      page_.end_row();
    }
    page_.end_table();
  }

  void panels() {
    page_.heading("panels");
    for (std::size_t i = 0; i < parts_.size() && i < most_charts; ++i) {
      const auto& analysis = *parts_[i].analysis;
      page_.out << "<article><h3>" << link(parts_[i]) << " " << chip(analysis.verdict) << "</h3>\n<p>" << page_.prose.headline(analysis) << ".";
      if (const auto* leading = leading_finding(analysis)) page_.out << " " << page_.prose.finding(*leading);
      page_.out << "</p>\n";
      if (const auto* call = main_call(analysis)) page_.out << chart_of(analysis, *call, page_.plain, Detail::bitrate);
      page_.out << "</article>\n";
    }
  }

  std::vector<StoryPart> parts_;
  Page page_;
};

}  // namespace

void write_story(std::vector<StoryPart> parts, const WriteOptions& options, std::ostream& out) {
  if (!parts.empty()) Story(std::move(parts), options, out).write();
}

}  // namespace callwitness::report
