#include "seeds.hpp"

#include "datagrams.hpp"

#include "capture/decoder.hpp"
#include "capture/source.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

namespace callwitness::fuzz {
namespace {

constexpr std::size_t datagrams_of_flow = 40, flows_of_capture = 12, packets_of_capture = 4'000;

/// Gathers a capture's beginnings: of the file, of its flows, of its payloads.
class Gatherer final : public capture::PacketSink, public capture::DatagramSink {
 public:
  Gatherer(Seeds kind, std::size_t longest) : kind_(kind), longest_(longest), decoder_(*this, anomalies_) {}

  void on_packet(const capture::Packet& packet) override {
    if (kind_ == Seeds::frames && (frames_.size() < 2'000 || frames_.empty())) {
      if (frames_.empty()) frames_.push_back(1);
      const auto length = std::min<std::size_t>(packet.bytes.size(), 600);
      frames_.push_back(static_cast<std::uint8_t>(length >> 8));
      frames_.push_back(static_cast<std::uint8_t>(length));
      frames_.insert(frames_.end(), packet.bytes.begin(), packet.bytes.begin() + static_cast<std::ptrdiff_t>(length));
    }
    decoder_.on_packet(packet);
  }
  void on_datagram(const capture::Datagram& datagram) override {
    if (kind_ == Seeds::payloads && payloads_.size() < 200 && !datagram.payload.empty())
      payloads_.emplace_back(datagram.payload.begin(), datagram.payload.end());
    if (kind_ != Seeds::datagrams) return;
    auto flow = flows_.find(datagram.five_tuple);
    const bool is_backward = flow == flows_.end() && flows_.contains(datagram.five_tuple.reversed());
    if (is_backward) flow = flows_.find(datagram.five_tuple.reversed());
    if (flow == flows_.end()) {
      if (flows_.size() >= flows_of_capture) return;
      flow = flows_.try_emplace(datagram.five_tuple).first;
    }
    auto& [count, bytes] = flow->second;
    if (count++ < datagrams_of_flow && bytes.size() < longest_) write(bytes, datagram, is_backward, 400);
  }
  void finish() override {}
  void on_idle(capture::Time) override {}

  void take(std::vector<Input>& to) {
    if (!frames_.empty()) to.push_back(std::move(frames_));
    for (auto& payload : payloads_) to.push_back(std::move(payload));
    for (auto& [tuple, flow] : flows_) to.push_back(std::move(flow.second));
  }

 private:
  Seeds kind_;
  std::size_t longest_;
  capture::Anomalies anomalies_;
  capture::Decoder decoder_;
  Input frames_;
  std::vector<Input> payloads_;
  std::map<capture::FiveTuple, std::pair<std::size_t, Input>> flows_;
};

void add_file(std::vector<Input>& to, const std::filesystem::path& path, std::size_t longest) {
  std::ifstream file(path, std::ios::binary);
  Input bytes(longest);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  to.push_back(std::move(bytes));
}

}  // namespace

std::vector<Input> seeds_of(const std::string& directory, Seeds kind, std::size_t longest) {
  if (kind == Seeds::bundles) return bundle_seeds();
  if (kind == Seeds::exchanges) return exchange_seeds();
  std::vector<Input> found{Input(64)};
  std::vector<std::filesystem::path> captures;
  if (std::filesystem::is_directory(directory))
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory))
      if (entry.is_regular_file() && entry.path().string().find(".pcap") != std::string::npos) captures.push_back(entry.path());
  std::sort(captures.begin(), captures.end());
  for (const auto& path : captures) {
    if (kind == Seeds::file) add_file(found, path, longest);
    capture::CaptureRecords records;
    capture::SourceOptions options;
    options.packet_limit = packets_of_capture;
    Gatherer gatherer(kind, longest);
    if (auto source = capture::open_source({path.string()}, options, records); kind != Seeds::file && source)
      if (source.value()->run(gatherer)) gatherer.take(found);
  }
  std::erase_if(found, [](const Input& input) { return input.empty(); });
  for (Input& input : found) input.resize(std::min(input.size(), longest));
  return found;
}

}  // namespace callwitness::fuzz
