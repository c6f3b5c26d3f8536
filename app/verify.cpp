// Checks everything a bundle claims: hashes, signature, and that its packets still give all its numbers.
#include "app/commands.hpp"
#include "app/pipeline.hpp"
#include "report/analysis_reader.hpp"
#include "report/encode.hpp"
#include "report/evidence/archive.hpp"
#include "report/evidence/bag.hpp"
#include "report/evidence/differences.hpp"
#include "report/evidence/files.hpp"
#include "report/evidence/signature.hpp"
#include "report/writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <sstream>

namespace callwitness::app {
namespace {

namespace fs = std::filesystem;
using capture::Error;
using capture::Result;
using Lines = std::vector<std::string>;

constexpr std::size_t most_printed = 100;   // more tell nothing that these don't
constexpr std::size_t longest_analysis = std::size_t{256} << 20;

/// Of the options that the analysis was made with, the one that isn't in the packets: which end is ours.
PipelineOptions options_of(const metrics::Analysis& analysis) {
  constexpr std::string_view local = "--local ";
  PipelineOptions options;
  for (const auto& option : analysis.provenance.options)
    if (option.starts_with(local))
      if (const auto address = capture::IpAddress::parse(option.substr(local.size()))) options.classifier.local.push_back(*address);
  return options;
}

/// What the packets in `folder` say otherwise than the analysis beside them.
Lines recompute(const fs::path& folder) {
  const auto text = report::read_file((folder / "analysis.json").string(), longest_analysis);
  if (!text) return {"analysis.json: " + text.error().reason};
  const auto told = report::read_analysis(text.value(), "analysis.json");
  if (!told) return {"analysis.json: " + told.error().reason};
  const auto analysis = analyze_inputs({(folder / "evidence.pcapng").string()}, options_of(told.value().analysis));
  if (!analysis) return {"evidence.pcapng: " + analysis.error().reason};
  std::ostringstream again;
  report::write_json(analysis.value(), again);
  auto lines = report::differences_of(text.value(), again.str());
  const auto& version = told.value().analysis.provenance.version;
  if (!lines.empty() && version != CALLWITNESS_VERSION)
    lines.push_back("the bundle was made by callwitness " + report::for_terminal(version) + ", this is " CALLWITNESS_VERSION ": check with that version, too");
  return lines;
}

/// The folders below data/ that hold an analysis: one, or one an observation.
std::vector<fs::path> observations(const fs::path& data) {
  std::vector<fs::path> found;
  std::error_code failed;
  if (fs::exists(data / "analysis.json")) found.push_back(data);
  for (const auto& child : fs::directory_iterator(data, failed))
    if (child.is_directory() && fs::exists(child.path() / "analysis.json")) found.push_back(child.path());
  std::sort(found.begin(), found.end());
  return found;
}

/// Says who signed; adds to `lines` what is wrong with the signature.
std::string check_signature(const std::string& folder, const std::string& key, Lines& lines) {
  const std::string manifest = folder + "/tagmanifest-sha256.txt", own_key = folder + "/signer.pub";
  const bool is_signed = fs::exists(manifest + ".minisig"), has_key = fs::exists(own_key);
  if (key.empty() && !is_signed && !has_key) return "not signed";
  if (key.empty() && !has_key) return "signed; name the signer's public key with --key to check it";
  const auto comment = report::verify_file(manifest, key.empty() ? own_key : key);
  if (!comment) lines.push_back("signature: " + comment.error().reason);
  if (!key.empty()) return "signed by that key";
  const auto text = report::read_file(own_key, 4096);
  const auto line = text ? text.value().substr(std::min(text.value().size(), text.value().find('\n') + 1)) : std::string();
  return "signed by the key " + report::for_terminal(line.substr(0, line.find('\n'))) + " that lies in it: compare it with the one that the signer published";
}

}  // namespace

Result<int> verify(const Options& options) {
  const std::string& named = options.inputs.at(0);
  std::string folder = named;
  const report::TemporaryFolder temporary;
  if (!fs::is_directory(named)) {
    if (temporary.path().empty()) return Error{Error::Kind::failed, "verify " + named, "no temporary folder could be made", "set TMPDIR to where there is space"};
    const auto unpacked = report::unpack_archive(named, temporary.path());
    if (!unpacked) return unpacked.error();
    folder = unpacked.value();
  }
  const auto changed = report::check_bag(folder);
  if (!changed) return Error{Error::Kind::verification, "verify " + named, changed.error().reason, ""};
  Lines lines = changed.value();
  const auto signature = check_signature(folder, options.key, lines);
  std::size_t recomputed = 0, unproven = 0;
  if (lines.empty()) {
    const auto all = observations(folder + "/data");
    if (all.empty()) lines.push_back("there is no analysis.json in it");
    for (const auto& observation : all) {
      if (!fs::exists(observation / "evidence.pcapng")) {
        ++unproven;
        continue;
      }
      ++recomputed;
      for (auto& line : recompute(observation)) lines.push_back((all.size() > 1 ? observation.filename().string() + ": " : "") + line);
    }
  }
  if (!lines.empty()) {
    for (std::size_t i = 0; i < std::min(lines.size(), most_printed); ++i) std::cerr << "callwitness: " << report::for_terminal(lines[i]) << '\n';
    return Error{Error::Kind::verification, "verify " + named, fmt::format("{} difference(s), {}listed above", lines.size(), lines.size() > most_printed ? fmt::format("the first {} ", most_printed) : ""), ""};
  }
  std::string text = recomputed != 0 ? "whole, and its packets give the same verdict, findings, calls and numbers" : "whole";
  if (unproven != 0) text += fmt::format("; {} analysis without packets, which can't be recomputed", unproven);
  const auto printed = print_text(text + "; " + signature + "\n", options);
  if (!printed) return printed.error();
  return exit_status::done;
}

}  // namespace callwitness::app
