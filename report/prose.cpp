#include "report/prose.hpp"

#include <fmt/format.h>

namespace callwitness::report {
namespace {

std::string parameter(const metrics::Verdict& verdict, const char* name) {
  const auto found = verdict.parameters.find(name);
  return found == verdict.parameters.end() ? std::string() : found->second;
}

}  // namespace

std::string verdict_sentence(const metrics::Verdict& verdict) {
  std::string text = verdict.key;
  for (char& c : text) c = c == '_' ? ' ' : c;
  const std::string application = parameter(verdict, "application");
  return application.empty() ? text : fmt::format("{}: {}", application, text);
}

std::string reason_sentence(const metrics::Alternative& alternative) { return std::string(alternative.reason); }

}  // namespace callwitness::report
