#include "app/commands.hpp"
#include "app/pipeline.hpp"
#include "report/evidence/files.hpp"
#include "report/writer.hpp"

#include <filesystem>
#include <iostream>
#include <sstream>

namespace callwitness::app {
namespace {

namespace fs = std::filesystem;

/// The sample as installed (bin/../share/callwitness) or as in the source tree (build/PRESET/app/../../../pcaps).
std::string sample_path() {
  std::error_code failed;
  const fs::path folder = fs::read_symlink("/proc/self/exe", failed).parent_path();
  for (const char* candidate : {"../share/callwitness/sample.pcap.gz", "../../../pcaps/sip-policed-48k/capture.pcap.gz"}) {
    const auto path = (folder / candidate).lexically_normal();
    if (fs::exists(path, failed)) return path.string();
  }
  return {};
}

}  // namespace

capture::Result<int> demo(const Options& options) {
  const auto sample = sample_path();
  if (sample.empty())
    return capture::Error{capture::Error::Kind::unreadable, "open the bundled capture", "share/callwitness/sample.pcap.gz isn't beside the program",
                          "run it from where it was built or installed"};
  const auto pipeline = pipeline_options(options);
  if (!pipeline) return pipeline.error();
  auto analysis = analyze_inputs({sample}, pipeline.value());
  if (!analysis) return analysis.error();
  for (auto& capture : analysis.value().captures) capture.file = capture::Untrusted("sample.pcap.gz");
  const auto status = print_analysis(analysis.value(), options);
  if (!status) return status;
  std::ostringstream html;
  report::WriteOptions how;
  how.language = options.language;
  how.time_zone = options.time_zone;
  report::write_html(analysis.value(), how, html);
  const std::string path = "callwitness-demo.html";
  if (fs::exists(path)) {
    std::cerr << "report: " << path << " stands there already and was left alone\n";
  } else if (const auto made = report::create_file(path, html.str()); made) {
    std::cerr << "report: " << path << '\n';
  } else {
    std::cerr << "report: not written, " << made.error().reason << '\n';
  }
  return status;
}

}  // namespace callwitness::app
