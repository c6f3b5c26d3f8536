// What `verify` reads of a stranger: by the first byte a zip, the manifests of a bag, or an analysis, which is also drawn.
#include "seeds.hpp"

#include "report/analysis_reader.hpp"
#include "report/evidence/archive.hpp"
#include "report/evidence/bag.hpp"
#include "report/evidence/differences.hpp"
#include "report/evidence/files.hpp"
#include "report/evidence/signature.hpp"
#include "report/writer.hpp"

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>

using namespace callwitness;
namespace fs = std::filesystem;

const fuzz::Seeds fuzz::wanted_seeds = fuzz::Seeds::bundles;

namespace {

void read_archive(std::string_view bytes, const std::string& folder) {
  const std::string archive = folder + "/bundle.zip", into = folder + "/into";
  fs::create_directory(into);
  if (!report::create_file(archive, bytes)) std::abort();
  const auto unpacked = report::unpack_archive(archive, into);
  std::size_t files = 0;   // whatever was refused: nothing stands beside the folder that it was to go into
  for (const auto& entry : fs::directory_iterator(folder)) files += entry.exists() ? 1 : 0;
  if (files != 2) std::abort();
  if (unpacked) static_cast<void>(report::check_bag(unpacked.value()));
}

/// Both manifests and a signature, two line breaks between them, of a bag with two files.
void read_bag(std::string_view text, const std::string& folder) {
  fs::create_directory(folder + "/data");
  const auto next = [&] {
    const auto end = text.find("\n\n");
    const auto part = text.substr(0, end == std::string_view::npos ? end : end + 1);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
    return part;
  };
  for (const char* name : {"manifest-sha256.txt", "tagmanifest-sha256.txt", "tagmanifest-sha256.txt.minisig", "signer.pub"})
    if (!report::create_file(folder + "/" + name, next())) std::abort();
  for (const char* name : {"bagit.txt", "bag-info.txt", "data/analysis.json"})
    if (!report::create_file(folder + "/" + name, "x\n")) std::abort();
  const auto differences = report::check_bag(folder);
  if (differences && differences.value().empty() && text.size() > 4096) std::abort();
  static_cast<void>(report::verify_file(folder + "/tagmanifest-sha256.txt", folder + "/signer.pub"));
}

void read_analysis(std::string_view text) {
  const auto again = report::differences_of(text, text);
  const auto stored = report::read_analysis(text, "analysis.json");
  if (!stored) return;
  std::ostringstream page;
  report::write_html(stored.value().analysis, {}, page);
  report::write_json(stored.value().analysis, page);
  if (report::differences_of(text, page.str()).size() > 21) std::abort();   // twenty and a count of the rest
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 3 == 2) {
    read_analysis(rest);
    return 0;
  }
  const report::TemporaryFolder folder;
  if (folder.path().empty()) std::abort();
  if (data[0] % 3 == 0) read_archive(rest, folder.path());
  else read_bag(rest, folder.path());
  return 0;
}
