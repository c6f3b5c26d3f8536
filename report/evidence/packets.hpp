// The packets that show what was found, with a comment on each that a finding rests on: opened in Wireshark, the file
// tells the story.
#pragma once

#include "capture/result.hpp"
#include "capture/source.hpp"
#include "metrics/analysis.hpp"
#include "report/redact/redactor.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace callwitness::report {

/// How much of the traffic that belongs to no call, attempt or finding is kept, for it is what they were held against.
/// Packets of the story itself are always kept whole.
enum class ControlKept : std::uint8_t {
  sample,    ///< names, and the busiest flows around the calls: their first packets whole, of the others the headers
  headers,   ///< every flow, but headers only
  whole,     ///< everything
};

struct EvidenceOptions {
  capture::SourceOptions source;             ///< as the analysis read its inputs
  ControlKept control = ControlKept::sample;
  std::optional<RedactionKey> key;           ///< redact everything alike
};

struct EvidenceSummary {
  std::uint64_t packets = 0;      ///< written
  std::uint64_t commented = 0;    ///< of them, those with a comment
  std::uint64_t control = 0;      ///< of them, of other traffic
  std::uint64_t left_out = 0;
  ControlKept kept = ControlKept::sample;
  Redactor::Summary redaction;    ///< with a key
  /// Of each packet that a finding rests on: its number in the capture → its number in the evidence.
  std::map<std::uint64_t, std::uint64_t> frames;
};

/// Reads `inputs` again, in the order in which `analysis` numbered their packets, and writes those that matter to the new
/// file `output`.
capture::Result<EvidenceSummary> write_evidence(const std::vector<std::string>& inputs, const metrics::Analysis& analysis,
                                                const std::string& output, const EvidenceOptions& options);

}  // namespace callwitness::report
