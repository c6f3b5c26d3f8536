// Builds the Observation and the streams' measures from all meters, once the classification is known.
#pragma once

#include "metrics/analysis.hpp"
#include "metrics/flow_meter.hpp"
#include "metrics/stream_meter.hpp"

#include <map>
#include <memory>
#include <unordered_map>

namespace callwitness::metrics {

/// `flow` is the classification's where it has it, as it has nearly always, else `own`.
struct KeptFlow {
  const classify::Flow* flow = nullptr;
  FlowMeter meter;
  std::unique_ptr<classify::Flow> own;
};

struct Meters {
  Time origin, last_time;
  std::vector<std::unique_ptr<StreamMeter>> streams;                        ///< by StreamId; null: unknown
  std::map<classify::FlowId, KeptFlow> flows;
  std::map<classify::FlowId, std::vector<classify::RoundTrip>> round_trips;
  std::map<std::uint32_t, std::vector<classify::ReceiverReport>> reports;   ///< by the reported SSRC
  std::map<std::uint32_t, std::vector<classify::SenderReport>> sender_reports;   ///< by SSRC
  Seconds<FlowSecond> forgotten;                                            ///< bytes of flows that were not kept
};

/// `meters` is used up. `classification` outlives the observation.
Observation observe(Meters& meters, const capture::CaptureRecords& captures,
                    const classify::Classification& classification, std::vector<StreamMeasures>& measures);

}  // namespace callwitness::metrics
