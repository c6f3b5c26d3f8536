#include "app/bundle.hpp"

#include "app/pipeline.hpp"
#include "report/evidence/differences.hpp"
#include "report/evidence/files.hpp"
#include "report/evidence/packets.hpp"
#include "report/redact/pseudonyms.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace callwitness::app {
namespace {

namespace fs = std::filesystem;
using capture::Error;
using capture::Result;

std::string json_of(const metrics::Analysis& analysis, const report::BundleFacts* facts = nullptr) {
  std::ostringstream text;
  report::write_json(analysis, text, facts);
  return text.str();
}

Result<void> write_page(const Observed& observed, const Options& options, const std::string& data) {
  report::WriteOptions how;
  how.language = options.language;
  how.time_zone = options.time_zone;
  how.bundle = &observed.facts;
  std::ostringstream html;
  report::write_html(observed.stored.analysis, how, html);
  return report::create_file(data + "/report.html", html.str());
}

void take_over(report::BundleFacts& facts, const report::EvidenceSummary& summary) {
  facts.packets = summary.packets;
  facts.commented = summary.commented;
  facts.control = summary.control;
  facts.left_out = summary.left_out;
  facts.frames = summary.frames;
  facts.payloads_cut = summary.redaction.payloads_cut;
  facts.names_replaced = summary.redaction.names_replaced;
  facts.emptied = summary.redaction.emptied;
}

/// Which end is ours was told for the capture: in anonymised packets that address has another name.
PipelineOptions options_for_evidence(const PipelineOptions& options, const std::optional<report::RedactionKey>& key) {
  PipelineOptions again;
  again.classifier.local = options.classifier.local;
  if (!key) return again;
  report::Pseudonyms pseudonyms(*key);
  for (auto& address : again.classifier.local) address = pseudonyms.address(address);
  return again;
}

}  // namespace

Result<void> make_folder(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0) return {};
  return Error{Error::Kind::failed, "make the folder " + path, std::strerror(errno), errno == EEXIST ? "name a folder that isn't there yet" : ""};
}

bool is_analysis(const std::string& path) {
  std::error_code failed;
  if (fs::is_directory(path, failed)) return fs::is_regular_file(path + "/data/analysis.json", failed);
  if (!fs::is_regular_file(path, failed)) return false;   // a pipe is not looked into: what is read is gone
  std::ifstream file(path, std::ios::binary);
  char beginning[64] = {};
  file.read(beginning, sizeof beginning);
  return report::looks_like_analysis({beginning, static_cast<std::size_t>(file.gcount())});
}

Result<Observed> observe_captures(const std::vector<std::string>& inputs, const Options& options, const std::string& data) {
  const auto pipeline = pipeline_options(options);
  if (!pipeline) return pipeline.error();
  auto original = analyze_inputs(inputs, pipeline.value());
  if (!original) return original.error();
  report::EvidenceOptions how;
  how.source = pipeline.value().source;
  if (options.anonymise && !(how.key = report::random_redaction_key()))
    return Error{Error::Kind::failed, "make a redaction key", "the system's random source failed", ""};
  const std::string evidence = data + "/evidence.pcapng", told = json_of(original.value());
  const auto alike = options.anonymise ? report::Alike::numbers : report::Alike::everything;
  Observed observed;
  observed.facts.anonymised = options.anonymise;
  observed.facts.is_signed = !options.key.empty();
  for (const auto control : {report::ControlKept::sample, report::ControlKept::headers, report::ControlKept::whole}) {
    std::error_code ignored;
    fs::remove(evidence, ignored);
    how.control = control;
    const auto written = report::write_evidence(inputs, original.value(), evidence, how);
    if (!written) return written.error();
    take_over(observed.facts, written.value());
    auto again = analyze_inputs({evidence}, options_for_evidence(pipeline.value(), how.key));
    if (!again) return again.error();
    const bool renumber = !options.anonymise;
    observed.facts.changed = report::differences_of(renumber ? json_of(original.value(), &observed.facts) : told, json_of(again.value()), alike);
    observed.stored.analysis = std::move(again).value();
    if (observed.facts.changed.empty()) break;
  }
  for (const auto& capture : original.value().captures) {
    observed.damaged = observed.damaged || capture.damaged;
    if (options.anonymise) observed.facts.derived_from.push_back({capture.sha256, capture.size_bytes, capture.packets});
  }
  if (options.anonymise) {
    // The page must not name what the packets hide: it tells the analysis of the redacted packets.
    for (auto& capture : observed.stored.analysis.captures) capture.file = capture::Untrusted("evidence.pcapng");
    for (auto& call : observed.stored.analysis.classification.calls) call.ndpi.clear();   // of invented addresses nDPI knows nothing
    observed.facts.frames.clear();
    for (const auto& finding : observed.stored.analysis.findings)
      for (const auto ordinal : finding.packets) observed.facts.frames[ordinal] = ordinal;
  } else {
    observed.stored.analysis = std::move(original).value();
  }
  if (const auto made = report::create_file(data + "/analysis.json", json_of(observed.stored.analysis, &observed.facts)); !made) return made.error();
  if (const auto made = write_page(observed, options, data); !made) return made.error();
  return observed;
}

Result<Observed> observe_analysis(const std::string& input, const Options& options, const std::string& data) {
  const std::string path = fs::is_directory(input) ? input + "/data/analysis.json" : input;
  constexpr std::size_t longest = std::size_t{256} << 20;
  const auto text = report::read_file(path, longest);
  if (!text) return text.error();
  auto stored = report::read_analysis(text.value(), path);
  if (!stored) return stored.error();
  Observed observed;
  observed.stored = std::move(stored).value();
  observed.facts.has_packets = false;
  observed.facts.is_signed = !options.key.empty();
  for (const auto& capture : observed.stored.analysis.captures) observed.damaged = observed.damaged || capture.damaged;
  if (const auto made = report::create_file(data + "/analysis.json", text.value()); !made) return made.error();
  if (const auto made = write_page(observed, options, data); !made) return made.error();
  return observed;
}

}  // namespace callwitness::app
