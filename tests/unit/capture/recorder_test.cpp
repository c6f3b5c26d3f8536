// A live recording without a network: rings of files, and what each says of drops.
#include "capture/recorder.hpp"
#include "tests/unit/capture/capture_support.hpp"

#include <catch2/catch.hpp>
#include <unistd.h>

#include <filesystem>

using namespace callwitness::capture;
using namespace callwitness::test;
using namespace std::chrono_literals;

namespace {

/// A folder of its own, removed at the end.
struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("callwitness-recorder-" + std::to_string(::getpid()));
  Folder() { std::filesystem::create_directory(path); }
  ~Folder() { std::filesystem::remove_all(path); }
};

/// A packet of a thousand bytes every 100 ms, statistics every second; in second n the capture loses n more.
void record(Recorder& recorder, int seconds) {
  const std::string data(1000, 'x');
  Packet packet;
  packet.bytes = Bytes(reinterpret_cast<const std::uint8_t*>(data.data()), data.size());
  packet.wire_length = 1000;
  InterfaceStatistics told;
  told.received = told.dropped_by_system = 0;
  for (int second = 0; second < seconds; ++second) {
    for (int i = 0; i < 10; ++i) {
      packet.time = Time(1'700'000'000s) + second * 1s + i * 100ms;
      recorder.write(packet);
    }
    *told.received += 10 + static_cast<unsigned>(second);
    *told.dropped_by_system += static_cast<unsigned>(second);
    recorder.statistics(Time(1'700'000'000s) + second * 1s + 999ms, told);
  }
}

}  // namespace

TEST_CASE("the files of a ring hold every packet once, and each its own drops", "[capture]") {
  for (const bool by_time : {false, true}) {
    const Folder folder;
    LiveOptions options;
    options.recording = (folder.path / "r.pcapng").string();
    if (by_time) options.ring_duration = 2s;
    else options.ring_kilobytes = 20;
    {
      auto recorder = Recorder::create(options, {LinkType{1}, 0, "eth0", "", ""});
      REQUIRE(recorder.has_value());
      record(**recorder, 10);
      CHECK_FALSE((*recorder)->take_failure());
    }
    const auto read = read_paths({folder.path.string()});
    CHECK(read.packets.size() == 100);
    CHECK(read.records.size() == 5);
    std::uint64_t drops = 0;
    for (const auto& file : read.records) {
      CHECK(file.packets == 20);
      drops += file.dropped_by_capture.value_or(0);
    }
    CHECK(drops == 45);
    CHECK(read.records.back().dropped_by_capture < 45u);
  }
}

TEST_CASE("a ring keeps its newest files", "[capture]") {
  const Folder folder;
  LiveOptions options;
  options.recording = (folder.path / "r.pcapng").string();
  options.ring_duration = 1s;
  options.ring_files = 3;
  auto recorder = Recorder::create(options, {LinkType{1}, 0, "eth0", "", ""});
  REQUIRE(recorder.has_value());
  record(**recorder, 10);
  const auto read = read_paths({folder.path.string()});
  REQUIRE(read.records.size() == 3);
  CHECK(read.packets.front().time == Time(1'700'000'007s));
}
