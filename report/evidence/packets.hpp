// The packets that show what was found, with a comment on each that a finding rests on: opened in Wireshark, the file
// tells the story.
#pragma once

#include "capture/result.hpp"
#include "metrics/analysis.hpp"
#include "report/redact/redactor.hpp"

#include <optional>
#include <string>
#include <vector>

namespace callwitness::report {

struct EvidenceSummary {
  std::uint64_t packets = 0;      ///< written
  std::uint64_t commented = 0;    ///< of them, those that show a finding
  std::uint64_t left_out = 0;     ///< of other flows, that say nothing about the calls
};

/// Reads `inputs` again, in the order in which `analysis` numbered their packets, and writes to the new file `output`:
/// all packets of flows that belong to a call, an attempt or a finding, and all TCP and DNS of the capture as the control
/// traffic that the findings were held against. With a key everything is redacted alike.
capture::Result<EvidenceSummary> write_evidence(const std::vector<std::string>& inputs, const metrics::Analysis& analysis,
                                                const std::string& output, const std::optional<RedactionKey>& key);

}  // namespace callwitness::report
