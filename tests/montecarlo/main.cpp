// Simulates calls and asks the whole pipeline what it sees.
//   montecarlo [--benign N] [--interfering N] [--seconds S] [--seed FIRST] [--only SCENARIO] [--verbose]
// Seeds below 1,000,000 choose thresholds; from 1,000,000 on they test. Exit status 1: the bars were missed.
#include "scenario.hpp"

#include "capture/decoder.hpp"
#include "classify/classifier.hpp"
#include "metrics/analyzer.hpp"
#include "metrics/statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <map>
#include <string>

namespace {

using callwitness::metrics::Analysis;
using callwitness::metrics::FindingKind;
using callwitness::metrics::VerdictClass;

Analysis analyse(const montecarlo::Simulated& simulated) {
  callwitness::capture::CaptureRecords records;
  records.emplace_back();
  callwitness::metrics::Analyzer analyzer(records);
  callwitness::classify::ClassifierOptions options;
  options.use_ndpi = false;   // its child would take longer to start than a call takes to judge
  callwitness::classify::Classifier classifier(analyzer, options);
  callwitness::capture::Anomalies anomalies;
  callwitness::capture::Decoder decoder(classifier, anomalies);
  montecarlo::replay(simulated, decoder);
  return analyzer.take_analysis();
}

/// found: a true finding is told; surfaced: the verdict stands on it, accused or suspected.
struct Tally {
  std::size_t runs = 0, accused = 0, suspected = 0, found = 0, surfaced = 0, exact = 0;
  std::map<std::string, std::size_t> classes;
  std::vector<double> errors;
};

struct Bin { double said = 0; std::size_t count = 0, right = 0; };

/// How many of several caps in turn are among the findings, within 2 %.
std::size_t caps_told(const Analysis& analysis, const montecarlo::Truth& truth) {
  return static_cast<std::size_t>(std::count_if(truth.caps_bps.begin(), truth.caps_bps.end(), [&](double cap) {
    return std::any_of(analysis.findings.begin(), analysis.findings.end(), [&](const auto& finding) {
      return finding.kind == FindingKind::rate_cap && name_of(finding.mechanism) == truth.mechanism && std::abs(*finding.rate_bps / cap - 1) <= 0.02;
    });
  }));
}

struct SpanErrors { std::vector<double> since, until; };   ///< seconds

/// How far the beginning and the end of the cap's finding are from the truth, where those are in mid-call.
void add_span_errors(const Analysis& analysis, const montecarlo::Truth& truth, SpanErrors& errors) {
  for (const auto& finding : analysis.findings) {
    if (finding.kind != FindingKind::rate_cap || name_of(finding.mechanism) != truth.mechanism) continue;
    const auto second = [](callwitness::capture::Time time) { return callwitness::capture::seconds(time - montecarlo::epoch); };
    if (truth.from > 0) errors.since.push_back(std::abs(second(finding.start_time) - truth.from));
    if (truth.until) errors.until.push_back(std::abs(second(finding.end_time) - *truth.until));
    return;
  }
}

/// What was found of what bound, by how much of the offered rate the cap leaves.
struct BySeverity {
  static constexpr std::array edges = {0.65, 0.8, 1.0};
  std::array<std::size_t, edges.size()> bound{}, found{};
  void add(double severity, bool was_found) {
    const auto bin = static_cast<std::size_t>(std::find_if(edges.begin(), edges.end() - 1, [&](double edge) { return severity < edge; }) - edges.begin());
    ++bound[bin];
    found[bin] += was_found;
  }
};

/// The mechanism that the verdict names, or its finding's kind.
std::string mechanism_of(const Analysis& analysis) {
  const auto at = [&](const char* name) {
    const auto found = analysis.verdict.parameters.find(name);
    return found == analysis.verdict.parameters.end() ? std::string() : found->second;
  };
  return at("kind") == "rate_cap" ? at("mechanism") : at("kind");
}

std::string_view class_of(const Analysis& analysis) {
  static constexpr std::string_view names[] = {"interference", "suspected", "impaired", "clean", "insufficient"};
  return names[static_cast<std::size_t>(analysis.verdict.verdict_class)];
}

/// Relative error of the finding of the right kind and mechanism that fits the truth best; negative: none.
double error_of(const Analysis& analysis, const montecarlo::Truth& truth) {
  double best = -1;
  for (const auto& finding : analysis.findings) {
    double error = -1;
    if (truth.cap_bps && finding.kind == FindingKind::rate_cap && name_of(finding.mechanism) == truth.mechanism)
      for (const double cap : truth.caps_bps) {
        const double this_one = std::abs(*finding.rate_bps / cap - 1);
        if (error < 0 || this_one < error) error = this_one;
      }
    if (truth.freezes && (finding.kind == FindingKind::freeze || finding.kind == FindingKind::dies_after)) error = 0;
    if (truth.period_s && finding.kind == FindingKind::periodic_reset) error = std::abs(*finding.period_s / *truth.period_s - 1);
    if (error >= 0 && (best < 0 || error < best)) best = error;
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t benign = 100, interfering = 100;
  double seconds = 60;
  std::uint64_t seed = 1'000'000;
  std::string only;
  bool verbose = false;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    const auto value = [&] { return i + 1 < argc ? argv[++i] : ""; };
    if (option == "--benign") benign = std::strtoul(value(), nullptr, 10);
    else if (option == "--interfering") interfering = std::strtoul(value(), nullptr, 10);
    else if (option == "--seconds") seconds = std::strtod(value(), nullptr);
    else if (option == "--seed") seed = std::strtoull(value(), nullptr, 10);
    else if (option == "--only") only = value();
    else if (option == "--verbose") verbose = true;
  }
  std::map<std::string, Tally> tallies;
  std::map<int, Bin> reliability;
  std::map<std::string, Bin> by_mechanism;
  std::map<std::string, BySeverity> by_severity;
  SpanErrors span_errors;
  std::size_t steps = 0, steps_told = 0, both_told = 0;
  std::size_t false_accusations = 0, false_suspicions = 0, benign_runs = 0, missed = 0, false_clean = 0, interfering_runs = 0, unbound = 0;
  const auto run = [&](std::string_view scenario, std::uint64_t this_seed) {
    const auto simulated = montecarlo::simulate(scenario, this_seed, seconds);
    const auto& truth = simulated.truth;
    const bool interferes = truth.interference && truth.binds;
    if (truth.interference && !truth.binds) ++unbound;
    const auto analysis = analyse(simulated);
    auto& tally = tallies[std::string(scenario)];
    ++tally.runs;
    ++tally.classes[std::string(class_of(analysis))];
    const bool accused = analysis.verdict.verdict_class == VerdictClass::interference;
    const double error = error_of(analysis, truth);
    const bool found = error >= 0 && error < 0.1, suspected = analysis.verdict.verdict_class == VerdictClass::suspected, surfaced = found && (accused || suspected);
    tally.accused += accused;
    tally.suspected += suspected;
    tally.found += found;
    tally.surfaced += surfaced;
    tally.exact += found && error <= 0.02;
    if (found) tally.errors.push_back(error);
    if (!truth.interference) ++benign_runs, false_accusations += accused, false_suspicions += suspected;
    else if (interferes) ++interfering_runs, missed += !surfaced, false_clean += analysis.verdict.verdict_class == VerdictClass::clean;
    // Of adaptive video what is offered follows the cap.
    if (interferes && truth.cap_bps && scenario.find("video") == std::string_view::npos) by_severity[std::string(scenario)].add(truth.severity, found);
    if (truth.caps_bps.size() > 1) ++steps, steps_told += found, both_told += caps_told(analysis, truth) == truth.caps_bps.size();
    if (found) add_span_errors(analysis, truth, span_errors);
    const double said = analysis.verdict.confidence;
    if (accused) {
      for (auto* bin : {&reliability[static_cast<int>(said * 20)], &by_mechanism[mechanism_of(analysis)]}) {
        bin->said += said;
        ++bin->count;
        bin->right += truth.interference && found;
      }
    }
    if (verbose && ((accused || suspected) != truth.interference || (interferes && (!surfaced || error > 0.02)))) {
      fmt::print("{} seed {} {} severity {:.2f} cap {} said {}", scenario, this_seed, truth.binds ? "" : "(unbound)", truth.severity, truth.cap_bps.value_or(0), class_of(analysis));
      for (const auto& finding : analysis.findings)
        fmt::print(" {}/{}{}", name_of(finding.kind), name_of(finding.mechanism), finding.rate_bps ? fmt::format("@{:.0f}", *finding.rate_bps) : finding.period_s ? fmt::format("@{:.2f}s", *finding.period_s) : ""), fmt::print("({})", finding.scope.reason);
      fmt::print("\n");
    }
  };
  const auto all = [&](const std::vector<std::string_view>& scenarios, std::size_t count) {
    for (std::size_t k = 0; k < count; ++k) {
      const auto scenario = scenarios[k % scenarios.size()];
      if (only.empty() || only == scenario) run(scenario, seed + k);
    }
  };
  all(montecarlo::benign_scenarios(), benign);
  all(montecarlo::interfering_scenarios(), interfering);
  fmt::print("{:<30} {:>5} {:>8} {:>9} {:>6} {:>8} {:>9} {:>9} {:>9}  classes\n", "scenario", "runs", "accused", "suspected", "found", "surfaced", "within 2%", "median", "max");
  for (const auto& [name, tally] : tallies) {
    fmt::print("{:<30} {:>5} {:>8} {:>9} {:>6} {:>8} {:>9} {:>9.4f} {:>9.4f} ", name, tally.runs, tally.accused, tally.suspected, tally.found, tally.surfaced, tally.exact, callwitness::metrics::median(tally.errors),
               callwitness::metrics::quantile(tally.errors, 1));
    for (const auto& [said, count] : tally.classes) fmt::print(" {} {}", said, count);
    fmt::print("\n");
  }
  for (const auto& [name, tally] : by_severity) {
    fmt::print("cap over offered {:<24}", name);
    for (std::size_t i = 0; i < BySeverity::edges.size(); ++i) fmt::print("  below {:.2f}: {} of {}", BySeverity::edges[i], tally.found[i], tally.bound[i]);
    fmt::print("\n");
  }
  for (const auto& [name, bin] : by_mechanism)
    fmt::print("said {:<20} {:.3f} on average: right {} of {}\n", name, bin.said / static_cast<double>(bin.count), bin.right, bin.count);
  if (steps > 0) fmt::print("steps: {} of {} found, with the rates on both sides {}\n", steps_told, steps, both_told);
  for (const auto& [what, errors] : {std::pair{"since", &span_errors.since}, {"until", &span_errors.until}})
    if (!errors->empty())
      fmt::print("{} when: {} told, median error {:.1f} s, 90 % within {:.1f} s\n", what, errors->size(), callwitness::metrics::median(*errors),
                 callwitness::metrics::quantile(*errors, 0.9));
  double calibration = 0, accusations = 0;
  for (const auto& [index, bin] : reliability) {
    const double n = static_cast<double>(bin.count);
    fmt::print("confidence {:.3f}: right {:.3f} of {}\n", bin.said / n, static_cast<double>(bin.right) / n, bin.count);
    calibration += std::abs(bin.said - static_cast<double>(bin.right));
    accusations += n;
  }
  if (accusations > 0) calibration /= accusations;
  fmt::print("false accusations {} and false suspicions {} of {} benign; not surfaced {} and clean {} of {} interfering ({} didn't bind); expected calibration error {:.4f}\n", false_accusations,
             false_suspicions, benign_runs, missed, false_clean, interfering_runs, unbound, calibration);
  // A small sample misses more by chance than the 5 % that a large one is held to.
  const double most_missed = interfering_runs < 100 ? 0.25 : 0.05;
  const bool good = static_cast<double>(false_accusations) <= 0.001 * static_cast<double>(benign_runs) && (interfering_runs == 0 || static_cast<double>(missed) <= most_missed * static_cast<double>(interfering_runs));
  return good ? 0 : 1;
}
