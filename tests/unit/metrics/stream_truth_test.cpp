// Every stream of ../shared/corpus/stream_truth.tsv: counts exact, jitter within 2 %.
#include "../../support/analysis_of.hpp"

#include "classify/application.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

using namespace callwitness;

namespace {
struct Row {
  std::string source, destination, ssrc;
  std::uint64_t unique, expected, lost, duplicates, reordered, longest;
  std::string jitter_mean, jitter_max;
};

std::map<std::string, std::vector<Row>> read_truth(const std::string& path) {
  std::map<std::string, std::vector<Row>> rows;
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    std::vector<std::string> field;
    std::istringstream cells(line);
    for (std::string cell; std::getline(cells, cell, '\t');) field.push_back(cell);
    const auto endpoint = [](const std::string& host, const std::string& port) {
      return host.find(':') == std::string::npos ? host + ":" + port : "[" + host + "]:" + port;
    };
    const auto number = [&](std::size_t i) { return static_cast<std::uint64_t>(std::stoull(field[i])); };
    rows[field[0]].push_back({endpoint(field[1], field[2]), endpoint(field[3], field[4]), field[5], number(6), number(7),
                              number(8), number(9), number(10), number(11), field[13], field[14]});
  }
  return rows;
}

void check_jitter(const std::string& truth, const std::optional<double>& measured) {
  if (truth == "None") return;
  REQUIRE(measured);
  CHECK(*measured == Approx(std::stod(truth)).epsilon(0.02).margin(0.001));
}
}  // namespace

TEST_CASE("Every stream of the corpus is counted exactly") {
  const std::filesystem::path corpus = SOURCE_DIR "/../shared/corpus";
  if (!std::filesystem::exists(corpus / "stream_truth.tsv")) {
    WARN("skipped: ../shared/corpus is not there");
    return;
  }
  for (const auto& [file, rows] : read_truth(corpus / "stream_truth.tsv")) {
    const auto path = std::filesystem::exists(corpus / "rtp" / file) ? corpus / "rtp" / file : corpus / "ndpi" / file;
    const auto analysis = tests::analysis_of(path);
    REQUIRE(analysis);
    std::map<std::string, std::size_t> used;
    for (const auto& row : rows) {
      // Media inside an application's own framing needs that application's recogniser.
      if (file.find("zoom") != std::string::npos && !classify::find_application("zoom")) continue;
      INFO(file << ' ' << row.source << " > " << row.destination << ' ' << row.ssrc);
      const auto ssrc = static_cast<std::uint32_t>(std::stoul(row.ssrc.substr(0, 8), nullptr, 16));
      const metrics::StreamMeasures* found = nullptr;
      bool keys = false;                          // the truth's jitter is of all packets; ours leaves events and comfort noise out
      for (const auto& stream : analysis->classification.streams) {
        if (stream.ssrc != ssrc || stream.source.text() != row.source || stream.destination.text() != row.destination) continue;
        const auto& measured = analysis->streams[static_cast<std::size_t>(stream.id)];
        if (!found || measured.expected == row.expected) found = &measured;
        for (const auto& format : stream.formats) keys = keys || format.is_auxiliary;
      }
      CHECK(found);
      if (!found) continue;
      CHECK(found->packets == row.unique + row.duplicates);
      CHECK(found->expected == row.expected);
      CHECK(found->lost == row.lost);
      CHECK(found->duplicates == row.duplicates);
      CHECK(found->reordered == row.reordered);
      CHECK(found->max_loss_run == row.longest);
      if (keys) continue;
      check_jitter(row.jitter_mean, found->jitter_ms);
      check_jitter(row.jitter_max, found->jitter_max_ms);
    }
  }
}
