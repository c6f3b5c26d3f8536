#include "metrics/detector.hpp"

#include <algorithm>

namespace callwitness::metrics {

#define DETECTOR(name) std::vector<Finding> name(const DetectorInput& input);
#include "metrics/detectors.def"
#undef DETECTOR

std::vector<Finding> detect(const Observation& observation, std::span<const StreamMeasures> measures, std::span<const Arm> arms,
                            std::span<const Interruption> interruptions, std::span<const CallOutcome> outcomes) {
  std::vector<Finding> findings;
  const auto run = [&](std::vector<Finding> (*detector)(const DetectorInput&)) {
    auto found = detector(DetectorInput{observation, measures, arms, interruptions, outcomes, findings});
    for (auto& finding : found) {
      constexpr std::size_t most_packets = 1000;
      std::erase(finding.packets, 0u);   // no packet shows that nothing came
      if (finding.packets.size() > most_packets) finding.packets.resize(most_packets);
      findings.push_back(std::move(finding));
    }
  };
#define DETECTOR(name) run(&name);
#include "metrics/detectors.def"
#undef DETECTOR
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) { return a.start_time < b.start_time; });
  return findings;
}

}  // namespace callwitness::metrics
