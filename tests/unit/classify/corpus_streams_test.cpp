// Every RTP stream of the shared corpus's table is found, with all its packets, and none that isn't there.
#include "capture/decoder.hpp"
#include "capture/source.hpp"
#include "classify/application.hpp"
#include "classify_support.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

using namespace callwitness;
using namespace callwitness::classify;
using classify::test::Recorder;

namespace {

const std::filesystem::path corpus = std::filesystem::path(SOURCE_DIR) / "../shared/corpus";

struct Row {
  std::string key;      // file, addresses, ports, SSRC
  std::uint64_t unique = 0, captured = 0;
};

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream stream(line);
  for (std::string field; std::getline(stream, field, '\t');) fields.push_back(field);
  return fields;
}

std::filesystem::path find_file(const std::string& name) {
  for (const char* folder : {"rtp", "ndpi"}) {
    if (std::filesystem::exists(corpus / folder / name)) return corpus / folder / name;
  }
  return {};
}

std::string key_of(const std::string& file, const Stream& stream) {
  char ssrc[16] = "-";
  if (stream.ssrc) std::snprintf(ssrc, sizeof ssrc, "%08X", *stream.ssrc);
  return file + ' ' + stream.source.address.text() + ' ' + std::to_string(stream.source.port) + ' ' +
         stream.destination.address.text() + ' ' + std::to_string(stream.destination.port) + ' ' + ssrc;
}

}  // namespace

TEST_CASE("RTP streams of the corpus: all, whole, and no others", "[classify][corpus]") {
  std::ifstream table(corpus / "stream_truth.tsv");
  if (!table) {
    WARN("../shared/corpus is not here: skipped");
    return;
  }
  std::multimap<std::string, Row> rows;
  std::set<std::string> files;
  std::string line;
  std::getline(table, line);
  while (std::getline(table, line)) {
    const auto fields = split(line);
    const auto unique = std::stoull(fields[6]);
    files.insert(fields[0]);
    const auto key = fields[0] + ' ' + fields[1] + ' ' + fields[2] + ' ' + fields[3] + ' ' + fields[4] + ' ' + fields[5].substr(0, 8);
    rows.emplace(key, Row{key, unique, unique + std::stoull(fields[9])});
  }
  for (const auto& file : files) {
    Recorder recorder;
    Classifier classifier(recorder, {{}, 200'000, false});
    capture::Anomalies anomalies;
    capture::Decoder decoder(classifier, anomalies);
    capture::CaptureRecords records;
    auto source = capture::open_source({find_file(file).string()}, {}, records);
    REQUIRE(source.has_value());
    REQUIRE(source.value()->run(decoder).has_value());
    std::map<StreamId, std::set<std::uint32_t>> sequences;
    for (const auto& packet : recorder.packets) sequences[packet.stream].insert(packet.sequence);
    for (const auto& stream : recorder.result.streams) {
      if (stream.sequence_basis != SequenceBasis::rtp) continue;
      const auto key = key_of(file, stream);
      const auto unique = sequences[stream.id].size(), captured = recorder.packets_of(stream.id);
      INFO(key << ": " << unique << " of " << captured);
      auto found = rows.equal_range(key);
      auto row = found.first;
      while (row != found.second && (row->second.unique != unique || row->second.captured != captured)) ++row;
      CHECK(row != found.second);
      if (row != found.second) rows.erase(row);
    }
  }
  for (const auto& [key, row] : rows) {
    if (key.find("zoom") != std::string::npos && !find_application("zoom")) continue;  // its header comes with its file
    INFO("missing: " << key);
    CHECK(row.unique == 0);
  }
}
