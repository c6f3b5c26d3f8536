#include "report/evidence/differences.hpp"

#include "report/json_layout.hpp"

#include <nlohmann/json.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace callwitness::report {
namespace {

using nlohmann::json;

/// Another processor's last digit, after rounding to six decimals; nothing that a person could mean.
constexpr double relative_tolerance = 1e-6, absolute_tolerance = 2e-6;
constexpr int depth_limit = 16;
constexpr std::string_view opinions = "ndpi";   ///< another program's: it has versions of its own, and redacted packets tell it less
constexpr std::string_view naming[] = {"src", "dst", "local", "remote", "endpoints", "target", "host", "display_filter"};

class Comparison {
 public:
  Comparison(Alike alike, std::size_t limit, Sides sides) : alike_(alike), limit_(limit), sides_(sides) {}

  void compare(const std::string& place, const json& told, const json& found, int depth = 0) {
    if (depth > depth_limit) return differ(place, "is nested too deep to compare");
    if (told.is_number() && found.is_number()) return numbers(place, told, found);
    if (told.type() != found.type()) return differ(place, told, found);
    if (told.is_object()) return objects(place, told, found, depth);
    if (told.is_array()) return lists(place, told, found, depth);
    if (told != found) differ(place, told, found);
  }

  void differ(const std::string& place, const std::string& what) {
    if (lines_.size() < limit_) lines_.push_back(place + ": " + what);
    else ++left_out_;
  }

  std::vector<std::string> take() {
    if (left_out_ != 0) lines_.push_back(fmt::format("and {} more", left_out_));
    return std::move(lines_);
  }

 private:
  static std::string shown(const json& value) {
    auto text = value.dump(-1, ' ', true, json::error_handler_t::replace);
    constexpr std::size_t longest = 80;
    return text.size() <= longest ? text : text.substr(0, longest) + "…";
  }
  void differ(const std::string& place, const json& told, const json& found) {
    differ(place, fmt::format("{} {}, {} {}", sides_.told, shown(told), sides_.found, shown(found)));
  }

  void numbers(const std::string& place, const json& told, const json& found) {
    const double a = told.get<double>(), b = found.get<double>();
    if (!(std::abs(a - b) <= absolute_tolerance + relative_tolerance * std::max(std::abs(a), std::abs(b)))) differ(place, told, found);
  }

  void objects(const std::string& place, const json& told, const json& found, int depth) {
    std::set<std::string> keys;
    for (const auto* side : {&told, &found})
      for (const auto& [key, value] : side->items()) keys.insert(key);
    for (const auto& key : keys) {
      if (key == opinions) continue;
      if (alike_ == Alike::numbers && std::find(std::begin(naming), std::end(naming), key) != std::end(naming)) continue;
      const auto inside = place + "." + key;
      if (!told.contains(key)) differ(inside, fmt::format("{} nothing, {} {}", sides_.told, sides_.found, shown(found[key])));
      else if (!found.contains(key)) differ(inside, fmt::format("{} {}, {} nothing", sides_.told, shown(told[key]), sides_.found));
      else compare(inside, told[key], found[key], depth + 1);
    }
  }

  void lists(const std::string& place, const json& told, const json& found, int depth) {
    if (told.size() != found.size()) differ(place, fmt::format("{} {} of them, {} {}", sides_.told, told.size(), sides_.found, found.size()));
    for (std::size_t i = 0; i < std::min(told.size(), found.size()); ++i) compare(fmt::format("{}[{}]", place, i), told[i], found[i], depth + 1);
  }

  Alike alike_;
  std::size_t limit_, left_out_ = 0;
  Sides sides_;
  std::vector<std::string> lines_;
};

/// Takes numbers of packets in the original capture out of a finding, and puts those in the bundle's in their place.
void renumber(json& finding, Alike alike) {
  if (!finding.is_object() || !finding.contains("evidence") || !finding["evidence"].is_object()) return;
  auto& evidence = finding["evidence"];
  if (evidence.contains("frames")) {
    evidence["packets"] = evidence["frames"];
    evidence.erase("frames");
  }
  if (alike == Alike::numbers && evidence.contains("packets") && evidence["packets"].is_array()) evidence["packets"] = evidence["packets"].size();
  if (finding.contains("display_filter") && finding["display_filter"].is_string() &&
      finding["display_filter"].get_ref<const std::string&>().starts_with("frame.number"))
    finding.erase("display_filter");
}

}  // namespace

std::vector<std::string> differences_of(std::string_view told_text, std::string_view found_text, Alike alike, std::size_t limit, Sides sides) {
  if (!is_shallow(told_text) || !is_shallow(found_text)) return {"analysis.json is nested deeper than any analysis"};
  auto told = json::parse(told_text, nullptr, false), found = json::parse(found_text, nullptr, false);
  if (!told.is_object() || !found.is_object()) return {"analysis.json is no JSON document"};
  Comparison comparison(alike, limit, sides);
  for (const char* part : {"verdict", "findings", "calls", "streams", "attempts", "controls"}) {
    for (auto* side : {&told, &found}) {
      if (!side->contains(part)) (*side)[part] = nullptr;
      if (std::string_view(part) == "findings" && (*side)[part].is_array())
        for (auto& finding : (*side)[part]) renumber(finding, alike);
    }
    comparison.compare(part, told[part], found[part]);
  }
  return comparison.take();
}

}  // namespace callwitness::report
