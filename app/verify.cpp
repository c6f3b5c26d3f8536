// Checks everything a bundle claims: hashes, signature, and that its packets still give its findings.
#include "app/commands.hpp"
#include "app/pipeline.hpp"
#include "report/encode.hpp"
#include "report/evidence/bag.hpp"
#include "report/evidence/files.hpp"
#include "report/evidence/signature.hpp"
#include "report/writer.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
#include <filesystem>
#include <iostream>
#include <sstream>

namespace callwitness::app {
namespace {

using capture::Error;
using nlohmann::json;

constexpr double tolerance = 0.02;   ///< of rates and periods: fewer packets around a call may move an estimate a little

bool near(const json& a, const json& b) {
  if (!a.is_number() || !b.is_number()) return a.is_null() == b.is_null();
  const double x = a.get<double>(), y = b.get<double>();
  return std::abs(x - y) <= tolerance * std::max(std::abs(x), std::abs(y));
}

bool same_finding(const json& a, const json& b) {
  for (const char* key : {"kind", "mechanism", "direction"})
    if (a.value(key, json()) != b.value(key, json())) return false;
  return near(a.value("rate_bps", json()), b.value("rate_bps", json())) && near(a.value("period_s", json()), b.value("period_s", json()));
}

/// What the bundle says that its packets don't show, and the other way round.
std::vector<std::string> differences(const json& told, const json& found) {
  std::vector<std::string> lines;
  const auto missing = [&](const json& from, const json& in, const char* where) {
    for (const auto& finding : from) {
      if (!finding.is_object()) continue;
      bool seen = false;
      for (const auto& other : in) seen = seen || (other.is_object() && same_finding(finding, other));
      if (!seen) lines.push_back("finding " + report::for_terminal(finding.value("kind", json()).dump(-1, ' ', true)) + " is only in " + where);
    }
  };
  const json none = json::array();
  missing(told.value("findings", none), found.value("findings", none), "analysis.json, not in what the packets give");
  missing(found.value("findings", none), told.value("findings", none), "what the packets give, not in analysis.json");
  const auto verdict = [](const json& document) { return document.value("verdict", json::object()).value("class", json()); };
  if (verdict(told) != verdict(found)) lines.push_back("the packets give the verdict " + verdict(found).dump(-1, ' ', true) + ", the bundle says " + verdict(told).dump(-1, ' ', true));
  return lines;
}

capture::Result<std::vector<std::string>> recompute(const std::string& data) {
  const auto text = report::read_file(data + "/analysis.json");
  if (!text) return text.error();
  const auto told = json::parse(text.value(), nullptr, false);
  if (!told.is_object()) return std::vector<std::string>{"analysis.json is no JSON document"};
  const auto analysis = analyze_inputs({data + "/evidence.pcapng"}, {});
  if (!analysis) return std::vector<std::string>{"evidence.pcapng: " + analysis.error().reason};
  std::ostringstream again;
  report::write_json(analysis.value(), again);
  return differences(told, json::parse(again.str()));
}

}  // namespace

capture::Result<int> verify(const Options& options) {
  const std::string folder = options.inputs.at(0);
  if (!std::filesystem::is_directory(folder))
    return Error{Error::Kind::unreadable, "verify " + folder, "it is no folder", "name the folder that callwitness report made"};
  const auto changed = report::check_bag(folder);
  if (!changed) return Error{Error::Kind::verification, "verify " + folder, changed.error().reason, ""};
  std::vector<std::string> lines = changed.value();
  std::string signature = "not signed";
  const bool signed_bag = std::filesystem::exists(folder + "/tagmanifest-sha256.txt.minisig");
  if (!options.key.empty()) {
    const auto comment = report::verify_file(folder + "/tagmanifest-sha256.txt", options.key);
    if (!comment) lines.push_back("signature: " + comment.error().reason);
    else signature = "signed by that key";
  } else if (signed_bag) {
    signature = "signed; name the signer's public key with --key to check it";
  }
  if (lines.empty()) {
    auto recomputed = recompute(folder + "/data");
    if (!recomputed) lines.push_back(recomputed.error().reason);
    else lines = recomputed.value();
  }
  if (!lines.empty()) {
    for (const auto& line : lines) std::cerr << "callwitness: " << report::for_terminal(line) << '\n';
    return Error{Error::Kind::verification, "verify " + folder, std::to_string(lines.size()) + " difference(s), listed above", ""};
  }
  const auto printed = print_text("whole, and its packets give the same findings; " + signature + "\n", options);
  if (!printed) return printed.error();
  return exit_status::done;
}

}  // namespace callwitness::app
