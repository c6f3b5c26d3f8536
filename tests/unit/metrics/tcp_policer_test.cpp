// Policing of TCP: found in the published captures of ../shared/corpus/usc and in a model's, silent on what looks like it.
#include "../../support/analysis_of.hpp"
#include "../../support/frames_analysis.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <filesystem>

using namespace tests;
using callwitness::metrics::Analysis;
using callwitness::metrics::Finding;
using callwitness::metrics::FindingKind;
using callwitness::metrics::Mechanism;
using callwitness::metrics::VerdictClass;

namespace {

std::vector<const Finding*> caps_of(const Analysis& analysis) {
  std::vector<const Finding*> caps;
  for (const auto& finding : analysis.findings)
    if (finding.kind == FindingKind::rate_cap) caps.push_back(&finding);
  return caps;
}

Analysis download_through(NarrowPlace place, bool at_sender, std::size_t connections = 1, double application_bps = 0) {
  TcpScenario scenario;
  scenario.places = {std::move(place)};
  scenario.captured_at_sender = at_sender;
  for (std::size_t i = 0; i < connections; ++i) {
    Download download;
    download.start = 1.3 * static_cast<double>(i);
    download.round_trip = 0.05 + 0.03 * static_cast<double>(i);
    download.application_bps = application_bps;
    scenario.downloads.push_back(download);
  }
  return analysis_of_frames(run(std::move(scenario)));
}

/// The number that stands after `key=` in the name of a capture of the corpus.
std::optional<double> named(const std::string& name, const std::string& key) {
  const auto at = name.find("-" + key + "=");
  if (at == std::string::npos) return std::nullopt;
  return std::stod(name.substr(at + key.size() + 2));
}

}  // namespace

TEST_CASE("a policed download is found at either end, and is no call's interference") {
  const bool at_sender = GENERATE(true, false);
  const auto analysis = download_through(token_bucket(1'000'000, 200'000), at_sender);
  const auto caps = caps_of(analysis);
  REQUIRE(caps.size() == 1);
  CHECK(caps[0]->mechanism == Mechanism::policer);
  CHECK(*caps[0]->rate_bps == Approx(1'000'000).epsilon(0.01));
  CHECK(caps[0]->numbers.at("captured_behind") == (at_sender ? 0 : 1));
  CHECK(caps[0]->calls.empty());
  CHECK_FALSE(caps[0]->packets.empty());
  CHECK(analysis.verdict.verdict_class == VerdictClass::insufficient);
}

TEST_CASE("connections that share a policer are told as one cap") {
  const auto analysis = download_through(token_bucket(1'500'000, 150'000), true, 3);
  const auto caps = caps_of(analysis);
  REQUIRE(caps.size() == 1);
  CHECK(*caps[0]->rate_bps == Approx(1'500'000).epsilon(0.01));
  CHECK(caps[0]->flows.size() == 3);
}

TEST_CASE("what only looks like a TCP policer is none") {
  const bool at_sender = GENERATE(true, false);
  CHECK(caps_of(download_through(tail_drop_queue(1'000'000, 60'000), at_sender)).empty());
  CHECK(caps_of(download_through(tail_drop_queue(2'000'000, 8'000), at_sender)).empty());
  CHECK(caps_of(download_through(managed_queue(2'000'000, 0.005), at_sender)).empty());
  CHECK(caps_of(download_through(random_loss(0.01, 5), at_sender)).empty());
  CHECK(caps_of(download_through(burst_loss(0.01, 8, 5), at_sender)).empty());
  CHECK(caps_of(download_through(radio_queue(3'000'000, 80'000, 5), at_sender)).empty());
  CHECK(caps_of(download_through(with_cross_traffic(tail_drop_queue(2'000'000, 50'000), 2'000'000, 0.7, 5), at_sender)).empty());
  CHECK(caps_of(download_through(random_loss(0.02, 5), at_sender, 1, 600'000)).empty());
}

TEST_CASE("TCP policers of the corpus are found, its plain bottlenecks are not accused") {
  const std::filesystem::path corpus = SOURCE_DIR "/../shared/corpus/usc";
  if (!std::filesystem::exists(corpus)) {
    WARN("skipped: ../shared/corpus/usc is not there");
    return;
  }
  std::size_t easy = 0, found = 0;
  for (const auto& entry : std::filesystem::directory_iterator(corpus)) {
    const auto name = entry.path().filename().string();
    const auto analysis = callwitness::tests::analysis_of(entry.path().string());
    INFO(name);
    REQUIRE(analysis.has_value());
    const auto caps = caps_of(*analysis);
    CHECK(analysis->verdict.verdict_class == VerdictClass::insufficient);
    const auto policed = named(name, "PCIR");
    if (!policed) {
      CHECK(caps.empty());
      continue;
    }
    // The router counted Ethernet frames with their check sequence: 18 bytes more than IP's 1,500.
    const double truth = *policed * 1'500 / 1'518;
    CHECK(caps.size() <= 1);
    for (const auto* cap : caps) {
      if (cap->rate_bps_high) CHECK(*cap->rate_bps == Approx(truth).epsilon(0.03));
      else CHECK(*cap->rate_bps <= 1.03 * truth);          // a shallow bucket that the sender meets once a round trip
    }
    if (*policed > 3'000'000 || named(name, "PBC").value_or(100'000) < 100'000) continue;
    ++easy;
    found += caps.size();
  }
  REQUIRE(easy > 0);
  CHECK(static_cast<double>(found) >= 0.95 * static_cast<double>(easy));
}
