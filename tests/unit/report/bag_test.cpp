#include "report/evidence/bag.hpp"
#include "report/evidence/files.hpp"

#include <catch2/catch.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace callwitness;
namespace fs = std::filesystem;

namespace {

struct Bag {
  fs::path path;
  Bag() {
    std::string pattern = (fs::temp_directory_path() / "callwitness-bag-XXXXXX").string();
    path = mkdtemp(pattern.data());
    fs::create_directories(path / "data");
    REQUIRE(report::create_file((path / "data/report.html").string(), "<p>report</p>\n").has_value());
    REQUIRE(report::create_file((path / "data/analysis.json").string(), "{}\n").has_value());
    REQUIRE(report::seal_bag(path.string(), {{"Bagging-Date", "2026-11-23"}}).has_value());
  }
  ~Bag() { fs::remove_all(path); }
  std::vector<std::string> differences() const { return report::check_bag(path.string()).value(); }
};

}  // namespace

TEST_CASE("a sealed bag is whole, and sha256sum agrees", "[evidence]") {
  const Bag bag;
  CHECK(bag.differences().empty());
  const std::string command = "cd " + bag.path.string() + " && sha256sum --quiet -c manifest-sha256.txt tagmanifest-sha256.txt";
  CHECK(std::system(command.c_str()) == 0);
}

TEST_CASE("one flipped bit in any file of a bag is told", "[evidence]") {
  for (const char* name : {"data/report.html", "data/analysis.json", "bagit.txt", "bag-info.txt", "manifest-sha256.txt",
                           "tagmanifest-sha256.txt"}) {
    const Bag bag;
    {
      std::fstream file(bag.path / name, std::ios::in | std::ios::out | std::ios::binary);
      const char first = static_cast<char>(file.get() ^ 1);
      file.seekp(0);
      file.put(first);
    }
    INFO(name);
    CHECK_FALSE(bag.differences().empty());
  }
}

TEST_CASE("a missing, an added and a linked file are told", "[evidence]") {
  const Bag bag;
  SECTION("missing") { fs::remove(bag.path / "data/analysis.json"); }
  SECTION("added") { REQUIRE(report::create_file((bag.path / "data/extra").string(), "x").has_value()); }
  SECTION("linked") {
    fs::create_symlink("/etc/hostname", bag.path / "data/extra");
    CHECK_FALSE(report::check_bag(bag.path.string()).has_value());
    return;
  }
  CHECK(bag.differences().size() == 1);
}

TEST_CASE("a file listed twice, or under another name, and a manifest without end are told", "[evidence]") {
  const Bag bag;
  const std::string path = (bag.path / "manifest-sha256.txt").string();
  const std::string whole = report::read_file(path).value();
  const std::string line = whole.substr(0, whole.find('\n') + 1);
  const auto told = [&](const std::string& text, const std::string& word) {
    std::ofstream(path) << text;
    const auto lines = bag.differences();
    return std::any_of(lines.begin(), lines.end(), [&](const std::string& one) { return one.find(word) != std::string::npos; });
  };
  CHECK(told(whole + line, "listed twice"));
  std::string otherwise = line;
  otherwise.insert(otherwise.find("data/") + 5, "./");
  CHECK(told(whole + otherwise, "is not 'hash  name'"));
  CHECK(told(whole + line.substr(0, 66) + "data/../data/report.html\n", "is not 'hash  name'"));
  std::string endless;
  for (int i = 0; i < 10'001; ++i) endless += line;
  CHECK(told(endless, "more than 10000 files"));
}

TEST_CASE("a named pipe is refused, not waited for", "[evidence]") {
  const Bag bag;
  const std::string pipe = (bag.path / "data/pipe").string();
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  CHECK_FALSE(report::read_file(pipe).has_value());
  CHECK_FALSE(report::sha256_of_file(pipe).has_value());
  CHECK_FALSE(report::check_bag(bag.path.string()).has_value());
}
