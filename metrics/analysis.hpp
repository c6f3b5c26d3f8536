// The one value that every writer, the comparison and the evidence bundle read. Shapes follow report-schema.json;
// an empty optional is "could not be measured" and is written as null, never as 0.
#pragma once

#include "capture/record.hpp"
#include "classify/call.hpp"
#include "metrics/control.hpp"
#include "metrics/events/call_outcome.hpp"
#include "metrics/finding.hpp"
#include "metrics/observation.hpp"

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace callwitness::metrics {

/// Values at a fixed step; a bin may be unknown.
struct Series {
  Time start;
  Duration step = std::chrono::seconds(1);
  std::vector<std::optional<double>> values;
};

struct BitrateSummary { double mean, p5, p50, p95, max; };  ///< bit/s at the IP layer, 1 s bins; mean: bytes*8/(last-first)

struct StreamMeasures {
  StreamId id{};
  std::optional<CallId> call;
  Direction direction = Direction::sent;
  bool direction_known = false;
  Time start_time, end_time;
  std::uint64_t packets = 0, bytes = 0;              ///< bytes: IP
  std::optional<std::uint64_t> expected, lost;
  std::optional<double> loss_ratio;
  std::string_view loss_basis;                       ///< contract's words; empty: null
  std::uint64_t duplicates = 0, reordered = 0;
  std::optional<std::uint64_t> max_loss_run;
  std::optional<double> burst_density, gap_density, burst_ratio;
  std::optional<double> mean_burst_ms, mean_gap_ms;  ///< RFC 3611
  std::optional<double> jitter_ms, jitter_max_ms, delay_trend_ms, rtt_ms;
  std::optional<BitrateSummary> bitrate_bps;
  std::optional<double> mos, r_factor;
  bool mos_grounded = false;
  std::uint32_t clock_rate_hz = 0;                   ///< told or inferred; 0: unknown
  std::string codec;
  Series bitrate;                                    ///< bit/s per second
  Series loss;                                       ///< ratio per second
  Series delay;                                      ///< ms above minimum, median per second
  Series mos_series;                                 ///< per 10 s
};

/// From the gravest to the one that says least of the network.
enum class VerdictClass : std::uint8_t { interference, suspected, impaired, clean, insufficient };

/// Why a call can't be judged.
enum class Lack : std::uint8_t { none, too_short, capture_lost, unread, start_unanswered };
std::string_view name_of(Lack lack);                 ///< empty for none

struct CallVerdict {
  CallId call{};
  VerdictClass verdict_class = VerdictClass::insufficient;
  std::string key = "insufficient_evidence";         ///< as the capture's
  Lack lack = Lack::none;
  std::vector<std::size_t> findings;                 ///< that name the call: indices
  std::optional<std::size_t> leading;                ///< that the verdict stands on
};

struct Verdict {
  VerdictClass verdict_class = VerdictClass::insufficient;
  std::string key = "insufficient_evidence";         ///< contract's and methods' keys
  std::optional<std::size_t> leading;                ///< index of the finding that it stands on
  int rung = 0;                                      ///< 0-4: E0 … E4
  double confidence = 0;
  std::array<std::size_t, 5> calls{};                ///< how many, by VerdictClass
  std::map<std::string, std::string> parameters;     ///< for the sentence: application, rate, period … (our own words)
  /// The smallest effects that would have shown, by quantity ("loss_ratio", "rate_ratio", "period_count").
  std::map<std::string, double> smallest_detectable;
  std::vector<std::string> would_help;               ///< message keys: what would make it stronger
};

struct Provenance {
  std::string version, ndpi_version;
  std::vector<std::string> options;                  ///< that change the result; no paths
};

struct Analysis {
  Provenance provenance;
  capture::CaptureRecords captures;
  classify::Classification classification;           ///< flows, streams (identity), calls, attempts
  std::vector<StreamMeasures> streams;               ///< by StreamId
  std::vector<ControlMeasure> controls;              ///< each call beside the other traffic of its minutes
  std::vector<CallOutcome> outcomes;                 ///< by CallId: what became of each call
  std::vector<Finding> findings;                     ///< by start time
  std::vector<CallVerdict> call_verdicts;            ///< by CallId
  Verdict verdict;
};

}  // namespace callwitness::metrics
