#include "app/commands.hpp"
#include "app/pipeline.hpp"
#include "report/encode.hpp"
#include "report/evidence/differences.hpp"
#include "report/redact/pseudonyms.hpp"
#include "report/redact/redactor.hpp"
#include "report/writer.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <optional>
#include <sstream>

namespace callwitness::app {
namespace {

using capture::Result;

std::string json_of(const metrics::Analysis& analysis) {
  std::ostringstream text;
  report::write_json(analysis, text);
  return text.str();
}

/// Says on standard error what an analysis of the copy tells otherwise than one of the original.
void tell_differences(const metrics::Analysis& original, const std::string& copy, const PipelineOptions& options) {
  const auto again = analyze_inputs({copy}, options);
  if (!again) {
    std::cerr << "callwitness: the copy could not be analysed: " << again.error().reason << '\n';
    return;
  }
  constexpr std::size_t lines = 20;
  const auto differences = report::differences_of(json_of(original), json_of(again.value()), report::Alike::numbers, lines, {"the original gives", "the copy"});
  if (differences.empty()) return;
  std::cerr << "callwitness: an analysis of the copy differs from one of the original:\n";
  for (const auto& line : differences) std::cerr << "  " << report::for_terminal(line) << '\n';
}

}  // namespace

Result<int> redact(const Options& options) {
  const std::string &input = options.inputs.at(0), &output = options.inputs.at(1);
  const auto key = report::random_redaction_key();
  if (!key) return capture::Error{capture::Error::Kind::failed, "make a redaction key", "the system's random source failed", ""};
  // Analysed first, so that it is known which packets carry which counters. What can be read only once is redacted as it comes.
  std::error_code failed;
  const PipelineOptions plain;
  std::optional<metrics::Analysis> original;
  if (std::filesystem::is_regular_file(input, failed) || std::filesystem::is_directory(input, failed)) {
    auto analysis = analyze_inputs({input}, plain);
    if (!analysis) return analysis.error();
    original = std::move(analysis).value();
  } else {
    std::cerr << "callwitness: " << report::for_terminal(input) << " can be read only once: an analysis of the copy may differ from one of the original\n";
  }
  const auto done = report::redact_capture(input, output, *key, original ? &*original : nullptr);
  if (!done) return done.error();
  if (original) tell_differences(*original, output, plain);
  const auto& summary = done.value();
  const auto printed = print_text(fmt::format("{} packets written, {} payloads cut, {} names replaced, {} packets emptied\n", summary.packets, summary.payloads_cut,
                                              summary.names_replaced, summary.emptied), options);
  if (!printed) return printed.error();
  return exit_status::done;
}

}  // namespace callwitness::app
