// The evidence bundle: a BagIt folder, or a zip of it, with the page, the analysis and the packets that matter; or the
// story of several observations.
#include "app/bundle.hpp"
#include "app/commands.hpp"
#include "app/pdf.hpp"
#include "report/encode.hpp"
#include "report/evidence/archive.hpp"
#include "report/evidence/bag.hpp"
#include "report/evidence/files.hpp"
#include "report/evidence/signature.hpp"
#include "report/html/story.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <sstream>

namespace callwitness::app {
namespace {

namespace fs = std::filesystem;
using capture::Error;
using capture::Result;

/// What one input is called and where it stands: "June=june.pcap", or a path alone.
struct Named { std::string label, path; };

Named named(const std::string& input) {
  std::error_code failed;
  const auto equals = input.find('=');
  if (!fs::exists(input, failed) && equals != std::string::npos && equals > 0) return {input.substr(0, equals), input.substr(equals + 1)};
  fs::path path = fs::path(input).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  return {path.filename().string(), input};
}

Result<std::vector<Observed>> observe_each(const std::vector<Named>& inputs, const Options& options, const std::string& data) {
  std::vector<Observed> all;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto folder = fmt::format("{}/{:02}", data, i + 1);
    if (const auto made = make_folder(folder); !made) return made.error();
    auto one = is_analysis(inputs[i].path) ? observe_analysis(inputs[i].path, options, folder) : observe_captures({inputs[i].path}, options, folder);
    if (!one) return one.error();
    all.push_back(std::move(one).value());
    all.back().label = options.anonymise ? fmt::format("{:02}", i + 1) : inputs[i].label;
  }
  return all;
}

Result<void> write_story(const std::vector<Observed>& all, const Options& options, const std::string& data) {
  std::vector<report::StoryPart> parts;
  for (std::size_t i = 0; i < all.size(); ++i)
    parts.push_back({all[i].label, fmt::format("{:02}/report.html", i + 1), &all[i].stored.analysis, all[i].facts.has_packets});
  report::WriteOptions how;
  how.language = options.language;
  how.time_zone = options.time_zone;
  std::ostringstream html;
  report::write_story(std::move(parts), how, html);
  return report::create_file(data + "/report.html", html.str());
}

/// In UTC; SOURCE_DATE_EPOCH stands in for the clock where a bundle must come out the same again.
std::string today() {
  std::time_t now = std::time(nullptr);
  if (const char* told = std::getenv("SOURCE_DATE_EPOCH"); told != nullptr) now = static_cast<std::time_t>(std::strtoll(told, nullptr, 10));
  std::tm parts{};
  gmtime_r(&now, &parts);
  return fmt::format("{:04}-{:02}-{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}

Result<void> seal(const Options& options, const std::string& folder) {
  if (!options.key.empty()) {
    const auto line = report::public_key_of(options.key);
    if (!line) return line.error();
    if (const auto made = report::create_file(folder + "/signer.pub", report::public_key_file(line.value())); !made) return made;
  }
  const auto sealed = report::seal_bag(folder, {{"Bagging-Date", today()}, {"Bag-Software-Agent", "callwitness " CALLWITNESS_VERSION},
                                                {"External-Description", options.anonymise ? "Evidence, addresses and names replaced" : "Evidence"}});
  if (!sealed || options.key.empty()) return sealed;
  return report::sign_file(folder + "/tagmanifest-sha256.txt", options.key, "callwitness bundle");
}

/// Makes everything below `folder`; returns the observations.
Result<std::vector<Observed>> fill(const Options& options, const std::string& folder) {
  std::vector<Named> inputs;
  for (const auto& input : options.inputs) inputs.push_back(named(input));
  const std::string data = folder + "/data";
  for (const auto& path : {folder, data})
    if (const auto made = make_folder(path); !made) return made.error();
  const bool analyses = std::any_of(inputs.begin(), inputs.end(), [](const Named& input) { return is_analysis(input.path); });
  std::vector<Observed> all;
  if (inputs.size() > 1 && (analyses || options.each)) {
    auto each = observe_each(inputs, options, data);
    if (!each) return each.error();
    all = std::move(each).value();
    if (const auto made = write_story(all, options, data); !made) return made.error();
  } else {
    std::vector<std::string> paths;
    for (const auto& input : inputs) paths.push_back(input.path);
    auto one = analyses ? observe_analysis(paths.front(), options, data) : observe_captures(paths, options, data);
    if (!one) return one.error();
    all.push_back(std::move(one).value());
  }
  if (options.pdf)
    if (const auto made = write_pdf(data + "/report.html", data + "/report.pdf"); !made) return made.error();
  if (const auto made = seal(options, folder); !made) return made.error();
  return all;
}

std::string told(const std::vector<Observed>& all, const std::string& where) {
  std::string text = where + "\n";
  for (const auto& one : all) {
    const auto name = one.label.empty() ? "" : report::for_terminal(one.label) + ": ";
    if (one.facts.has_packets)
      text += fmt::format("{}{} packets of evidence, {} with a comment; {} left out\n", name, one.facts.packets, one.facts.commented, one.facts.left_out);
    else text += name + "an analysis without its packets: it can be read, not recomputed\n";
  }
  return text;
}

}  // namespace

Result<int> report(const Options& options) {
  std::string folder = options.output, archive = options.bundle;
  if (folder.ends_with(".zip") && archive.empty()) archive.swap(folder);
  if (folder.empty() && archive.empty()) return Error{Error::Kind::usage, "make a bundle", "no folder was named", "callwitness report FILE -o DIR"};
  const report::TemporaryFolder temporary;
  if (folder.empty()) {
    if (temporary.path().empty()) return Error{Error::Kind::failed, "make a bundle", "no temporary folder could be made", "name one with -o"};
    folder = (fs::path(temporary.path()) / fs::path(archive).stem()).string();
  }
  const auto all = fill(options, folder);
  if (!all) return all.error();
  if (!archive.empty())
    if (const auto packed = report::pack_folder(folder, archive); !packed) return packed.error();
  Options to_screen = options;
  to_screen.output.clear();
  const auto shown = print_text(told(all.value(), archive.empty() || !options.output.empty() ? folder + "/data/report.html" : archive), to_screen);
  if (!shown) return shown.error();
  bool damaged = false;
  for (const auto& one : all.value()) {
    damaged = damaged || one.damaged;
    for (const auto& line : one.facts.changed) std::cerr << "callwitness: the packets kept tell it differently: " << report::for_terminal(line) << '\n';
  }
  return damaged ? exit_status::damaged : exit_status::done;
}

}  // namespace callwitness::app
