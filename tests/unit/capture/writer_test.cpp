#include "capture/writer.hpp"

#include "tests/unit/capture/capture_support.hpp"

#include <catch2/catch.hpp>

#include <sys/stat.h>

#include <filesystem>
#include <sstream>

using namespace callwitness::capture;
using namespace callwitness::test;

namespace {
const std::vector<std::uint8_t> bytes{1, 2, 3, 4, 5};

Packet some_packet() {
  Packet packet;
  packet.time = Time(Duration(1'700'000'000'123'456'789));
  packet.bytes = bytes;
  packet.wire_length = 77;
  packet.direction = LinkDirection::outbound;
  return packet;
}
}  // namespace

TEST_CASE("what the writer writes the reader reads", "[capture]") {
  std::ostringstream out;
  {
    PcapngWriter writer(out, {"why <this> exists", "callwitness test"});
    const auto ethernet = writer.add_interface({LinkType{1}, 96, "eth0", "udp", ""});
    const auto raw = writer.add_interface({LinkType{101}, 0, "", "", "a tunnel"});
    REQUIRE(writer.write(some_packet(), raw, "shows the policer").has_value());
    REQUIRE(writer.write(some_packet(), ethernet).has_value());
    REQUIRE(writer.statistics(ethernet, some_packet().time, {10, 1, 3, std::nullopt}).has_value());
    REQUIRE(writer.statistics(ethernet, some_packet().time, {20, 1, 7, 12}).has_value());
    CHECK(writer.packets() == 2);
    CHECK(writer.size() > 200);
  }
  const auto read = read_bytes(out.str());
  REQUIRE(read.packets.size() == 2);
  CHECK(read.packets[0].link_type == 101);
  CHECK(read.packets[0].time == some_packet().time);
  CHECK(read.packets[0].bytes.size() == 5);
  CHECK(read.packets[0].wire_length == 77);
  CHECK(read.packets[0].direction == LinkDirection::outbound);
  const auto& record = read.records.front();
  CHECK_FALSE(record.damaged);
  CHECK(record.dropped_by_capture == 8);
  REQUIRE(record.drop_history.size() == 2);
  CHECK(record.drop_history[0].second == 4);
  REQUIRE(record.comments.size() == 2);
  CHECK(record.comments[0].raw() == "why <this> exists");
}

TEST_CASE("a recording is private, new, and never goes through a link", "[capture]") {
  const TemporaryFile taken("do not touch");
  CHECK_FALSE(PcapngWriter::create(taken.path(), {}).has_value());
  const std::string fresh = taken.path() + ".new", link = taken.path() + ".link";
  {
    auto writer = PcapngWriter::create(fresh, {});
    REQUIRE(writer.has_value());
    struct stat status {};
    REQUIRE(::stat(fresh.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
  }
  std::filesystem::create_symlink(fresh, link);
  CHECK_FALSE(PcapngWriter::create(link, {}, Overwrite::yes).has_value());
  CHECK(PcapngWriter::create(fresh, {}, Overwrite::yes).has_value());
  std::filesystem::remove(fresh);
  std::filesystem::remove(link);
}

TEST_CASE("a full disk is told", "[capture]") {
  if (!std::filesystem::exists("/dev/full")) return;
  const auto writer = PcapngWriter::create("/dev/full", {}, Overwrite::yes);
  REQUIRE_FALSE(writer.has_value());
  CHECK(writer.error().remedy.find("space") != std::string::npos);
}
