// The evidence bundle: a BagIt folder with the page, the analysis and the packets that matter.
#include "app/commands.hpp"
#include "app/pdf.hpp"
#include "app/pipeline.hpp"
#include "report/evidence/bag.hpp"
#include "report/evidence/files.hpp"
#include "report/evidence/packets.hpp"
#include "report/evidence/signature.hpp"
#include "report/writer.hpp"

#include <fmt/format.h>

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <sstream>

namespace callwitness::app {
namespace {

using capture::Error;
using capture::Result;

Result<void> make_folder(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0) return {};
  return Error{Error::Kind::failed, "make the folder " + path, std::strerror(errno), errno == EEXIST ? "name a folder that isn't there yet" : ""};
}

Result<void> write_documents(const metrics::Analysis& analysis, const Options& options, const std::string& data) {
  std::ostringstream json, html;
  report::write_json(analysis, json);
  report::WriteOptions how;
  how.language = options.language;
  how.time_zone = options.time_zone;
  report::write_html(analysis, how, html);
  if (auto made = report::create_file(data + "/analysis.json", json.str()); !made) return made;
  return report::create_file(data + "/report.html", html.str());
}

}  // namespace

Result<int> report(const Options& options) {
  if (options.output.empty()) return Error{Error::Kind::usage, "make a bundle", "no folder was named", "callwitness report FILE -o DIR"};
  const auto pipeline = pipeline_options(options);
  if (!pipeline) return pipeline.error();
  const auto original = analyze_inputs(options.inputs, pipeline.value());
  if (!original) return original.error();
  const std::string data = options.output + "/data";
  for (const auto& folder : {options.output, data})
    if (const auto made = make_folder(folder); !made) return made.error();
  std::optional<report::RedactionKey> secret;
  if (options.anonymise && !(secret = report::random_redaction_key()))
    return Error{Error::Kind::failed, "make a redaction key", "the system's random source failed", ""};
  const auto evidence = report::write_evidence(options.inputs, original.value(), data + "/evidence.pcapng", secret);
  if (!evidence) return evidence.error();
  if (secret) {
    // The page must not name what the packets hide: it tells the analysis of the redacted packets.
    const auto redacted = analyze_inputs({data + "/evidence.pcapng"}, {});
    if (!redacted) return redacted.error();
    auto shown = redacted.value();
    for (auto& capture : shown.captures) capture.file = capture::Untrusted("evidence.pcapng");
    if (const auto made = write_documents(shown, options, data); !made) return made.error();
  } else if (const auto made = write_documents(original.value(), options, data); !made) {
    return made.error();
  }
  if (options.pdf)
    if (const auto made = write_pdf(data + "/report.html", data + "/report.pdf"); !made) return made.error();
  const auto sealed = report::seal_bag(options.output, {{"Bag-Software-Agent", "callwitness " CALLWITNESS_VERSION},
                                                        {"External-Description", secret ? "Evidence, addresses and names replaced" : "Evidence"}});
  if (!sealed) return sealed.error();
  if (!options.key.empty())
    if (const auto signature = report::sign_file(options.output + "/tagmanifest-sha256.txt", options.key, "callwitness bundle"); !signature) return signature.error();
  Options to_screen = options;
  to_screen.output.clear();
  const auto told = print_text(fmt::format("{}/data/report.html\n{} packets of evidence, {} with a comment\n", options.output, evidence.value().packets, evidence.value().commented), to_screen);
  if (!told) return told.error();
  for (const auto& capture : original.value().captures)
    if (capture.damaged) return exit_status::damaged;
  return exit_status::done;
}

}  // namespace callwitness::app
