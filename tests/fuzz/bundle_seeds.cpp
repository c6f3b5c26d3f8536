// A small bundle as zip, its manifests, and its analysis.
#include "seeds.hpp"

#include "report/evidence/archive.hpp"
#include "report/evidence/bag.hpp"
#include "report/evidence/files.hpp"
#include "report/writer.hpp"

#include <filesystem>
#include <sstream>

namespace callwitness::fuzz {
namespace {

Input input_of(std::uint8_t kind, const std::string& content) {
  Input input{kind};
  input.insert(input.end(), content.begin(), content.end());
  return input;
}

std::string small_analysis() {
  metrics::Analysis analysis;
  analysis.verdict.verdict_class = metrics::VerdictClass::clean;
  analysis.verdict.key = "no_impairment_found";
  analysis.findings.resize(1);
  analysis.findings[0].kind = callwitness::metrics::FindingKind::loss;
  analysis.findings[0].confidence = 0.5;
  analysis.findings[0].packets = {1, 2, 3};
  analysis.findings[0].alternatives.push_back({"wifi", metrics::AlternativeStatus::not_ruled_out, "untestable", {}});
  std::ostringstream text;
  report::write_json(analysis, text);
  return text.str();
}

}  // namespace

std::vector<Input> bundle_seeds() {
  const report::TemporaryFolder folder;
  const std::string bag = folder.path() + "/bag", archive = folder.path() + "/bag.zip";
  const std::string analysis = small_analysis();
  std::filesystem::create_directories(bag + "/data");
  const bool made = report::create_file(bag + "/data/analysis.json", analysis) && report::seal_bag(bag, {{"Bagging-Date", "2026-11-23"}}) &&
                    report::pack_folder(bag, archive);
  if (!made) return {input_of(2, analysis)};
  const std::string manifests = report::read_file(bag + "/manifest-sha256.txt").value() + "\n" + report::read_file(bag + "/tagmanifest-sha256.txt").value() + "\n";
  return {input_of(0, report::read_file(archive).value()), input_of(1, manifests), input_of(2, analysis)};
}

}  // namespace callwitness::fuzz
