// Packet for packet: what libpcap reads of every real capture that it accepts, our reader reads as well.
#include "tests/unit/capture/capture_support.hpp"

#include <catch2/catch.hpp>
#include <pcap/pcap.h>

#include <algorithm>
#include <filesystem>
#include <memory>

using namespace callwitness;
using namespace callwitness::test;

namespace {

struct HandleDeleter {
  void operator()(pcap_t* handle) const { pcap_close(handle); }
};
using Handle = std::unique_ptr<pcap_t, HandleDeleter>;

std::vector<std::filesystem::path> captures() {
  std::vector<std::filesystem::path> found;
  for (const char* folder : {"/../shared/corpus", "/../shared/cases", "/pcaps"}) {
    const std::filesystem::path root = std::string(SOURCE_DIR) + folder;
    if (!std::filesystem::is_directory(root)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      const std::string extension = entry.path().extension().string();
      if (extension == ".pcap" || extension == ".pcapng" || extension == ".cap") found.push_back(entry.path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// Compares while both run; only the first difference of a file is told.
class Comparison final : public capture::PacketSink {
 public:
  explicit Comparison(pcap_t* handle) : handle_(handle) {}
  void on_packet(const capture::Packet& packet) override {
    if (ended_) return;
    pcap_pkthdr* header = nullptr;
    const u_char* data = nullptr;
    if (pcap_next_ex(handle_, &header, &data) != 1) {
      ended_ = true;
      return;
    }
    ++compared;
    const std::int64_t time = std::int64_t{header->ts.tv_sec} * 1'000'000'000 + header->ts.tv_usec;
    // libpcap takes the fraction for signed: beyond a second its time is another one.
    const bool odd_time = header->ts.tv_usec < 0 || header->ts.tv_usec >= 1'000'000'000;
    const bool same = (odd_time || time == packet.time.time_since_epoch().count()) && header->len == packet.wire_length &&
                      header->caplen == packet.bytes.size() &&
                      std::equal(packet.bytes.begin(), packet.bytes.end(), data);
    if (!same && first_difference == 0) first_difference = packet.ordinal;
  }
  /// Packets that libpcap has and we had not.
  std::uint64_t left_over() {
    pcap_pkthdr* header = nullptr;
    const u_char* data = nullptr;
    std::uint64_t count = 0;
    while (!ended_ && pcap_next_ex(handle_, &header, &data) == 1) ++count;
    return count;
  }
  std::uint64_t compared = 0, first_difference = 0;

 private:
  pcap_t* handle_;
  bool ended_ = false;
};

}  // namespace

TEST_CASE("our reader equals libpcap on real captures", "[capture][corpus]") {
  const auto files = captures();
  if (files.empty()) WARN("no captures to compare: ../shared and pcaps are not there");
  int accepted = 0;
  for (const auto& file : files) {
    char reason[PCAP_ERRBUF_SIZE] = "";
    const Handle handle(pcap_open_offline_with_tstamp_precision(file.c_str(), PCAP_TSTAMP_PRECISION_NANO, reason));
    if (!handle) continue;
    INFO(file.string());
    capture::CaptureRecords records;
    auto source = capture::open_source({file.string()}, {}, records);
    REQUIRE(source.has_value());
    Comparison comparison(handle.get());
    REQUIRE(source.value()->run(comparison).has_value());
    CHECK(comparison.first_difference == 0);
    CHECK(comparison.left_over() == 0);
    ++accepted;
  }
  WARN(accepted << " of " << files.size() << " captures compared with libpcap");
}
