// Files that are cut, broken, packed, endless or many.
#include "capture/files/byte_stream.hpp"
#include "tests/unit/capture/capture_support.hpp"

#include <catch2/catch.hpp>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <thread>

using namespace callwitness::test;
using callwitness::capture::Bytes;
using callwitness::capture::ByteStream;
using callwitness::capture::Error;
using callwitness::capture::SourceOptions;
using callwitness::capture::StreamOptions;

namespace {

std::string small_pcap(int packets = 5, bool big_endian = false) {
  std::string file = pcap_header(big_endian);
  for (int i = 0; i < packets; ++i)
    file += pcap_record(1'700'000'000 + static_cast<unsigned>(i), 7, "packet number " + std::to_string(i), big_endian);
  return file;
}

std::string small_pcapng(int packets = 5) {
  std::string file = pcapng_section(false, pcapng_option(1, "c")) + pcapng_interface();
  for (int i = 0; i < packets; ++i)
    file += pcapng_packet(0, 1'700'000'000'000'000 + static_cast<unsigned>(i), "packet " + std::to_string(i),
                          pcapng_option(2, std::string("\1\0\0\0", 4)));
  return file;
}

std::string gzip(std::string_view plain) {
  z_stream state{};
  deflateInit2(&state, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&state, plain.size()) + 64, '\0');
  state.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  state.avail_in = static_cast<uInt>(plain.size());
  state.next_out = reinterpret_cast<Bytef*>(packed.data());
  state.avail_out = static_cast<uInt>(packed.size());
  deflate(&state, Z_FINISH);
  packed.resize(state.total_out);
  deflateEnd(&state);
  return packed;
}

const std::string hostile_folder = std::string(SOURCE_DIR) + "/../shared/hostile";

}  // namespace

TEST_CASE("a capture cut at any byte keeps the packets before the cut", "[capture]") {
  for (const std::string& whole : {small_pcap(), small_pcap(5, true), small_pcapng()}) {
    const auto full = read_bytes(whole);
    REQUIRE(full.packets.size() == 5);
    std::size_t before = 0;
    for (std::size_t size = 0; size <= whole.size(); ++size) {
      const auto cut = read_bytes(whole.substr(0, size));
      CHECK(cut.packets.size() >= before);
      before = cut.packets.size();
      CHECK(std::equal(cut.packets.begin(), cut.packets.end(), full.packets.begin()));
      if (cut.error.empty() && cut.records.front().damaged) CHECK(cut.records.front().problems.size() == 1);
    }
    CHECK(before == 5);
  }
}

TEST_CASE("garbage in mid-file is skipped", "[capture]") {
  const std::string whole = small_pcap();
  const std::size_t record = (whole.size() - 24) / 5;
  for (const std::string& garbage : {std::string(1000, '\0'), std::string(999, '\xff'), std::string("GET / HTTP/1.1\r\n\r\n")}) {
    const auto read = read_bytes(whole.substr(0, 24 + 2 * record) + garbage + whole.substr(24 + 2 * record));
    CHECK(read.packets.size() == 5);
    CHECK(read.records.front().damaged);
    REQUIRE(read.records.front().problems.size() == 1);
    CHECK(read.records.front().problems.front().find("after packet 2, byte 86") != std::string::npos);
  }
}

TEST_CASE("random damage is survived and told", "[capture][property]") {
  std::mt19937 random(4);
  for (const std::string& whole : {small_pcap(20), small_pcapng(20), gzip(small_pcap(20))}) {
    for (int round = 0; round < 400; ++round) {
      std::string mutant = whole;
      for (int flips = 0; flips < 1 + round % 8; ++flips)
        mutant[random() % mutant.size()] = static_cast<char>(random());
      if (round % 3 == 0) mutant.erase(random() % mutant.size(), random() % 40);
      const auto read = read_bytes(mutant);
      CHECK(read.packets.size() <= 60);
      if (read.error.empty()) CHECK(read.records.front().packets == read.packets.size());
    }
  }
}

TEST_CASE("packed captures are told by their contents, not by their names", "[capture]") {
  const auto plain = read_bytes(small_pcap());
  const auto packed = read_bytes(gzip(small_pcap()));
  CHECK(packed.packets == plain.packets);
  CHECK(packed.records.front().format == "pcap+gzip");
  CHECK(packed.records.front().sha256 != plain.records.front().sha256);
  const auto members = read_bytes(gzip(small_pcap().substr(0, 50)) + gzip(small_pcap().substr(50)));
  CHECK(members.packets == plain.packets);
  const std::string whole = gzip(small_pcap(200));
  const auto cut = read_bytes(whole.substr(0, whole.size() / 2));
  CHECK(cut.packets.size() < 200);
  CHECK(cut.records.front().damaged);
}

TEST_CASE("a big packed capture is read ahead and hashed as it is stored", "[capture]") {
  std::string plain = pcap_header();
  std::mt19937 random(1);
  std::string data(60'000, ' ');
  for (std::uint32_t i = 0; i < 200; ++i) {
    for (char& byte : data) byte = static_cast<char>(random());   // so that 12 MB stay 12 MB
    plain += pcap_record(i, 0, data);
  }
  const std::string packed = gzip(plain);
  const auto read = read_bytes(packed);
  REQUIRE(read.packets.size() == 200);
  CHECK(read.packets.back().bytes == data);
  CHECK(read.records.front().size_bytes == packed.size());
  CHECK(read.records.front().problems.empty());
}

TEST_CASE("a cut gzip file gives all that it holds, by whatever pieces it is read", "[capture]") {
  std::string plain;
  for (int i = 0; i < 40; ++i) plain += std::to_string(i * 7919) + std::string(static_cast<std::size_t>(300 + 40 * i), static_cast<char>('a' + i % 3));
  const std::string packed = gzip(plain);
  for (std::size_t size = 18; size < packed.size(); ++size) {
    z_stream reference{};
    REQUIRE(inflateInit2(&reference, 15 + 16) == Z_OK);
    std::string whole(plain.size() + 1, ' '), part = packed.substr(0, size);
    reference.next_in = reinterpret_cast<Bytef*>(part.data());
    reference.avail_in = static_cast<uInt>(part.size());
    reference.next_out = reinterpret_cast<Bytef*>(whole.data());
    reference.avail_out = static_cast<uInt>(whole.size());
    inflate(&reference, Z_NO_FLUSH);
    whole.resize(reference.total_out);
    inflateEnd(&reference);
    const TemporaryFile file(part);
    for (const std::size_t window : {256u, 1u << 20}) {
      for (const std::uint64_t ahead_from : {std::uint64_t{0}, std::uint64_t{1} << 40}) {
        StreamOptions options;
        options.window = window;
        options.read_ahead_from = ahead_from;
        auto stream = ByteStream::open(file.path(), options);
        REQUIRE(stream.has_value());
        std::string read;
        for (Bytes bytes = (*stream)->peek(1); !bytes.empty(); bytes = (*stream)->peek(1)) {
          read.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
          (*stream)->consume(bytes.size());
        }
        INFO("cut to " << size << ", window " << window << ", ahead from " << ahead_from);
        CHECK(read == whole);
        CHECK((*stream)->problem().find("cut") != std::string::npos);
      }
    }
  }
}

TEST_CASE("a bomb is stopped", "[capture]") {
  std::string record = pcap_record(1, 0, std::string(60'000, '\0')), bomb = pcap_header();
  for (int i = 0; i < 2000; ++i) bomb += record;
  const auto read = read_bytes(gzip(bomb));
  CHECK(read.packets.size() < 2000);
  CHECK(read.records.front().damaged);
  SourceOptions options;
  options.byte_limit = 1'000'000;
  CHECK(read_bytes(small_pcap(), options).packets.size() == 5);
  options.byte_limit = 60;
  CHECK(read_bytes(small_pcap(), options).packets.size() == 1);
}

TEST_CASE("several files are one observation in time order", "[capture]") {
  const TemporaryFile even(pcap_header() + pcap_record(10, 0, "a") + pcap_record(12, 0, "c") + pcap_record(14, 0, "e"));
  const TemporaryFile odd(pcapng_section() + pcapng_interface(101) + pcapng_packet(0, 11'000'000, "b") +
                          pcapng_packet(0, 13'000'000, "d"), ".bin");
  const auto read = read_paths({even.path(), odd.path()});
  std::string order;
  for (const auto& packet : read.packets) order += packet.bytes;
  CHECK(order == "abcde");
  CHECK(read.packets[4].ordinal == 5);
  CHECK(read.records[1].first_ordinal == 2);
  CHECK(read.records[1].packets == 2);
  const auto partly = read_paths({even.path(), "/nonexistent.pcap"});
  CHECK(partly.packets.size() == 3);
  CHECK(partly.records[1].damaged);
}

TEST_CASE("hundreds of files in a directory are read in time order with few open", "[capture]") {
  const TemporaryFile name("");
  const std::filesystem::path folder = name.path() + ".d";
  std::filesystem::create_directory(folder);
  for (unsigned i = 0; i < 200; ++i) {
    std::ofstream(folder / (std::to_string(i) + ".pcap"), std::ios::binary)
        << pcap_header() << pcap_record(1000 + 2 * (199 - i), 0, "one") << pcap_record(1003 + 2 * (199 - i), 0, "two");
  }
  std::ofstream(folder / "README") << "no capture";
  const auto read = read_paths({folder.string()});
  CHECK(read.packets.size() == 400);
  CHECK(read.records.size() == 200);
  CHECK(std::is_sorted(read.packets.begin(), read.packets.end(),
                       [](const auto& a, const auto& b) { return a.time < b.time; }));
  std::filesystem::remove_all(folder);
}

TEST_CASE("a directory without captures is told", "[capture]") {
  const TemporaryFile name("");
  const std::string folder = name.path() + ".d";
  std::filesystem::create_directory(folder);
  CHECK(read_paths({folder}).error.find("no captures found there") != std::string::npos);
  std::filesystem::remove(folder);
}

TEST_CASE("a pipe is read while it is written", "[capture]") {
  const TemporaryFile name("");
  const std::string pipe = name.path() + ".fifo";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::thread writer([&] { std::ofstream(pipe, std::ios::binary) << small_pcap(); });
  const auto read = read_paths({pipe});
  writer.join();
  CHECK(read.packets.size() == 5);
  CHECK(read.records.front().sha256.size() == 64);
  ::unlink(pipe.c_str());
}

TEST_CASE("endless zeros are no capture", "[capture]") {
  if (std::filesystem::exists("/dev/zero")) CHECK(read_paths({"/dev/zero"}).kind == Error::Kind::unreadable);
}

TEST_CASE("the packet limit counts packets that pass", "[capture]") {
  SourceOptions options;
  options.packet_limit = 2;
  CHECK(read_bytes(small_pcap(), options).packets.size() == 2);
}

TEST_CASE("hostile samples: what can be read is read, the rest is told", "[capture][corpus]") {
  if (!std::filesystem::is_directory(hostile_folder)) {
    WARN("no hostile samples: ../shared is not there");
    return;
  }
  const auto read = [](const std::string& name) { return read_paths({hostile_folder + "/" + name}); };
  CHECK(read("00_empty").kind == Error::Kind::unreadable);
  CHECK(read("02_hdr_only.pcap").error.empty());
  for (const char* damaged : {"04_trunc_rechdr.pcap", "06_caplen_ffffffff.pcap", "25_gzbomb.pcap.gz",
                              "32_epb_no_idb.pcapng", "34_blk_len0.pcapng", "36_blk_len_mismatch.pcapng",
                              "38_caplen_gt_block.pcapng"}) {
    INFO(damaged);
    const auto result = read(damaged);
    CHECK(result.error.empty());
    CHECK(result.records.front().damaged);
    CHECK_FALSE(result.records.front().problems.empty());
  }
  CHECK(read("04_trunc_rechdr.pcap").packets.size() == 40);
  CHECK(read("52_isb_drops.pcapng").records.front().dropped_by_capture == 123);
  CHECK(read("39_two_idb_diff_dlt.pcapng").packets.size() == 41);
  const auto big = read("22_bigendian.pcap");
  CHECK(big.packets.size() == 10);
  CHECK_FALSE(big.records.front().damaged);
  for (const auto& entry : std::filesystem::directory_iterator(hostile_folder)) {
    const auto result = read_paths({entry.path().string()});
    if (!result.error.empty()) continue;
    std::vector<std::string> frames;
    for (const auto& packet : result.packets) decode(packet.link_type, {packet.bytes}, packet.wire_length);
  }
}
