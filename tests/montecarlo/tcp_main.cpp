// Simulates TCP downloads through policers and through innocent lines, and asks the whole pipeline what it sees.
//   montecarlo_tcp [--runs N] [--seed FIRST] [--only SCENARIO] [--verbose]
// Seeds below 1,000,000 choose thresholds; from 1,000,000 on they test. Exit status 1: the bars were missed.
#include "frames_analysis.hpp"

#include "metrics/statistics.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <map>
#include <string>

namespace {

using callwitness::metrics::Random;
using namespace tests;

struct Made { TcpScenario scenario; double cap_bps = 0; };   ///< 0: innocent

double logarithmic(Random& random, double low, double high) { return low * std::exp(random.uniform() * std::log(high / low)); }

void add_downloads(Made& made, Random& random, std::size_t count, double end) {
  for (std::size_t i = 0; i < count; ++i) {
    Download download;
    download.start = i == 0 ? 0 : random.uniform(0, 5);
    download.end = end;
    download.round_trip = logarithmic(random, 0.015, 0.25);
    download.cubic = random.chance(0.7);
    made.scenario.downloads.push_back(download);
  }
}

const std::vector<std::string_view> interfering = {"policer", "policer-shared", "policer-each", "policer-and-loss", "policer-behind-line"};
const std::vector<std::string_view> innocent = {"line", "line-shared", "line-cross-traffic", "line-small-queue", "managed-queue", "random-loss", "random-loss-line",
                                                "burst-loss", "steady-application-loss", "steady-application-line", "radio", "wifi-batches", "long-window-loss"};

Made make(std::string_view name, std::uint64_t seed) {
  Random random(seed * 7'919 + name.size() * 131 + static_cast<std::uint64_t>(name.back()));
  Made made;
  auto& scenario = made.scenario;
  scenario.seed = seed + 17;
  scenario.captured_at_sender = random.chance(0.5);
  const double rate = logarithmic(random, 300'000, 3'000'000), depth = logarithmic(random, 100'000, 1'000'000);
  const double line = logarithmic(random, 300'000, 10'000'000), delay = logarithmic(random, 0.03, 1), end = random.uniform(40, 120);
  const double queue = std::max(6'000.0, line / 8 * delay);
  const auto is = [&](std::string_view other) { return name == other; };
  if (name.starts_with("policer")) {
    made.cap_bps = rate;
    const std::size_t count = is("policer-shared") ? 2 + random.index(3) : is("policer-each") ? 2 : 1;
    add_downloads(made, random, count, end);
    const auto policer = token_bucket(rate, depth);
    if (is("policer-and-loss")) scenario.places = {chain({random_loss(random.uniform(0.0005, 0.003), seed + 3), policer})};
    else if (is("policer-behind-line")) scenario.places = {chain({tail_drop_queue(random.uniform(3, 20) * rate, 200'000), policer})};
    else scenario.places = {policer};
    if (is("policer-each")) {
      scenario.places.push_back(token_bucket(rate, depth));
      scenario.downloads[1].place = 1;
    }
    return made;
  }
  add_downloads(made, random, is("line-shared") ? 2 + random.index(3) : 1, end);
  auto& download = scenario.downloads.front();
  const double loss = logarithmic(random, 0.003, 0.03);
  if (is("line") || is("line-shared")) scenario.places = {tail_drop_queue(line, queue)};
  else if (is("line-cross-traffic")) scenario.places = {with_cross_traffic(tail_drop_queue(line, queue), line, random.uniform(0.2, 0.8), seed + 5)};
  else if (is("line-small-queue")) scenario.places = {tail_drop_queue(line, random.uniform(6'000, 15'000))};
  else if (is("managed-queue")) scenario.places = {managed_queue(line, random.uniform(0.005, 0.02))};
  else if (is("random-loss")) scenario.places = {random_loss(loss, seed + 5)};
  else if (is("random-loss-line")) scenario.places = {chain({random_loss(loss / 3, seed + 5), tail_drop_queue(line, queue)})};
  else if (is("burst-loss")) scenario.places = {burst_loss(loss, random.uniform(2, 12), seed + 5)};
  else if (is("radio")) scenario.places = {radio_queue(line, queue, seed + 5)};
  else if (is("wifi-batches")) scenario.places = {chain({tail_drop_queue(line, queue), burst_loss(loss / 3, 3, seed + 5)})}, scenario.receive_batch = random.uniform(0.005, 0.04);
  else if (is("long-window-loss")) scenario.places = {random_loss(loss / 10, seed + 5)}, download.round_trip = random.uniform(0.15, 0.4);
  else if (is("steady-application-loss")) scenario.places = {random_loss(loss, seed + 5)}, download.application_bps = rate / 2, download.round_trip = random.uniform(0.01, 0.05);
  else if (is("steady-application-line")) scenario.places = {with_cross_traffic(tail_drop_queue(line, queue), line, 1.2, seed + 5)}, download.application_bps = 0.9 * line;
  return made;
}

struct Tally { std::size_t runs = 0, told = 0, right = 0; std::vector<double> errors; };

}  // namespace

int main(int argc, char** argv) {
  std::size_t runs = 20;
  std::uint64_t seed = 1'000'000;
  std::string only;
  bool verbose = false;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    const auto value = [&] { return i + 1 < argc ? argv[++i] : ""; };
    if (option == "--runs") runs = std::strtoul(value(), nullptr, 10);
    else if (option == "--seed") seed = std::strtoull(value(), nullptr, 10);
    else if (option == "--only") only = value();
    else if (option == "--verbose") verbose = true;
  }
  std::size_t accused = 0, benign = 0, found = 0, policed = 0;
  const auto all = [&](const std::vector<std::string_view>& names) {
    for (const auto name : names) {
      if (!only.empty() && only != name) continue;
      Tally tally;
      for (std::size_t k = 0; k < runs; ++k) {
        const auto made = make(name, seed + k);
        const auto analysis = analysis_of_frames(run(made.scenario));
        double error = -1;
        std::size_t caps = 0;
        for (const auto& finding : analysis.findings) {
          if (finding.kind != callwitness::metrics::FindingKind::rate_cap) continue;
          ++caps;
          const double this_one = made.cap_bps > 0 ? std::abs(*finding.rate_bps / made.cap_bps - 1) : 0;
          if (error < 0 || this_one < error) error = this_one;
        }
        ++tally.runs;
        tally.told += caps > 0;
        tally.right += made.cap_bps > 0 && caps > 0 && error <= 0.02;
        if (made.cap_bps > 0 && caps > 0) tally.errors.push_back(error);
        if (verbose && (made.cap_bps > 0) != (caps > 0 && error <= 0.02)) {
          fmt::print("{} seed {} at {} cap {:.0f}:", name, seed + k, made.scenario.captured_at_sender ? "sender" : "receiver", made.cap_bps);
          for (const auto& finding : analysis.findings) fmt::print(" {}/{}@{:.0f}", name_of(finding.kind), name_of(finding.mechanism), finding.rate_bps.value_or(0));
          fmt::print("\n");
        }
        if (made.cap_bps > 0) ++policed, found += error >= 0 && error <= 0.02;
        else ++benign, accused += caps > 0;
      }
      fmt::print("{:<26} runs {:>4} told {:>4} within 2 % {:>4}  error median {:.4f} largest {:.4f}\n", name, tally.runs, tally.told, tally.right, callwitness::metrics::median(tally.errors),
                 callwitness::metrics::quantile(tally.errors, 1));
    }
  };
  all(interfering);
  all(innocent);
  fmt::print("false accusations {} of {}; found within 2 % {} of {}\n", accused, benign, found, policed);
  // A small sample misses more by chance than the tenth that a large one is held to (and doesn't reach yet).
  const double least_found = policed < 50 ? 0.6 : 0.9;
  const bool good = static_cast<double>(accused) <= 0.002 * static_cast<double>(benign) && static_cast<double>(found) >= least_found * static_cast<double>(policed);
  return good ? 0 : 1;
}
